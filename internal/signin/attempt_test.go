package signin

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ring holds two keys; the newer one seals.
type ring struct{}

func (ring) Active() (string, uint32) { return "k", 2 }

func (ring) Derive(id uint32, label string) (key [32]byte, ok bool) {
	copy(key[:], label)
	key[31] = byte(id)
	return key, id == 1 || id == 2
}

var now = time.Unix(1_790_000_000, 0).UTC()

func sealed(t testing.TB) (attempt, string) {
	t.Helper()
	a := newAttempt(now)
	a.Realm, a.Issuer, a.App, a.ReturnTo = "staff", "https://id.example.com", "console", "https://office.example.com/people"
	text, err := a.seal(ring{})
	if err != nil {
		t.Fatal(err)
	}
	return a, text
}

func TestAttempt(t *testing.T) {
	want, text := sealed(t)
	got, err := openAttempt(text, ring{}, now.Add(AttemptLife-time.Second))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, secret := range []string{want.State, want.Nonce, want.Verifier, "people"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q can be read in the cookie", secret)
		}
	}
	longest := want
	longest.ReturnTo = "https://office.example.com/" + strings.Repeat("a", maxReturnTo)
	text, err = longest.seal(ring{})
	if err != nil || len(text) > 3800 { // browsers take 4,096 with name and attributes
		t.Errorf("the longest attempt: %d characters, %v", len(text), err)
	}
	if _, err := openAttempt(text, ring{}, now); err != nil {
		t.Errorf("the longest attempt: %v", err)
	}
}

func TestAttemptRefusals(t *testing.T) {
	_, text := sealed(t)
	if _, err := openAttempt(text, ring{}, now.Add(AttemptLife)); err == nil {
		t.Error("opened when it was over")
	}
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		if _, err := openAttempt(base64.RawURLEncoding.EncodeToString(raw), ring{}, now); err == nil {
			t.Fatalf("opened with bit %d changed", bit)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	for n := range len(text) {
		if _, err := openAttempt(text[:n], ring{}, now); err == nil {
			t.Fatalf("opened when cut to %d", n)
		}
	}
	other := append([]byte{}, raw...)
	binary.BigEndian.PutUint32(other[1:], 1) // sealed by key 2, said to be by key 1
	for name, text := range map[string]string{
		"another key": base64.RawURLEncoding.EncodeToString(other), "padded": text + "=", "a line break": text[:10] + "\n" + text[10:],
		"too long": strings.Repeat("A", attemptBox.longest+1), "of zeros": strings.Repeat("A", 400),
	} {
		if _, err := openAttempt(text, ring{}, now); err == nil {
			t.Errorf("opened: %s", name)
		}
	}
}

func FuzzOpenAttempt(f *testing.F) {
	_, text := sealed(f)
	f.Add(text[:40])
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := openAttempt(text, ring{}, now); err == nil {
			t.Fatalf("opened %q", text)
		}
	})
}

func TestTheChallengeIsThatOfTheRFC(t *testing.T) { // RFC 7636 appendix B
	if got := challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("got %s", got)
	}
}
