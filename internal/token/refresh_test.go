package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func sampleRefresh() (Refresh, MACKey) {
	r := Refresh{
		Realm: "staff", App: "*", Session: SessionID{1, 2, 3}, Generation: 7,
		IssuedAt: time.UnixMicro(1790000000123456).UTC(), Handle: [16]byte{9, 8, 7},
	}
	return r, MACKey{ID: 1, Key: [32]byte{42}}
}

func finder(keys ...MACKey) func(uint32) (MACKey, bool) {
	return func(id uint32) (MACKey, bool) {
		for _, key := range keys {
			if key.ID == id {
				return key, true
			}
		}
		return MACKey{}, false
	}
}

func TestRefreshRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(0, -1, 64)
		r := Refresh{
			Realm: name.Draw(t, "realm"), App: name.Draw(t, "app"), Body: rapid.Bool().Draw(t, "body"),
			Generation: rapid.Int64Min(0).Draw(t, "generation"), IssuedAt: time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "at")).UTC(),
		}
		copy(r.Session[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "sid"))
		copy(r.Handle[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "handle"))
		key := MACKey{ID: rapid.Uint32().Draw(t, "key"), Key: [32]byte{1}}
		text := r.Seal(key)
		if text != r.Seal(key) {
			t.Fatal("not deterministic")
		}
		got, err := OpenRefresh(text, finder(MACKey{ID: key.ID + 1}, key))
		if diff := cmp.Diff(r, got, cmp.Comparer(func(a, b Refresh) bool { return a == b })); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func TestRefreshRefuses(t *testing.T) {
	r, key := sampleRefresh()
	good := r.Seal(key)
	if _, err := OpenRefresh(good, finder(key)); err != nil {
		t.Fatal(err)
	}
	refused := func(text string) {
		t.Helper()
		if got, err := OpenRefresh(text, finder(key)); !errors.Is(err, ErrRefresh) || got != (Refresh{}) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for i := range len(good) * 8 {
		flipped := []byte(good)
		flipped[i/8] ^= 1 << (i % 8)
		refused(string(flipped))
	}
	for i := range good {
		refused(good[:i])
		refused(good[i+1:])
		refused(good[:i] + "\n" + good[i:])
	}
	refused(good + "A")
	refused(good + "=")
	refused(good + "\n")
	refused(good + good)
	refused(strings.TrimPrefix(good, RefreshPrefix))
	refused(RefreshPrefix + strings.Repeat("A", 8<<20))
	for name, other := range map[string]MACKey{"another key": {ID: key.ID, Key: [32]byte{43}}, "an unknown id": {ID: 2, Key: key.Key}} {
		if _, err := OpenRefresh(good, finder(other)); !errors.Is(err, ErrRefresh) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A body that the MAC covers but that Seal never writes: another carrier, a name that is too long for the rest.
func TestRefreshRefusesOtherShapes(t *testing.T) {
	r, key := sampleRefresh()
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(r.Seal(key), RefreshPrefix))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(body []byte) []byte{
		"version": func(b []byte) []byte { b[0] = 2; return b },
		"carrier": func(b []byte) []byte { b[5] = 2; return b },
		"realm":   func(b []byte) []byte { b[6] = 255; return b },
		"longer":  func(b []byte) []byte { return append(b, 0) },
	} {
		body := change(append([]byte(nil), raw[:len(raw)-32]...))
		text := RefreshPrefix + base64.RawURLEncoding.EncodeToString(appendMAC(body, key))
		if _, err := OpenRefresh(text, finder(key)); !errors.Is(err, ErrRefresh) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	r, key := sampleRefresh()
	r.Handle, key.Key = [16]byte([]byte("handlehandlehand")), [32]byte([]byte("keykeykeykeykeykeykeykeykeykeyke"))
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "refresh", r, "key", key)
	text := log.String() + fmt.Sprintf("%v %+v %#v %s %v %+v %#v", r, r, r, r, key, key, key)
	for _, secret := range []string{"handle", "keykey", "104 97", "0x68", "107 101", "0x6b", "104,97", "107,101"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows in %s", secret, text)
		}
	}
}

func TestBox(t *testing.T) {
	id, other := NewSessionID(), NewSessionID()
	at := time.Unix(1790000000, 0).UTC()
	length := len(id.SealEnd(Ended{}))
	for _, ended := range []Ended{
		{Reason: "signed_out", At: at}, {Reason: "replaced", At: at, By: "Chrome on Windows"}, {Reason: "unconfirmed", At: at, By: ""},
	} {
		box := id.SealEnd(ended)
		if got, err := id.OpenEnd(box); err != nil || got != ended {
			t.Errorf("got %+v, %v, want %+v", got, err, ended)
		}
		if len(box) != length {
			t.Errorf("%s: the length %d tells the reason", ended.Reason, len(box))
		}
		if box == id.SealEnd(ended) {
			t.Error("the same nonce twice")
		}
		if _, err := other.OpenEnd(box); err == nil {
			t.Error("opened by another session")
		}
		for i := range len(box) {
			changed := []byte(box)
			changed[i] ^= 1
			if _, err := id.OpenEnd(string(changed)); err == nil {
				t.Errorf("opened with character %d changed", i)
			}
			if _, err := id.OpenEnd(box[:i]); err == nil {
				t.Errorf("opened cut at %d", i)
			}
		}
	}
	for _, first := range []string{"", "a", "ab"} { // wherever the limit falls within a character
		long := id.SealEnd(Ended{Reason: "replaced", At: at, By: first + strings.Repeat("가", 50)})
		got, err := id.OpenEnd(long)
		rest := strings.TrimPrefix(got.By, first)
		if err != nil || len(long) != length || len(rest) < 20 || rest != strings.Repeat("가", len(rest)/3) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestIDs(t *testing.T) {
	id := NewSessionID()
	if got, err := ParseSessionID(id.String()); err != nil || got != id {
		t.Errorf("got %v, %v, want %v", got, err, id)
	}
	feed := id.FeedID()
	if got, err := ParseFeedID(feed.String()); err != nil || got != feed {
		t.Errorf("got %v, %v, want %v", got, err, feed)
	}
	text := id.String()
	for _, bad := range []string{"", text[1:], text + "A", text + "\n", text[:10] + "\n" + text[10:], text + "==", strings.Repeat("A", 21) + "B", strings.Repeat("=", 22)} {
		if got, err := ParseSessionID(bad); err == nil {
			t.Errorf("%q: got %v", bad, got)
		}
	}
	data, err := json.Marshal(map[string]SessionID{"sid": id})
	var back map[string]SessionID
	if err != nil || json.Unmarshal(data, &back) != nil || back["sid"] != id {
		t.Errorf("got %s, %v", data, err)
	}
	if json.Unmarshal([]byte(`{"sid":"x"}`), &back) == nil {
		t.Error("read a session id that is none")
	}
}

func FuzzOpenRefresh(f *testing.F) {
	r, key := sampleRefresh()
	f.Add(r.Seal(key))
	f.Add(RefreshPrefix)
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := OpenRefresh(text, finder(key)); err == nil && got.Seal(key) != text {
			t.Errorf("%q has another spelling", text)
		}
	})
}

func FuzzOpenEnd(f *testing.F) {
	id := SessionID{1}
	const good = "a6j5JIUiVcrOgFjp-ylsOJsB4tftBaWlyu8ay32p4jgJwwo2WuB4f1YzNj0KFJ9Ha3SHZGWlmnrsFIk-3umrpVURKRNO6VhQg1QF9SlhFlGkZZSLOSVJW4u4zPg" // written once: nonces are random
	if got, err := id.OpenEnd(good); err != nil || got.Reason != "revoked" {
		f.Fatal(got, err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, box string) {
		if _, err := id.OpenEnd(box); err == nil && box != good {
			t.Errorf("opened %q", box)
		}
	})
}
