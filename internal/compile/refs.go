package compile

import (
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/openapi"
)

// references finds which values are ids of records: annotated ones, those that OpenAPI's links say, then those that
// are called like a resource.
func (t *tree) references() {
	linked := t.links()
	for i := range t.service.Resources {
		r := &t.service.Resources[i]
		t.refer(r.Row.Fields, r, linked[r.List])
		if r.Record != nil {
			t.refer(r.Record.Fields, r, linked[r.Get])
		}
		for j := range r.Filters {
			t.refer1(&r.Filters[j].Field, nil, nil)
		}
	}
	for _, o := range t.ops {
		for i := range o.Parameters {
			if o.Parameters[i].In != "path" {
				t.refer1(&o.Parameters[i].Field, nil, nil)
			}
		}
		if o.Body != nil {
			t.refer(o.Body.Schema.Fields, nil, linked[o.ID])
		}
	}
	for i := range t.service.Reports {
		if o := t.byID[t.service.Reports[i].Operation]; o.Answer != nil && o.Answer.Schema != nil {
			t.refer(o.Answer.Schema.Fields, nil, linked[o.ID])
		}
	}
}

func (t *tree) refer(fields []backoffice.Field, r *backoffice.Resource, linked map[string]string) {
	for i := range fields {
		t.refer1(&fields[i], r, linked)
		for j := range fields[i].Fields {
			t.refer1(&fields[i].Fields[j], r, nil)
		}
		if items := fields[i].Items; items != nil {
			t.refer(items.Fields, r, nil)
		}
	}
}

// refer1 decides what one value refers to. A row's own id refers to nothing.
func (t *tree) refer1(f *backoffice.Field, of *backoffice.Resource, linked map[string]string) {
	if f.Ref != nil {
		t.annotatedRef(f)
		return
	}
	if key := linked[f.Name]; key != "" {
		f.Ref = &backoffice.Ref{Resource: key}
		return
	}
	if (f.Type != "string" && f.Type != "integer") || len(f.Choices) > 0 || (of != nil && f.Name == of.ID) || (f.Format != "" && !strings.HasPrefix(f.Format, "int") && f.Format != "uuid") {
		return
	}
	base, sure := f.Name, false
	for _, ending := range []string{"_id", "Id", "ID", "_uuid", "-id", "_key"} {
		if cut, ok := strings.CutSuffix(f.Name, ending); ok && cut != "" {
			base, sure = cut, true
			break
		}
	}
	for _, r := range t.in {
		if r.Get == "" || r.Parent != "" || (!sure && of != nil && of.Key == r.Key) {
			continue
		}
		one := naming.Plain(naming.Singular(r.path.Last())) == naming.Plain(base) // "orders" is a number of them
		if naming.Same(r.path.Last(), base) && (sure || one) && (sure || !slices.Contains(titleNames, naming.Plain(base))) {
			f.Ref = &backoffice.Ref{Resource: r.Key}
			return
		}
	}
}

// annotatedRef drops a reference to what this service does not have. What another service has is not known here.
func (t *tree) annotatedRef(f *backoffice.Field) {
	if f.Ref.Service == "" && t.keys[f.Ref.Resource] == nil {
		key := "ref " + f.Name + " " + f.Ref.Resource
		if !t.told[key] {
			t.told[key] = true
			t.guess(nil, "reference", f.Name+" is shown as it is", "x-admin.ref names "+f.Ref.Resource+", which is no resource", "ref: the key of a resource, as munjigi check --openapi lists them")
		}
		f.Ref = nil
	}
}

// links are the properties that links of an answer lead on from: by operation, property → key of the resource.
func (t *tree) links() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, o := range t.ops {
		for _, link := range o.links.Members() {
			link, _ = t.doc.Deref(link)
			target := t.linkTarget(link)
			if target == nil || target.resource == nil || target.resource.Get != target.ID {
				continue
			}
			for _, value := range link.Get("parameters").Members() {
				if property := linkProperty(value); property != "" {
					if all[o.ID] == nil {
						all[o.ID] = map[string]string{}
					}
					all[o.ID][property] = target.resource.Key
				}
			}
		}
	}
	return all
}

func (t *tree) linkTarget(link *openapi.Node) *op {
	if id := link.Str("operationId"); id != "" {
		return t.byID[id]
	}
	target, _ := t.doc.Deref(refTo(link.Str("operationRef")))
	for _, o := range t.ops {
		if target != nil && o.node == target {
			return o
		}
	}
	return nil
}

func refTo(ref string) *openapi.Node {
	n := openapi.NewObject()
	if ref != "" {
		n.Set("$ref", openapi.NewString(ref))
	}
	return n
}

// linkProperty is the property that an expression like "$response.body#/customer_id" names.
func linkProperty(value *openapi.Node) string {
	pointer, ok := strings.CutPrefix(value.Str(), "$response.body#/")
	if !ok {
		return ""
	}
	return pointer[strings.LastIndex(pointer, "/")+1:]
}
