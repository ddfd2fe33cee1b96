package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sampleClaims() Claims {
	return Claims{
		Issuer: "https://office.example.com", Subject: "a1", Audience: []string{"wishlist"}, IssuedAt: 1790000000, ExpiresAt: 1790000300,
		ID: "j1", ClientID: "tools", SessionID: SessionID{1, 2, 3}, Realm: "staff", Roles: []string{"viewer", "editor"},
		AuthTime: 1789990000, Email: "kim@example.com", Name: `김 "지" <b>\`, CheckedAt: 1789999000,
	}
}

func signers(t testing.TB) map[Algorithm]crypto.Signer {
	t.Helper()
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, err2 := ed25519.GenerateKey(rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return map[Algorithm]crypto.Signer{ES256: ec, EdDSA: ed, RS256: rs}
}

func publicOf(t testing.TB, signer crypto.Signer) PublicKey {
	t.Helper()
	key, err := NewPublicKey(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignAndRead(t *testing.T) {
	keys := signers(t)
	for alg, signer := range keys {
		key := publicOf(t, signer)
		if key.Algorithm != alg {
			t.Fatalf("got %s, want %s", key.Algorithm, alg)
		}
		raw, err := Sign(sampleClaims(), key.ID, alg, signer)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := Sign(sampleClaims(), key.ID, alg, signer); again != raw {
			t.Errorf("%s: the same input gave other bytes: a repeated renewal would differ", alg)
		}
		jws, err := ParseJWS(raw)
		if err != nil || jws.Header != (Header{alg, key.ID, Type}) {
			t.Fatalf("%s: got %+v, %v", alg, jws.Header, err)
		}
		if err := jws.Verify(key); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		claims, err := jws.Claims()
		if diff := cmp.Diff(sampleClaims(), claims); err != nil || diff != "" {
			t.Errorf("%s: %v %s", alg, err, diff)
		}
		for other, stranger := range keys {
			if other != alg && jws.Verify(publicOf(t, stranger)) == nil {
				t.Errorf("%s verified under a key for %s", alg, other)
			}
			confused := publicOf(t, stranger)
			confused.Algorithm = alg
			if other != alg && jws.Verify(confused) == nil {
				t.Errorf("%s verified under a %T", alg, confused.Key)
			}
			if _, err := Sign(sampleClaims(), key.ID, alg, stranger); other != alg && err == nil {
				t.Errorf("a %T signed %s", stranger, alg)
			}
		}
	}
}

// RFC 6979 §A.2.5, P-256 with SHA-256, message "sample": a signature that others can compute anew.
func TestSignIsRFC6979(t *testing.T) {
	d, _ := new(big.Int).SetString("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", 16)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := new(big.Int).SetString("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"+
		"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8", 16)
	got, err := sign([]byte("sample"), ES256, key)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}

// compact signs any header and payload, as an attacker with a key of ours would.
func compact(t testing.TB, signer crypto.Signer, header, payload string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	signature, err := sign([]byte(input), ES256, signer)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + encode(signature)
}

func TestParseJWSRefuses(t *testing.T) {
	signer := signers(t)[ES256]
	good := compact(t, signer, `{"alg":"ES256","kid":"k"}`, `{}`)
	if _, err := ParseJWS(good); err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(good, ".")
	body, tail, _ := strings.Cut(rest, ".")
	tests := []struct {
		name, raw string
		want      error
	}{
		{"empty", "", ErrMalformed},
		{"no dot", head, ErrMalformed},
		{"one dot", head + "." + body, ErrMalformed},
		{"no signature", head + "." + body + ".", ErrMalformed},
		{"three dots", good + ".", ErrMalformed},
		{"JWE", good + "." + body + "." + tail, ErrMalformed},
		{"only dots", "..", ErrMalformed},
		{"JSON form", `{"payload":"e30","protected":"e30","signature":"AA"}`, ErrMalformed},
		{"padded", head + "." + body + "." + tail + "==", ErrMalformed},
		{"line break in base64", head[:4] + "\n" + head[4:] + "." + body + "." + tail, ErrMalformed},
		{"line break behind", good + "\n", ErrMalformed},
		{"space in front", " " + good, ErrMalformed},
		{"standard alphabet", strings.Replace(good, tail, "+/"+tail[2:], 1), ErrMalformed},
		{"loose last bits", head + ".e31." + tail, ErrMalformed},
		{"too long", good + strings.Repeat("A", MaxAccessSize), ErrMalformed},
		{"alg twice", compact(t, signer, `{"alg":"ES256","alg":"ES256","kid":"k"}`, `{}`), ErrMalformed},
		{"alg twice, one escaped", compact(t, signer, `{"alg":"ES256","\u0061lg":"none"}`, `{}`), ErrMalformed},
		{"twice further down", compact(t, signer, `{"alg":"ES256","x":{"a":1,"a":2}}`, `{}`), ErrMalformed},
		{"no alg", compact(t, signer, `{"kid":"k"}`, `{}`), ErrMalformed},
		{"alg in capitals", compact(t, signer, `{"ALG":"ES256"}`, `{}`), ErrMalformed},
		{"alg a number", compact(t, signer, `{"alg":256}`, `{}`), ErrMalformed},
		{"header an array", compact(t, signer, `["ES256"]`, `{}`), ErrMalformed},
		{"more behind the header", compact(t, signer, `{"alg":"ES256"}{}`, `{}`), ErrMalformed},
		{"comma at the end", compact(t, signer, `{"alg":"ES256",}`, `{}`), ErrMalformed},
		{"not UTF-8", compact(t, signer, "{\"alg\":\"ES256\",\"x\":\"\xff\"}", `{}`), ErrMalformed},
		{"jku", compact(t, signer, `{"alg":"ES256","jku":"https://evil.example/keys"}`, `{}`), ErrHeader},
		{"jwk", compact(t, signer, `{"alg":"ES256","jwk":{"kty":"EC"}}`, `{}`), ErrHeader},
		{"x5u", compact(t, signer, `{"alg":"ES256","x5u":"https://evil.example/"}`, `{}`), ErrHeader},
		{"x5c", compact(t, signer, `{"alg":"ES256","x5c":["AA"]}`, `{}`), ErrHeader},
		{"crit", compact(t, signer, `{"alg":"ES256","crit":["exp"],"exp":1}`, `{}`), ErrHeader},
		{"crit, escaped", compact(t, signer, `{"alg":"ES256","cr\u0069t":["exp"]}`, `{}`), ErrHeader},
	}
	for _, test := range tests {
		if _, err := ParseJWS(test.raw); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
}

// Another algorithm's name over a signature that holds: the header has no say in how it is checked.
func TestHeaderHasNoSay(t *testing.T) {
	signer := signers(t)[ES256]
	key := publicOf(t, signer)
	for alg, want := range map[string]error{"ES256": nil, "none": ErrSignature, "HS256": ErrSignature, "RS256": ErrSignature, "es256": ErrSignature} {
		jws, err := ParseJWS(compact(t, signer, `{"alg":"`+alg+`"}`, `{}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := jws.Verify(key); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", alg, err, want)
		}
	}
}

