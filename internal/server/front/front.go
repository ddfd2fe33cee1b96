// Package front is what our pages have to know before their script can ask anything: the realm that the address is
// about, and an app to act for. It serves nothing itself.
package front

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
)

// RealmOf is the realm that a page for its members is about, /sign-in/{realm}/… or /account/{realm}; "" = it is one of
// the console's.
func RealmOf(path string) string {
	for _, pages := range []string{"/sign-in/", "/account/"} {
		if below, ok := strings.CutPrefix(path, pages); ok {
			realm, _, _ := strings.Cut(below, "/")
			return realm
		}
	}
	return ""
}

// AppOf is one of a realm's apps with a cookie, always the same: what somebody does on our own pages who did not come
// from any app is done for it. They share the realm's cookie, so it does not matter which. "" = there is none.
func AppOf(apps map[string]account.App, realm string) string {
	if apps[account.Console].Realm == realm {
		return account.Console
	}
	first := ""
	for name, app := range apps {
		if app.Realm == realm && !app.Body && (first == "" || name < first) {
			first = name
		}
	}
	return first
}

// blank is where the built index.html leaves room.
const blank = `data-realm="" data-app=""`

// Fill writes the realm of a path, the console's where it is about none, and its app into the page. Neither is a secret.
func Fill(index []byte, path string, apps map[string]account.App) []byte {
	realm := cmp.Or(RealmOf(path), apps[account.Console].Realm)
	filled := fmt.Sprintf(`data-realm="%s" data-app="%s"`, html.EscapeString(realm), html.EscapeString(AppOf(apps, realm)))
	return bytes.Replace(index, []byte(blank), []byte(filled), 1)
}
