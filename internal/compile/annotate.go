package compile

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
	"github.com/munjigi/munjigi/internal/openapi"
)

// dangerous are the verbs that ask for a confirmation.
var dangerous = []string{"delete", "remove", "purge", "revoke", "refund", "ban", "reset", "disable"}

// annotations are what x-admin says of an operation, and what its method and verb say where it is silent. An annotation
// that is not understood tightens, or is ignored and told.
func (c *compiler) annotations(o *op) {
	o.Danger = danger(o)
	c.guard(o)
	for name, values := range o.note.Get("when").Members() {
		list := values.Items()
		if !values.Is(openapi.Array) {
			list = []*openapi.Node{values}
		}
		if o.When == nil {
			o.When = map[string][]json.RawMessage{}
		}
		o.When[name] = []json.RawMessage{}
		for _, one := range list {
			if raw := value.Small(one); raw != nil { // for show
				o.When[name] = append(o.When[name], raw)
			}
		}
	}
	if kind := o.note.Get("kind"); kind != nil && !isKind(backoffice.Kind(kind.Text)) {
		c.guess(o, "annotation", "x-admin.kind is ignored", clip(kind.Text)+" is no kind", "kind: list, get, create, update, delete, action, bulk, report, cards, settings or hidden")
	}
	for member := range o.note.Members() {
		if !slices.Contains([]string{"columns", "kind", "chart", "when", "danger", "guard"}, member) {
			c.guess(o, "annotation", "x-admin."+clip(member)+" is ignored", "an operation has no such annotation", "columns, kind, chart, when, danger or guard")
		}
	}
}

func clip(text string) string {
	if len(text) > 60 {
		return strings.ToValidUTF8(text[:60], "") + "…"
	}
	return text
}

func danger(o *op) backoffice.Danger {
	if said := o.note.Get("danger"); said != nil {
		switch said.Text {
		case "irreversible":
			return backoffice.Irreversible
		case "false":
			return backoffice.Harmless
		}
		return backoffice.Confirm
	}
	if !o.Write() {
		return backoffice.Harmless
	}
	if o.Method == "DELETE" {
		return backoffice.Confirm
	}
	for _, name := range []string{o.path.Last(), o.node.Str("operationId")} {
		if list := naming.Words(strings.Trim(name, "{}")); len(list) > 0 && slices.Contains(dangerous, strings.ToLower(list[0])) {
			return backoffice.Confirm
		}
	}
	return backoffice.Harmless
}

// guard is what an operation asks for. What is written there in another way than expected asks for more, not less.
func (c *compiler) guard(o *op) {
	node := o.note.Get("guard")
	for member, value := range node.Members() {
		switch member {
		case "roles":
			o.Guard.Roles = value.Strings()
			if value.Is(openapi.String) {
				o.Guard.Roles = []string{value.Text}
			}
		case "reason":
			o.Guard.Reason = !(value.Is(openapi.Bool) && value.Text == "false")
		case "approval":
			if n := value.Int(); n != nil && *n >= 0 {
				o.Guard.Approval = *n
			} else if !(value.Is(openapi.Bool) && value.Text == "false") {
				o.Guard.Approval = 1
			}
		case "limit":
			if n := value.Int(); n != nil && *n > 0 {
				o.Guard.Limit = *n
			}
		default:
			c.guess(o, "annotation", "x-admin.guard."+clip(member)+" is ignored", "a guard has no such member", "roles, reason, approval or limit")
		}
	}
}
