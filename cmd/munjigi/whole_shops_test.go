package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/market"
	"github.com/munjigi/munjigi/internal/fault"
)

// deskSignIn signs in as the page of the demo's market-desk does, with whatever proves who it is.
func (b *browser) deskSignIn(proof map[string]string) (body []byte, access string, err error) {
	proof["app"] = "market-desk"
	text, err := json.Marshal(proof)
	if err != nil {
		return nil, "", err
	}
	return accessOf(b.call(http.MethodPost, b.w.url+"/sign-in/shops", string(text), http.Header{"Munjigi-App": {"market-desk"}}))
}

func password(of market.Login) map[string]string {
	return map[string]string{"login": of.Login, "password": of.Password}
}

func legacy(of market.Legacy) map[string]string {
	return map[string]string{"legacy_token": of.Token}
}

// ownShop is the id of the shop that the market takes the token for.
func (b *browser) ownShop(market, access string) (string, error) {
	text, err := b.call(http.MethodGet, market+"/my/shop", "", http.Header{"Authorization": {"Bearer " + access}})
	var shop struct {
		ID string `json:"id"`
	}
	if err == nil {
		err = json.Unmarshal(text, &shop)
	}
	return shop.ID, err
}

// A shop signs in with the password that the market keeps, and the market knows it again by its token.
func TestWholeShopsSignInAtTheMarket(t *testing.T) {
	t.Parallel()
	w, demoFile := startDemo(t)
	address := demoFile.Services["market"]
	shops := market.Logins()
	b := w.browser()
	_, access, err := b.deskSignIn(password(shops[1]))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := b.ownShop(address, access); err != nil || id != shops[1].Shop {
		t.Errorf("the market takes it for %q, %v, want %s", id, err, shops[1].Shop)
	}
	if _, access, err = accessOf(b.call(http.MethodPost, w.url+"/session", `{"app":"market-desk"}`, http.Header{"Munjigi-App": {"market-desk"}})); err != nil {
		t.Errorf("renewal: %v", err)
	}
	for name, test := range map[string]struct {
		proof map[string]string
		want  fault.Code
	}{
		"a wrong password":     {map[string]string{"login": shops[1].Login, "password": shops[0].Password}, fault.CredentialsWrong},
		"no such login":        {map[string]string{"login": "nobody", "password": shops[0].Password}, fault.CredentialsWrong},
		"a suspended shop":     {password(shops[3]), fault.SessionCutOff},
		"its wrong password":   {map[string]string{"login": shops[3].Login, "password": "wrong"}, fault.CredentialsWrong},
		"a token of nobody's":  {map[string]string{"legacy_token": "MKT1-forged"}, fault.CredentialsWrong},
		"both at once":         {map[string]string{"login": shops[1].Login, "password": shops[1].Password, "legacy_token": "x"}, fault.RequestInvalid},
		"a token as a login's": {map[string]string{"login": shops[1].Login, "password": market.Legacies()[1].Token}, fault.CredentialsWrong},
	} {
		_, _, err := w.browser().deskSignIn(test.proof)
		if codeOf(err) != test.want {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	// Suspended at the market while signed in: the market is asked at sign-ins only. An administrator ends the session.
	boss := w.demoSignIn(t, "boss@example.com")
	if staff, err := boss.demoRenew(); err != nil {
		t.Error(err)
	} else if _, err := boss.call(http.MethodPost, address+"/shops/s2/suspend", "{}", http.Header{"Authorization": {"Bearer " + staff}}); err != nil {
		t.Errorf("suspend: %v", err)
	}
	if _, err := b.ownShop(address, access); err != nil {
		t.Errorf("while the session lives: %v", err)
	}
	_, _, err = w.browser().deskSignIn(password(shops[1]))
	wantCode(t, err, fault.SessionCutOff)
	out, err := w.command("sessions", "revoke", "--account", "shops:market:s2").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 session of shops:market:s2 ended") {
		t.Errorf("revoke: %v\n%s", err, out)
	}
	eventually(t, 3*time.Second, func() error {
		if _, err := b.ownShop(address, access); codeOf(err) != fault.SessionRevoked {
			return errOf(err)
		}
		return nil
	})
}

// A browser that is signed in the old way is exchanged once: also when it asks many times at once, and when the answer
// is lost in a crash.
func TestWholeShopsAreExchangedOnce(t *testing.T) {
	t.Parallel()
	w, demoFile := startDemo(t)
	token := market.Legacies()[0]
	bodies := parallel(20, func(int) renewed {
		body, _, err := w.browser().deskSignIn(legacy(token))
		return renewed{body, err}
	})
	for _, r := range bodies {
		if r.err != nil || !bytes.Equal(r.body, bodies[0].body) {
			t.Fatalf("%v:\n%s\n%s", r.err, r.body, bodies[0].body)
		}
	}
	thief := w.browser()
	thief.agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
	_, _, err := thief.deskSignIn(legacy(token))
	wantCode(t, err, fault.CredentialsWrong)

	w.restartDemo(t)
	b := w.browser()
	body, access, err := b.deskSignIn(legacy(token))
	if err != nil || sessionOf(t, body) != sessionOf(t, bodies[0].body) {
		t.Errorf("after a crash: %v\n%s\n%s", err, body, bodies[0].body)
	}
	eventually(t, 10*time.Second, func() error {
		if id, err := b.ownShop(demoFile.Services["market"], access); err != nil || id != "s1" {
			return fmt.Errorf("the market takes it for %q: %w", id, err)
		}
		return nil
	})
	if err := b.deskSignOut(); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.browser().deskSignIn(legacy(token)) // over is over
	wantCode(t, err, fault.CredentialsWrong)
	_, _, err = w.browser().deskSignIn(legacy(market.Legacies()[3])) // of a suspended shop
	wantCode(t, err, fault.SessionCutOff)
}

func (b *browser) deskSignOut() error {
	_, err := b.call(http.MethodDelete, b.w.url+"/session", "", http.Header{"Munjigi-App": {"market-desk"}})
	return err
}

func sessionOf(t *testing.T, body []byte) string {
	t.Helper()
	var answer struct {
		Session struct {
			ID string `json:"id"`
		} `json:"session"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Session.ID == "" {
		t.Fatalf("%v: %s", err, body)
	}
	return answer.Session.ID
}

// What a shop typed, and what its browser held, is in no log, no audit and no file of the database.
func TestWholeShopsSecretsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	w, _ := startDemo(t, "--log-level", "debug")
	shop, token := market.Logins()[2], market.Legacies()[2]
	const mistyped = "canary of a mistyped password"
	for _, proof := range []map[string]string{
		password(shop), legacy(token), legacy(token), password(market.Logins()[3]), legacy(market.Legacies()[3]),
		{"login": shop.Login, "password": mistyped},
		{"login": mistyped, "password": shop.Password},
		{"legacy_token": mistyped},
	} {
		w.browser().deskSignIn(proof) // what it is answered, others look at
	}
	audit, err := w.command("audit", "export").CombinedOutput()
	if err != nil || !bytes.Contains(audit, []byte("sign_in_refused")) || !bytes.Contains(audit, []byte(`"proof":"legacy_token"`)) {
		t.Fatalf("audit: %v\n%s", err, audit)
	}
	found := map[string][]byte{"the audit": audit, "the log": []byte(w.log.String())}
	files, err := filepath.Glob(filepath.Join(w.dir, "munjigi.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	for _, file := range files {
		if found[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range found {
		for _, secret := range []string{shop.Password, token.Token, mistyped, market.Logins()[3].Password, market.Legacies()[3].Token} {
			if at := bytes.Index(text, []byte(secret)); at >= 0 {
				t.Errorf("%s holds %q: …%q…", name, secret, text[max(0, at-80):at+len(secret)])
			}
		}
	}
}
