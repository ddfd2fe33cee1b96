package demo

import "strings"

// CompanyDomain is where the demo's staff belong; the last of People does not.
const CompanyDomain = "example.com"

// Person is somebody the demo's provider can sign in.
type Person struct {
	Subject string   // the provider's id of the person; never changes
	Email   string   // always verified, lower case
	Name    string   // as written in the person's own script
	Groups  []string // sent as the "groups" claim
	Roles   []string // what the demo's configuration makes of the above; for show
}

// Domain of the person's company, sent as "hd" like Google Workspace does.
func (p Person) Domain() string { return p.Email[strings.LastIndexByte(p.Email, '@')+1:] }

// People lists everybody: an administrator first, then an editor, a viewer, their colleagues, and last somebody of
// another company.
func People() []Person {
	editor, viewer := []string{"editor", "viewer"}, []string{"viewer"}
	return []Person{
		{"108000000000000000001", "boss@example.com", "백보람", nil, []string{"admin", "viewer"}},
		{"108000000000000000002", "editor@example.com", "Edith Kim", []string{"platform"}, editor},
		{"108000000000000000003", "viewer@example.com", "박보라", nil, viewer},
		{"108000000000000000004", "minjun@example.com", "김민준", []string{"platform", "coffee"}, editor},
		{"108000000000000000005", "grace@example.com", "Grace Okafor", []string{"design"}, viewer},
		{"108000000000000000006", "seoyeon@example.com", "이서연", []string{"support"}, viewer},
		{"108000000000000000007", "oliver@example.com", "Oliver Brandt", nil, viewer},
		{"108000000000000000008", "hana@example.com", "최하나", []string{"support"}, viewer},
		{"209000000000000000001", "visitor@elsewhere.test", "Victor Visitor", nil, []string{}},
	}
}

func personByEmail(email string) (Person, bool) {
	for _, person := range People() {
		if strings.EqualFold(person.Email, email) {
			return person, true
		}
	}
	return Person{}, false
}
