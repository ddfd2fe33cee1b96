package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
)

// misfit tells where a value is not what a field of the screens says: a member too many counts, too.
func misfit(f *backoffice.Field, value any, at string) string {
	switch value := value.(type) {
	case map[string]any:
		if f.Type != "object" {
			return fmt.Sprintf("%s: an object, want %s", at, f.Type)
		}
		return misfitObject(f, value, at)
	case []any:
		if f.Type != "array" || f.Items == nil {
			return fmt.Sprintf("%s: an array, want %s", at, f.Type)
		}
		for i, item := range value {
			if wrong := misfit(f.Items, item, fmt.Sprintf("%s/%d", at, i)); wrong != "" {
				return wrong
			}
		}
		return ""
	}
	kind := map[string]string{"string": "string", "bool": "boolean", "float64": "integer"}[fmt.Sprintf("%T", value)]
	chosen := slices.ContainsFunc(f.Choices, func(c backoffice.Choice) bool { return string(c.Value) == fmt.Sprintf("%q", value) })
	if kind != f.Type || len(f.Choices) > 0 && !chosen {
		return fmt.Sprintf("%s: %v (%s), want %s %s", at, value, kind, f.Type, f.Choices)
	}
	return ""
}

func misfitObject(f *backoffice.Field, value map[string]any, at string) string {
	known := map[string]*backoffice.Field{}
	for i := range f.Fields {
		known[f.Fields[i].Name] = &f.Fields[i]
		if _, there := value[f.Fields[i].Name]; f.Fields[i].Required && !there {
			return at + "/" + f.Fields[i].Name + " is missing"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		field := known[name]
		if field == nil && f.Rest == nil && len(f.Fields) > 0 {
			return at + "/" + name + " is not in the document"
		}
		if field != nil {
			if wrong := misfit(field, value[name], at+"/"+name); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

func (c *clerk) get(t *testing.T, path string, into any) {
	t.Helper()
	text, err := c.ask(http.MethodGet, path, "")
	if err == nil {
		err = json.Unmarshal([]byte(text), into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

type shownEvent struct {
	N                                                        int64
	Action, Who, Service, Operation, Status, Outcome, Reason string
	AccountName                                              string `json:"account_name"`
	Ended                                                    *shownEvent
}

func (c *clerk) events(t *testing.T, query string) (lines []string, all []shownEvent) {
	t.Helper()
	var answer struct{ Records []shownEvent }
	c.get(t, "/admin/audit?"+query, &answer)
	for _, e := range answer.Records {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s", e.Action, e.Who, e.Service, e.Operation, e.Status, e.Outcome)))
	}
	return lines, answer.Records
}

// Munjigi is a service of its own console: its screens are for administrators, and every answer is what they say.
func TestWholeOwnScreens(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	close(hang)
	w, _, _ := startCounter(t, hang)
	viewer, boss := w.clerk(t, "viewer@example.com"), w.clerk(t, "boss@example.com")
	viewer.reaches(t, "/services/counter/count")
	if _, err := boss.ask(http.MethodPost, "/services/counter/count", ""); err != nil {
		t.Fatal(err)
	}
	if text, err := viewer.ask(http.MethodGet, "/screens", ""); err != nil || strings.Contains(text, `"munjigi"`) {
		t.Errorf("a viewer: %s, %v", text, err)
	}
	_, err := viewer.ask(http.MethodGet, "/screens/munjigi", "")
	wantCode(t, err, fault.NotFound)
	if text, err := boss.ask(http.MethodGet, "/screens", ""); err != nil || !strings.HasSuffix(text, `,{"name":"munjigi","title":"Munjigi","base":"","state":"ready","version":"1"}]}`) {
		t.Errorf("an administrator: %s, %v", text, err)
	}
	var screens struct{ Service backoffice.Service }
	boss.get(t, "/screens/munjigi", &screens)
	var people struct {
		Sessions []struct {
			ID      string
			Account struct{ ID string }
		}
	}
	boss.get(t, "/admin/sessions?search=viewer", &people)
	if len(people.Sessions) != 1 {
		t.Fatalf("the viewer's sessions: %v", people.Sessions)
	}
	ids := strings.NewReplacer("{sid}", people.Sessions[0].ID, "{id}", people.Sessions[0].Account.ID, "{name}", "counter", "{n}", "1")
	seen := 0
	for _, o := range screens.Service.Operations {
		if o.Method != http.MethodGet {
			continue
		}
		var answer any
		boss.get(t, ids.Replace(o.Path), &answer)
		if wrong := misfit(o.Answer.Schema, answer, ""); wrong != "" {
			t.Errorf("%s %s: %s", o.Method, o.Path, wrong)
		}
		seen++
	}
	if seen < 12 {
		t.Errorf("only %d operations were looked at", seen)
	}
}

// What the screens do: accounts, keys and calls to services, and all of it to be read afterwards, by names.
func TestWholeOwnActions(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	close(hang)
	w, _, _ := startCounter(t, hang)
	viewer, boss := w.clerk(t, "viewer@example.com"), w.clerk(t, "boss@example.com")
	boss.reaches(t, "/services/counter/count")
	if _, err := boss.ask(http.MethodPost, "/services/counter/count", ""); err != nil {
		t.Fatal(err)
	}
	var account struct {
		Accounts []struct {
			ID, Name, Email string
			Disabled        bool
		}
	}
	boss.get(t, "/admin/accounts?search=VIEWER@", &account)
	var me struct {
		Accounts []struct{ ID, Name, Email string }
	}
	boss.get(t, "/admin/accounts?search=boss@", &me)
	if len(account.Accounts) != 1 || len(me.Accounts) != 1 {
		t.Fatalf("found %v and %v", account, me)
	}
	name := me.Accounts[0].Name
	if name == "" {
		name = me.Accounts[0].Email
	}
	lines, all := boss.events(t, "service=counter")
	if want := []string{"call_ended " + name + " counter addOne 204 done", "called " + name + " counter addOne"}; !slices.Equal(lines, want) {
		t.Fatalf("the audit of the counter: %q, want %q", lines, want)
	}
	var began shownEvent
	boss.get(t, fmt.Sprintf("/admin/audit/%d", all[1].N), &began)
	if began.Ended == nil || began.Ended.N != all[0].N || began.Ended.Status != "204" {
		t.Errorf("the call by itself: %+v", began)
	}

	if lines, _ := boss.events(t, "action=signed_in"); !slices.Contains(lines, "signed_in "+name) {
		t.Errorf("nobody called %s signed in: %q", name, lines)
	}

	path := "/admin/accounts/" + account.Accounts[0].ID
	_, err := boss.ask(http.MethodPost, path+"/link", "")
	wantCode(t, err, fault.NotFound) // the provider has their password
	if _, err := boss.ask(http.MethodPost, path+"/disable", ""); err != nil {
		t.Fatal(err)
	}
	_, err = viewer.ask(http.MethodGet, "/screens", "")
	wantCode(t, err, fault.SessionCutOff)
	boss.get(t, "/admin/accounts?disabled=true", &account)
	if len(account.Accounts) != 1 || !account.Accounts[0].Disabled {
		t.Errorf("disabled accounts: %v", account.Accounts)
	}
	if _, err := boss.ask(http.MethodPost, path+"/enable", ""); err != nil {
		t.Fatal(err)
	}
	if lines, _ := boss.events(t, "account="+account.Accounts[0].ID+"&limit=3"); !slices.Equal(lines, []string{"account_enabled " + name, "session_ended " + name, "account_disabled " + name}) {
		t.Errorf("the audit of the viewer: %q", lines)
	}

	var keys struct{ Keys []struct{ ID, State string } }
	boss.get(t, "/admin/keys", &keys)
	active := slices.IndexFunc(keys.Keys, func(k struct{ ID, State string }) bool { return k.State == "active" })
	retire := "/admin/keys/" + keys.Keys[active].ID + "/retire"
	_, err = boss.ask(http.MethodPost, retire, "")
	wantCode(t, err, fault.ReasonRequired)
	header := http.Header{"Munjigi-App": {"console"}, "Munjigi-Reason": {"left%20on%20a%20train"}}
	if _, err := boss.call(http.MethodPost, w.url+retire, "", header); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, func() error { // their token is of the key
		_, token, err := accessOf(boss.call(http.MethodPost, w.url+"/session", `{"app":"console","max_check_age":0}`, nil))
		boss.token = token
		if err == nil {
			_, err = boss.ask(http.MethodGet, "/admin/keys", "")
		}
		return err
	})
	if _, all := boss.events(t, "action=key_retired"); len(all) != 1 || all[0].Reason != "left on a train" || all[0].Who != name {
		t.Errorf("the audit of the key: %+v", all)
	}
}
