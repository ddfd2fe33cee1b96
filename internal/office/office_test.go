package office

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/catalog"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/gateway"
)

const text = `url: https://office.example.com
console: staff
realms:
  staff: {password: {}, roles: {viewer: [], editor: [], admin: []}}
  members: {password: {}}
services:
  wishlist: {url: "http://10.0.0.5:9000/", realms: [staff], openapi: /openapi.json, overlay: wishlist.overlay.yaml, roles: {read: [viewer], write: [editor], export: [admin]}}
  login: {url: "http://10.0.0.6:9000", realms: [members], openapi: /openapi.json}
  silent: {url: "http://10.0.0.7:9000/base", realms: [staff, members]}
`

// The console's services are those that admit its people, as the configuration has them.
func TestServices(t *testing.T) {
	dir := t.TempDir()
	overlay := []byte("overlay: 1.0.0\n")
	if err := os.WriteFile(filepath.Join(dir, "wishlist.overlay.yaml"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	c, document := config.Read(filepath.Join(dir, "munjigi.yaml"), []byte(text))
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	sources, roles, err := services(&c)
	if err != nil {
		t.Fatal(err)
	}
	want := []catalog.Source{
		{Name: "silent", URL: "http://10.0.0.7:9000/base"},
		{Name: "wishlist", URL: "http://10.0.0.5:9000", OpenAPI: "/openapi.json", Overlay: overlay},
	}
	if diff := cmp.Diff(want, sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	wantRoles := map[string]gateway.Roles{"silent": {}, "wishlist": {Read: []string{"viewer"}, Write: []string{"editor"}, Export: []string{"admin"}}}
	if diff := cmp.Diff(wantRoles, roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

// A service's keys are checked before anything starts.
func TestServicesAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"an overlay that is not there":    {"wishlist.overlay.yaml", "nothing.yaml", "services.wishlist.overlay"},
		"an overlay without a document":   {"openapi: /openapi.json, overlay: wishlist.overlay.yaml", "overlay: wishlist.overlay.yaml", "openapi beside it"},
		"a document elsewhere":            {"/openapi.json, overlay", "//evil.test/openapi.json, overlay", "services.wishlist.openapi"},
		"a document by another way":       {"/openapi.json, overlay", "/../openapi.json, overlay", "services.wishlist.openapi"},
		"a use that is none":              {"export: [admin]", "exports: [admin]", "services.wishlist.roles.exports"},
		"a role that nobody in it can be": {"export: [admin]", "export: [accountant]", "services.wishlist.roles.export"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "wishlist.overlay.yaml"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, document := config.Read(filepath.Join(dir, "munjigi.yaml"), []byte(strings.Replace(text, c.from, c.to, 1)))
		if err := document.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
