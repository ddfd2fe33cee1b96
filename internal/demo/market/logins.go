package market

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/fault"
)

// Login is an account that a shop has at the market: the market keeps it, Munjigi asks for it.
type Login struct {
	Shop     string `json:"shop"` // id
	Login    string `json:"login"`
	Password string `json:"password"`
}

// Legacy is what a browser still holds of a sign-in at the market as it was before Munjigi.
type Legacy struct {
	Login string `json:"login"`
	Token string `json:"token"`
}

// Logins lists the shops' accounts. Everybody may know them: a market of flesh and blood keeps hashes.
func Logins() []Login {
	return []Login{
		{"s1", "onggi", "clay pots breathe"},
		{"s2", "nordlicht", "wax and winter"},
		{"s3", "bada", "책은 바다를 건넌다"},
		{"s4", "second-sock", "always the left one"},
	}
}

// Legacies lists one old token of each account. They were made long ago and never change, as tokens used to be.
func Legacies() []Legacy {
	return []Legacy{
		{"onggi", "MKT1-7d0c9e8a41f24d6cb1f5"},
		{"nordlicht", "MKT1-2f6b1c53e9a0488f9d27"},
		{"bada", "MKT1-c4a8f0d17b364e02a6e9"},
		{"second-sock", "MKT1-91e3d7b60c5f4ab8824d"},
	}
}

// Realm and Name are how the demo's configuration calls them. Together they begin the subject of a shop's
// token; the shop's id here ends it.
const (
	Realm = "shops"
	Name  = "market"
)

// credentials is asked by Munjigi, and by nobody else, whose login and password, or old token, these are. 401 tells it
// no more than no; 403 is for those who were right and may not come in.
func (m *market) credentials(r *http.Request) (any, error) {
	var asked struct {
		Login       string `json:"login"`
		Password    string `json:"password"`
		LegacyToken string `json:"legacy_token"`
	}
	answer := func(status int, why string) (any, error) {
		return &service.Answer{Status: status, Body: map[string]string{"error": why}}, nil
	}
	if service.Read(r, &asked, false) != nil {
		return answer(http.StatusBadRequest, "want login and password, or legacy_token")
	}
	id, right := shopOf(asked.Login, asked.Password)
	if asked.LegacyToken != "" {
		id, right = shopOfLegacy(asked.LegacyToken)
	}
	found, err := m.shops.Get(id)
	switch {
	case !right || err != nil:
		return answer(http.StatusUnauthorized, "wrong")
	case found.Status != "open":
		return answer(http.StatusForbidden, "suspended")
	default:
		return map[string]any{"id": found.ID, "name": found.Name, "roles": []string{"shop"}}, nil
	}
}

func shopOf(login, password string) (id string, right bool) {
	all := Logins()
	at := slices.IndexFunc(all, func(one Login) bool { return one.Login == login })
	known := at >= 0
	account := all[max(at, 0)] // an unknown login takes as long as a wrong password
	return account.Shop, same(account.Password, password) && known
}

// shopOfLegacy does not use the token up: the answer may get lost, and whoever asks again has to hear the same.
func shopOfLegacy(token string) (id string, right bool) {
	for _, one := range Legacies() {
		if same(one.Token, token) {
			at := slices.IndexFunc(Logins(), func(account Login) bool { return account.Login == one.Login })
			return Logins()[at].Shop, true
		}
	}
	return "", false
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// getOwnShop is the shop that asks, as its token says: the end of the subject is the id that credentials answered.
func (m *market) getOwnShop(r *http.Request) (any, error) {
	claims := service.Caller(r)
	id, ours := strings.CutPrefix(claims.Subject, Realm+":"+Name+":")
	if !ours {
		return nil, fault.New(fault.NotFound, "this account is no shop of the market")
	}
	return m.shops.Get(id)
}
