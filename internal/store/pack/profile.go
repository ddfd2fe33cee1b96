package pack

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/munjigi/munjigi/internal/account"
)

// Profile is a profile as it comes back from the database.
func Profile(p account.Profile) account.Profile {
	p.CheckedAt = Time(Micros(p.CheckedAt))
	if p.Roles == nil {
		p.Roles = []string{}
	}
	return p
}

// Search is the text in which people are looked for.
func Search(p account.Profile) string { return strings.ToLower(p.Email + "\n" + p.Name) }

// Roles are stored as a JSON array.
func Roles(roles []string) string {
	if len(roles) == 0 {
		return "[]"
	}
	text, err := json.Marshal(roles)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// ReadRoles is Roles read again.
func ReadRoles(text string) ([]string, error) {
	roles := []string{}
	if text == "[]" {
		return roles, nil
	}
	if err := json.Unmarshal([]byte(text), &roles); err != nil {
		return nil, fmt.Errorf("roles of an account: %w", err)
	}
	return roles, nil
}
