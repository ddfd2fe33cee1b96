package account

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRolesOf(t *testing.T) {
	rules := Rules{
		"admin":  {"boss@example.com"},
		"editor": {"group:platform", "kim@example.com"},
		"viewer": {"domain:example.com"},
		"nobody": {},
	}
	for name, test := range map[string]struct {
		email  string
		groups []string
		want   []string
	}{
		"by e-mail and domain":                 {"boss@example.com", nil, []string{"admin", "viewer"}},
		"the rule's case does not matter":      {"BOSS@Example.com", nil, []string{"admin", "viewer"}},
		"by group":                             {"lee@example.com", []string{"platform"}, []string{"editor", "viewer"}},
		"a group is compared exactly":          {"lee@example.com", []string{"Platform"}, []string{"viewer"}},
		"another domain":                       {"lee@evil.com", nil, []string{}},
		"a domain that only ends alike":        {"lee@notexample.com", nil, []string{}},
		"a subdomain is another domain":        {"lee@sub.example.com", nil, []string{}},
		"no verified e-mail: groups still say": {"", []string{"platform"}, []string{"editor"}},
		"no verified e-mail matches no domain": {"", nil, []string{}},
		"a group named like an e-mail":         {"x@evil.com", []string{"boss@example.com"}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, RolesOf(rules, test.email, test.groups)); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
		})
	}
}
