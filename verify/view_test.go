package verify

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Views agree with a plain map, and a view never changes once it is there.
func TestViewAgreesWithAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	model := map[feedKey]revocation{}
	v := &view{shelves: &shelves{}}
	for round := range 300 {
		before, snapshot := v, all(v)
		var more []revocation
		for range random.IntN(30) {
			// Few different keys, so that many come again.
			r := revocation{key: feedKey{uint64(random.IntN(40)) << 54, uint64(random.IntN(20))}, until: int64(random.IntN(1000)), box: string(rune('a' + round%26))}
			more = append(more, r)
			model[r.key] = r
		}
		v = v.with(more)
		if round%20 == 19 {
			limit := int64(random.IntN(300))
			full, entries := v, all(v)
			if v = v.without(limit); !slices.Equal(all(full), entries) {
				t.Fatal("an older view changed")
			}
			for key, r := range model {
				if r.until < limit {
					delete(model, key)
				}
			}
		}
		if v.entries != len(model) {
			t.Fatalf("round %d: got %d entries, want %d", round, v.entries, len(model))
		}
		for high := range uint64(40) {
			for low := range uint64(20) {
				key := feedKey{high << 54, low}
				got, found := v.find(key)
				if want, ok := model[key]; found != ok || got != want {
					t.Fatalf("round %d: got %+v, %v, want %+v, %v", round, got, found, want, ok)
				}
			}
		}
		if !slices.Equal(all(before), snapshot) {
			t.Fatal("an older view changed")
		}
	}
}

func all(v *view) (entries []revocation) {
	for _, shelf := range v.shelves {
		entries = append(entries, shelf.entries...)
	}
	return entries
}

func TestEventReader(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []string
		err          error
	}{
		{"one", "data: a\n\n", []string{"a"}, io.EOF},
		{"without a space", "data:a\n\ndata:  b\n\n", []string{"a", " b"}, io.EOF},
		{"several lines", "data: a\ndata: b\n\n", []string{"a\nb"}, io.EOF},
		{"CR LF", "data: a\r\n\r\n", []string{"a"}, io.EOF},
		{"other fields", ": hi\nid: 1\nevent: x\nretry: 1\ndata: a\ndatax: b\n\n", []string{"a"}, io.EOF},
		{"no data", "id: 1\n\n\n\ndata: a\n\n", []string{"a"}, io.EOF},
		{"empty data", "data\n\n", []string{""}, io.EOF},
		{"cut off", "data: a\n\ndata: b\n", []string{"a"}, io.EOF},
		{"cut in a line", "data: a", nil, io.EOF},
		{"too large", "data: " + strings.Repeat("x", 5000) + "\n\n", nil, errEventSize},
		{"too large in parts", strings.Repeat(": x\n", 2000), nil, errEventSize},
		{"long, within the limit", "data: " + strings.Repeat("x", 4200) + "\n\n" + "data: " + strings.Repeat("y", 4200) + "\n\n", []string{strings.Repeat("x", 4200), strings.Repeat("y", 4200)}, io.EOF},
	}
	for _, test := range tests {
		for _, slow := range []bool{false, true} {
			var r io.Reader = strings.NewReader(test.stream)
			if slow {
				r = iotest.OneByteReader(r)
			}
			events := newEventReader(r, 4300)
			var got []string
			var err error
			for {
				var data []byte
				if data, err = events.next(); err != nil {
					break
				}
				got = append(got, string(data))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || !errors.Is(err, test.err) {
				t.Errorf("%s: %v %s", test.name, err, diff)
			}
		}
	}
}

func FuzzEventReader(f *testing.F) {
	f.Add([]byte("data: a\n\n: b\ndata: c\ndata: d\r\n\r\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		events := newEventReader(bytes.NewReader(stream), 1000)
		total := 0
		for {
			data, err := events.next()
			if err != nil {
				return
			}
			if len(data) > 1000 {
				t.Errorf("an event of %d bytes", len(data))
			}
			if total += len(data); total > len(stream) {
				t.Error("more came out than went in")
			}
		}
	})
}

func FuzzFeedPage(f *testing.F) {
	f.Add([]byte(`{"epoch":"e","n":2,"read_at":1,"entries":[{"n":1,"id":"AAAAAAAAAAAAAAAAAAAAAA","until":5,"box":"x"},{"n":2,"kid":"k","until":9}]}`))
	f.Add([]byte(`{"epoch":"e","more":true,"entries":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := parsePage(data)
		if err != nil {
			return
		}
		sessions, _, err := revocations(page)
		if err == nil && len(sessions) > len(page.Entries) {
			t.Error("more sessions than entries")
		}
		(&view{shelves: &shelves{}}).with(sessions)
	})
}

// The reading of the store lies at or before the moment that is claimed for it, whatever the server's clock says.
func TestServerClock(t *testing.T) {
	sent := time.Unix(1000, 0)
	server := time.Unix(5000, 0).UnixMicro()
	at := func(seconds float64) int64 { return server + int64(seconds*1e6) }
	tests := []struct {
		name      string
		readAt    int64
		now, want float64 // seconds after sent
		refused   bool
	}{
		{"first", at(0), 0.3, 0, false},
		{"in time", at(1), 1.2, 1, false},
		{"late", at(2), 9, 2, false},
		{"out of order", at(-3), 9, -3, false},
		{"a little ahead", at(10.5), 10, 10, false},
		{"set forward", at(100), 11, 0, true},
	}
	var clock serverClock
	after := func(seconds float64) time.Time { return sent.Add(time.Duration(seconds * 1e9)) }
	for _, test := range tests {
		got, err := clock.local(test.readAt, sent, after(test.now))
		if (err != nil) != test.refused || err == nil && !got.Equal(after(test.want)) {
			t.Errorf("%s: got %s, %v, want %s", test.name, got, err, after(test.want))
		}
	}
}

func BenchmarkFindAmong100000(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	v := &view{shelves: &shelves{}}
	for range 100 {
		more := make([]revocation, 1000)
		for i := range more {
			more[i].key = feedKey{random.Uint64(), random.Uint64()}
		}
		v = v.with(more)
	}
	for b.Loop() {
		v.find(feedKey{random.Uint64(), random.Uint64()})
	}
}
