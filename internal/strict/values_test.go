package strict

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "5m": 5 * time.Minute, "12h": 12 * time.Hour, "7d": 7 * day, "1d12h": 36 * time.Hour, "1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond, "0s": 0} {
		var d Duration
		if err := d.Read(text); err != nil || time.Duration(d) != want {
			t.Errorf("%q: got %v, %v", text, time.Duration(d), err)
		}
		var back Duration
		if err := back.Read(d.String()); err != nil || back != d {
			t.Errorf("%q is written as %q", text, d)
		}
	}
	for _, text := range []string{"", "5", "-5m", "+5m", "d", "5 m", "1.5d", "5x", "12h7d", "1d-1h", "1d+1h", "99999d", "9999999h"} {
		var d Duration
		if err := d.Read(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, time.Duration(d))
		}
	}
}

func TestDates(t *testing.T) {
	var d Date
	if err := d.Read("2027-06-30"); err != nil || !d.End().Equal(time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the day is over at %v, %v", d.End(), err)
	}
	if none := (Date{}); !none.End().IsZero() {
		t.Errorf("no day is over at %v", none.End())
	}
	for _, text := range []string{"", "2027-06-31", "2027-6-30", "30.06.2027", "2027-06-30T00:00:00Z", "2027-06-30 "} {
		if err := new(Date).Read(text); err == nil {
			t.Errorf("%q: read", text)
		}
	}
}
