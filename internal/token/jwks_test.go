package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJWKSRoundTrip(t *testing.T) {
	want := []PublicKey{}
	for _, signer := range signers(t) {
		want = append(want, publicOf(t, signer))
	}
	data, err := MarshalJWKS(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseJWKS(data)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if empty, err := MarshalJWKS(nil); err != nil || string(empty) != `{"keys":[]}` {
		t.Errorf("got %s, %v", empty, err)
	}
	want[0].Algorithm = "HS256"
	if _, err := MarshalJWKS(want); err == nil {
		t.Error("wrote a key for an algorithm that is not its own")
	}
}

// RFC 8037 §A.3 and RFC 7638 §3.1 give these thumbprints; ours is the first half in hexadecimal.
func TestThumbprint(t *testing.T) {
	for jwk, want := range map[string]string{
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		`{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}`: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
	} {
		keys, err := ParsePublicKeys([]byte(jwk))
		if err != nil {
			t.Fatal(err)
		}
		full, _ := base64.RawURLEncoding.DecodeString(want)
		if got, want := keys[0].ID, fmt.Sprintf("%x", full[:16]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestParseJWKSLeavesOut(t *testing.T) {
	signer := signers(t)[ES256]
	data, _ := MarshalJWKS([]PublicKey{publicOf(t, signer)})
	good := strings.TrimSuffix(strings.TrimPrefix(string(data), `{"keys":[`), `]}`)
	change := func(old, new string) string {
		t.Helper()
		changed := strings.Replace(good, old, new, 1)
		if changed == good {
			t.Fatalf("%s is not in %s", old, good)
		}
		return changed
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if _, err := NewPublicKey(&p384.PublicKey); err == nil {
		t.Error("P-384 is no curve of ours")
	}
	even := `{"kty":"RSA","n":"` + base64.RawURLEncoding.EncodeToString(append([]byte{0xff}, make([]byte, 255)...)) + `","e":"Ag"}`
	for name, jwk := range map[string]string{
		"for encryption":         change(`"use":"sig"`, `"use":"enc"`),
		"to sign only":           change(`"use":"sig"`, `"key_ops":["sign"]`),
		"for nothing":            change(`"use":"sig"`, `"key_ops":[]`),
		"of another algorithm":   change(`"alg":"ES256"`, `"alg":"ES384"`),
		"with HMAC":              change(`"alg":"ES256"`, `"alg":"HS256"`),
		"with its private half":  change(`"use":"sig"`, `"d":"AA"`),
		"not on the curve":       `{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 42) + `E","y":"` + strings.Repeat("A", 42) + `E"}`,
		"of another curve":       change(`"crv":"P-256"`, `"crv":"P-384"`),
		"with a short x":         `{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`,
		"symmetric":              `{"kty":"oct","k":"AAAA","alg":"HS256"}`,
		"RSA of 1024 bits":       `{"kty":"RSA","n":"` + base64.RawURLEncoding.EncodeToString(small.N.Bytes()) + `","e":"AQAB"}`,
		"RSA with e = 1":         strings.Replace(even, `"Ag"`, `"AQ"`, 1),
		"RSA with an even e":     even,
		"RSA of 16384 bits":      `{"kty":"RSA","n":"` + strings.Repeat("_", 2730) + `w","e":"AQAB"}`,
		"Ed25519 of wrong size":  `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`,
		"Ed448":                  `{"kty":"OKP","crv":"Ed448","x":"AAAA"}`,
		"of an unknown kind":     `{"kty":"PQ"}`,
		"nothing":                `{}`,
		"not strict in spelling": change(`"x":"`, `"x":"\n`),
	} {
		keys, err := ParseJWKS([]byte(`{"keys":[` + jwk + `,` + change(`"kid":"`, `"kid":"good`) + `]}`))
		if err != nil || len(keys) != 1 || !strings.HasPrefix(keys[0].ID, "good") {
			t.Errorf("%s: got %v, %v", name, keys, err)
		}
	}
	for name, text := range map[string]string{
		"empty": ``, "no keys": `{}`, "an array": `[]`, "keys twice": `{"keys":[],"keys":[]}`, "a kid twice": `{"keys":[` + good + `,` + good + `]}`,
		"a member twice": `{"keys":[` + change(`"use":"sig"`, `"use":"sig","use":"sig"`) + `]}`, "more behind": `{"keys":[]} {}`,
		"kid a number": `{"keys":[{"kty":"EC","kid":1}]}`, "too large": `{"keys":[]}` + strings.Repeat(" ", MaxJWKSSize),
	} {
		if keys, err := ParseJWKS([]byte(text)); err == nil {
			t.Errorf("%s: got %v", name, keys)
		}
	}
}

func TestParsePublicKeys(t *testing.T) {
	for alg, signer := range signers(t) {
		want := publicOf(t, signer)
		der, err := x509.MarshalPKIXPublicKey(signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		set, _ := MarshalJWKS([]PublicKey{want})
		one := strings.TrimSuffix(strings.TrimPrefix(string(set), `{"keys":[`), `]}`)
		for kind, data := range map[string][]byte{"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "JWKS": set, "JWK": []byte(one + "\n")} {
			got, err := ParsePublicKeys(data)
			if diff := cmp.Diff([]PublicKey{want}, got); err != nil || diff != "" {
				t.Errorf("%s %s: %v %s", alg, kind, err, diff)
			}
		}
		private, _ := x509.MarshalPKCS8PrivateKey(signer)
		if _, err := ParsePublicKeys(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})); err == nil {
			t.Error("took a private key")
		}
	}
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	der, _ := x509.MarshalPKIXPublicKey(&small.PublicKey)
	for _, data := range [][]byte{nil, []byte(`{"keys":[]}`), []byte(`{"kty":"oct","k":"AA"}`), []byte("hello"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})} {
		if keys, err := ParsePublicKeys(data); err == nil {
			t.Errorf("%s: got %v", data, keys)
		}
	}
}

func FuzzParseJWKS(f *testing.F) {
	signer := signers(f)[ES256]
	data, _ := MarshalJWKS([]PublicKey{publicOf(f, signer)})
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ParseJWKS(data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Errorf("read what encoding/json does not: %q", data)
		}
		if again, err := MarshalJWKS(keys); err != nil {
			t.Errorf("cannot write what was read: %s %v", again, err)
		}
	})
}
