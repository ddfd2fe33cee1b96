package pack

import (
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

// The columns that SQL does not read are parsed by hand: nothing that can stand in them makes that panic, and what was
// read is what would be written.
func FuzzOpen(f *testing.F) {
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	one := session.Session{
		ID: token.NewSessionID(), Realm: "staff", App: "console", Device: "Chrome on Windows", From: "192.0.2.7", StartedAt: start,
		Rotation: session.Rotation{
			Presented: -1, At: start, KeyID: "key 1", MACKeyID: 1, Access: 5 * time.Minute, Device: "Chrome on Windows",
			Profile: account.Profile{Email: "kim@example.com", Name: "Kim", Roles: []string{"viewer"}, CheckedAt: start},
		},
	}
	f.Add(Fixed(&one), Rotation(&one.Rotation, []time.Time{start}), End(session.End{Reason: session.Replaced, At: start, By: "Chrome on Windows"}))
	f.Add([]byte{fixedLayout}, []byte{rotationLayout, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, "replaced 12x ")
	f.Fuzz(func(t *testing.T, fixed, rotation []byte, end string) {
		var s session.Session
		if OpenFixed(fixed, &s) == nil {
			var again session.Session
			if err := OpenFixed(Fixed(&s), &again); err != nil || again.HandleHash != s.HandleHash || again.Device != s.Device {
				t.Errorf("fixed: %+v became %+v, %v", s, again, err)
			}
		}
		if OpenRotation(rotation, &s) == nil {
			var again session.Session
			if err := OpenRotation(Rotation(&s.Rotation, s.Lost), &again); err != nil || len(again.Lost) != len(s.Lost) || again.Rotation.Email != s.Rotation.Email {
				t.Errorf("rotation: %+v became %+v, %v", s, again, err)
			}
		}
		if e, err := OpenEnd(end); err == nil && e != nil {
			if again, err := OpenEnd(End(*e)); err != nil || *again != *e {
				t.Errorf("end: %+v became %+v, %v", e, again, err)
			}
		}
	})
}