func TestClaimsRefuse(t *testing.T) {
	signer := signers(t)[ES256]
	good := `{"iss":"i","sub":"s","aud":["a"],"iat":1,"exp":2,"jti":"j","client_id":"c","sid":"AQIDAAAAAAAAAAAAAAAAAA","realm":"r","roles":[],"auth_time":1}`
	read := func(payload string) (Claims, error) {
		jws, err := ParseJWS(compact(t, signer, `{"alg":"ES256"}`, payload))
		if err != nil {
			t.Fatal(err)
		}
		return jws.Claims()
	}
	for _, payload := range []string{good, strings.Replace(good, `["a"]`, `"a"`, 1), strings.Replace(good, `{`, ` { "x" : [{"y":null,"z":-1.5e+3}, true] , `, 1)} {
		if c, err := read(payload); err != nil || c.SessionID != (SessionID{1, 2, 3}) || len(c.Audience) != 1 {
			t.Errorf("%s: got %+v, %v", payload, c, err)
		}
	}
	bad := []string{
		``, `{}`, `[]`, `null`, good + good, good + " x", good[:len(good)-1],
		strings.Replace(good, `{`, `{"iss":"other",`, 1),
		strings.Replace(good, `{`, `{"roles":["admin"],`, 1),
		strings.Replace(good, `{`, `{"ro\u006ces":["admin"],`, 1),
		strings.Replace(good, `{`, `{"x":{"deep":{"y":1,"y":1}},`, 1),
		strings.Replace(good, `{`, `{"x":"\ud800",`, 1),
		strings.Replace(good, `{`, `{"x":"\ud800A",`, 1),
		strings.Replace(good, `{`, `{"x":"\ud800\u0041",`, 1),
		strings.Replace(good, `{`, `{"x":"\udc00\ud800",`, 1),
		strings.Replace(good, `{`, `{"x":"\q",`, 1),
		strings.Replace(good, `{`, `{"x":"`+"\t"+`",`, 1),
		strings.Replace(good, `{`, `{"x":01,`, 1),
		strings.Replace(good, `{`, `{"x":1.,`, 1),
		strings.Replace(good, `{`, `{"x":tru,`, 1),
		strings.Replace(good, `{`, `{"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`,`, 1),
		strings.Replace(good, `{`, `{`+strings.Repeat(`"x":1,`, 2), 1),
		strings.Replace(good, `"exp":2`, `"exp":2.5`, 1),
		strings.Replace(good, `"exp":2`, `"exp":2e1`, 1),
		strings.Replace(good, `"exp":2`, `"exp":"2"`, 1),
		strings.Replace(good, `"exp":2`, `"exp":-0`, 1),
		strings.Replace(good, `"exp":2`, `"exp":9223372036854775808`, 1),
		strings.Replace(good, `"exp":2`, `"EXP":2`, 1),
		strings.Replace(good, `"exp":2,`, ``, 1),
		strings.Replace(good, `"exp":2`, `"exp":null`, 1),
		strings.Replace(good, `"roles":[]`, `"roles":"admin"`, 1),
		strings.Replace(good, `"roles":[]`, `"roles":[["admin"]]`, 1),
		strings.Replace(good, `["a"]`, `["a",1]`, 1),
		strings.Replace(good, `AQIDAAAAAAAAAAAAAAAAAA`, `AQIDAAAAAAAAAAAAAAAAAB`, 1),
		strings.Replace(good, `AQIDAAAAAAAAAAAAAAAAAA`, `AQID`, 1),
	}
	for _, payload := range bad {
		if c, err := read(payload); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %+v, %v", payload, c, err)
		}
	}
	many := good[:len(good)-1]
	for i := range maxMembers {
		many += `,"x` + strings.Repeat("y", i) + `":0`
	}
	if _, err := read(many + "}"); !errors.Is(err, ErrMalformed) {
		t.Errorf("%d members more: %v", maxMembers, err)
	}
}

// CVE-2022-21449, and numbers that are equal modulo the order of the curve.
func TestECDSARange(t *testing.T) {
	signer := signers(t)[ES256].(*ecdsa.PrivateKey)
	order := elliptic.P256().Params().N
	signature, err := sign([]byte("x"), ES256, signer)
	if err != nil || !verifyECDSA(&signer.PublicKey, "x", signature) {
		t.Fatal("the signature itself does not hold", err)
	}
	s := new(big.Int).SetBytes(signature[32:])
	small := new(big.Int).Add(s, order)
	zero, n := make([]byte, 32), order.Bytes()
	most := bytes.Repeat([]byte{0xff}, 32)
	forged := [][]byte{
		nil, signature[:63], append(bytes.Clone(signature), 0), append([]byte{0}, signature...),
		append(bytes.Clone(zero), zero...), append(bytes.Clone(signature[:32]), zero...), append(bytes.Clone(zero), signature[32:]...),
		append(bytes.Clone(n), n...), append(bytes.Clone(signature[:32]), n...), append(bytes.Clone(most), most...),
	}
	if small.BitLen() <= 256 {
		forged = append(forged, append(bytes.Clone(signature[:32]), small.FillBytes(make([]byte, 32))...))
	}
	for _, sig := range forged {
		if verifyECDSA(&signer.PublicKey, "x", sig) {
			t.Errorf("accepted %x", sig)
		}
	}
}

// Numbers with leading zeros, and with the high bit set, are written as ASN.1 wants them.
func TestDERSignature(t *testing.T) {
	for _, r := range []int64{1, 127, 128, 255, 256, 1<<62 + 5} {
		signature := make([]byte, 64)
		big.NewInt(r).FillBytes(signature[:32])
		copy(signature[32:], order)
		want, err := asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(r), new(big.Int).SetBytes(order)})
		if got := derSignature(signature); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %x, %v, want %x", got, err, want)
		}
	}
	signer := signers(t)[ES256].(*ecdsa.PrivateKey)
	for n := range 1000 { // one in 128 has a zero in front
		input := fmt.Sprint(n)
		signature, err := sign([]byte(input), ES256, signer)
		if err != nil || !verifyECDSA(&signer.PublicKey, input, signature) {
			t.Fatalf("%x: refused, %v", signature, err)
		}
	}
}

// CVE-2025-30204 and its kin: nothing of a text that is too long is looked at.
func TestDotsCostNothing(t *testing.T) {
	dots := strings.Repeat(".", 8<<20)
	if allocated := testing.AllocsPerRun(10, func() {
		if _, err := ParseJWS(dots); err == nil {
			t.Error("accepted")
		}
	}); allocated > 0 {
		t.Errorf("got %v allocations", allocated)
	}
	start := time.Now()
	for range 1000 {
		_, _ = ParseJWS(dots)
	}
	if took := time.Since(start) / 1000; took > time.Millisecond {
		t.Errorf("took %s", took)
	}
}

// Every change of a token is refused: the signature covers header and payload, and has one spelling itself.
func TestEveryBitCounts(t *testing.T) {
	signer := signers(t)[EdDSA]
	key := publicOf(t, signer)
	raw, err := Sign(sampleClaims(), key.ID, EdDSA, signer)
	if err != nil {
		t.Fatal(err)
	}
	ok := func(raw string) bool {
		jws, err := ParseJWS(raw)
		return err == nil && jws.Verify(key) == nil
	}
	if !ok(raw) {
		t.Fatal("the token itself is refused")
	}
	for i := range len(raw) * 8 {
		flipped := []byte(raw)
		flipped[i/8] ^= 1 << (i % 8)
		if ok(string(flipped)) {
			t.Errorf("accepted with bit %d flipped", i)
		}
	}
	for i := range raw {
		if ok(raw[:i]) || ok(raw[i+1:]) {
			t.Errorf("accepted cut at %d", i)
		}
	}
}

func FuzzParseJWS(f *testing.F) {
	signer := signers(f)[ES256]
	key := publicOf(f, signer)
	raw, err := Sign(sampleClaims(), key.ID, ES256, signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add("..")
	f.Add(`eyJhbGciOiJub25lIn0.e30.AA`)
	f.Fuzz(func(t *testing.T, text string) {
		jws, err := ParseJWS(text)
		if err != nil {
			return
		}
		if jws.Verify(key) == nil && text != raw {
			t.Errorf("accepted %q", text)
		}
		_, _ = jws.Claims()
	})
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,"\u00e9\ud83d\ude00",null,true]}`, `{"a":1,"a":2}`, `"\ud800"`, `[[[[[[[[[[`, ``} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := reader{text: text}
		if r.skip() == nil && r.end() && !json.Valid([]byte(text)) {
			t.Errorf("read what encoding/json does not: %q", text)
		}
	})
}
