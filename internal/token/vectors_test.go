package token

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const vectors = "../../testdata/vectors"

func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// accepts is the raw level: any key of the set, chosen by kid, whose signature holds.
func accepts(jwk json.RawMessage, raw string) bool {
	keys, err := ParseJWKS([]byte(`{"keys":[` + string(jwk) + `]}`))
	if err != nil {
		return false
	}
	jws, err := ParseJWS(raw)
	if err != nil {
		return false
	}
	for _, key := range keys {
		if (key.ID == "" || key.ID == jws.Header.KeyID) && jws.Verify(key) == nil {
			return true
		}
	}
	return false
}

// Wycheproof's cases: exactly the valid ones of our algorithms, under keys that say that they are for it.
func TestWycheproof(t *testing.T) {
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			Public json.RawMessage
			Tests  []struct {
				TcID    int
				Comment string
				JWS     json.RawMessage
				Result  string
			}
		}
	}
	readVectors(t, "wycheproof/json_web_signature_test.json", &file)
	want := map[int]bool{18: true, 33: true, 259: true, 260: true, 261: true, 262: true, 263: true, 345: true, 349: true, 378: true}
	seen, accepted := 0, 0
	for _, group := range file.TestGroups {
		for _, test := range group.Tests {
			seen++
			var raw string
			if json.Unmarshal(test.JWS, &raw) != nil {
				raw = string(test.JWS) // the JSON form, which is no token of ours
			}
			got := group.Public != nil && accepts(group.Public, raw)
			if got {
				accepted++
			}
			if got != want[test.TcID] {
				t.Errorf("case %d (%s, %s): got %v, want %v", test.TcID, test.Comment, test.Result, got, want[test.TcID])
			}
			if got && test.Result != "valid" {
				t.Errorf("case %d is %s", test.TcID, test.Result)
			}
		}
	}
	if seen != 401 || seen != file.NumberOfTests || accepted != len(want) {
		t.Errorf("got %d of %d cases, %d accepted; want 401 and 10", seen, file.NumberOfTests, accepted)
	}
}

func TestRFCVectors(t *testing.T) {
	var file []struct {
		Source, Alg, JWS string
		JWK              json.RawMessage
	}
	readVectors(t, "rfc/rfc7515-8037-vectors.json", &file)
	want := map[string]bool{"RS256": true, "ES256": true, "EdDSA": true}
	if len(file) != 5 {
		t.Fatalf("got %d vectors, want 5", len(file))
	}
	for _, vector := range file {
		if got := accepts(vector.JWK, vector.JWS); got != want[vector.Alg] {
			t.Errorf("%s: got %v, want %v", vector.Source, got, want[vector.Alg])
		}
		jws, err := ParseJWS(vector.JWS)
		if err != nil {
			continue
		}
		if claims, err := jws.Claims(); err == nil {
			t.Errorf("%s: read as the claims of an access token: %v", vector.Source, claims)
		}
	}
}
