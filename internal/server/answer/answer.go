// Package answer writes what goes well: JSON, and the parts of it that several routes have in common.
package answer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/munjigi/munjigi/internal/account"
)

// JSON answers 200 with v.
func JSON(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return Ready(w, body)
}

// Ready answers 200 with JSON that is there already. An error of writing is dropped: the caller has gone, and nobody is
// left to be told.
func Ready(w http.ResponseWriter, body []byte) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
	return nil
}

// Account is a person, as all routes tell of one.
type Account struct {
	ID    string   `json:"id"`
	Realm string   `json:"realm"`
	Email string   `json:"email,omitempty"`
	Name  string   `json:"name,omitempty"`
	Roles []string `json:"roles"`
}

// Of is an account's.
func Of(a account.Account) Account {
	roles := a.Roles
	if roles == nil {
		roles = []string{}
	}
	return Account{a.ID, a.Realm, a.Email, a.Name, roles}
}

// Unix is whole seconds since 1970, 0 for no time.
func Unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
