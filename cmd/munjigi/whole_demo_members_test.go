package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/demo"
	"github.com/munjigi/munjigi/internal/demo/members"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
)

// enter signs a member in on the shop's own page, and returns the access token.
func (b *browser) enter(shop string, one members.Member) (string, error) {
	body, err := json.Marshal(map[string]string{"app": "shop", "login": one.Login, "password": one.Password})
	if err != nil {
		return "", err
	}
	_, access, err := accessOf(b.call(http.MethodPost, b.w.url+"/sign-in/members", string(body), http.Header{
		"Munjigi-App": {"shop"}, "Origin": {shop},
	}))
	return access, err
}

func TestWholeDemoMemberIsDisplacedAndTold(t *testing.T) {
	t.Parallel()
	w, sites := startDemo(t)
	b, one := w.browser(), sites.Members[0]
	access, err := b.enter(sites.Shop, one)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (string, error) {
		text, err := b.call(http.MethodGet, sites.Services["market"]+path, "", http.Header{"Authorization": {"Bearer " + access}})
		return string(text), err
	}
	for _, path := range []string{"group", "product", "creative", "point"} {
		if text, err := ask("/member/" + path); err != nil {
			t.Errorf("%s: %s, %v", path, text, err)
		}
	}
	_, err = ask("/shops")
	wantCode(t, err, fault.RoleMissing)

	// The shop's second browser.
	before := time.Now().Unix()
	if _, err := b.call(http.MethodPost, sites.Shop+"/elsewhere", `{"login":"`+one.Login+`"}`, http.Header{"Origin": {sites.Shop}}); err != nil {
		t.Fatal(err)
	}
	var told *ended
	eventually(t, 5*time.Second, func() error {
		_, err := ask("/member/point")
		told, _ = errors.AsType[*ended](err)
		if codeOf(err) != fault.SessionReplaced {
			return errOf(err)
		}
		return nil
	})
	if told.ReplacedBy != "Edge on Windows" || told.ReplacedAt < before || told.ReplacedAt > time.Now().Unix() {
		t.Errorf("replaced by %q at %d, want Edge on Windows just now", told.ReplacedBy, told.ReplacedAt)
	}
}

// A second start finds its members, and leaves them as they are.
func TestDemoKeepsItsMembers(t *testing.T) {
	dir := t.TempDir()
	ids := map[string]string{}
	for round := range 2 {
		setup, err := demo.Prepare(dir, "localhost:9000")
		if err != nil {
			t.Fatal(err)
		}
		program, err := newDemoProgram(t.Context(), setup, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range members.List() {
			m, found, err := program.store.Member(t.Context(), members.Realm, one.Login)
			if err != nil || !found || m.Name != one.Name || m.Email != one.Login {
				t.Errorf("%s: %+v, %v, %v", one.Login, m.Account, found, err)
			}
			if round > 0 && ids[one.Login] != m.ID {
				t.Errorf("%s has become another account", one.Login)
			}
			ids[one.Login] = m.ID
		}
		if err := program.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody learns from the demo to choose a password that Munjigi itself would refuse.
func TestDemoPasswordsKeepTheRules(t *testing.T) {
	setup, err := demo.Prepare(t.TempDir(), "localhost:9000")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.CreateSealer(setup.Key); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(setup.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range members.List() {
		if err := passwordRules(&c, members.Realm).Check(account.Password(one.Password), one.Login, one.Name); err != nil {
			t.Errorf("%s may not have %q: %v", one.Login, one.Password, err)
		}
	}
}
