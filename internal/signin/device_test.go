package signin

import (
	"context"
	"testing"
	"time"
)

// elsewhere is a Checker that does not know when passwords change.
type elsewhere struct{}

func (elsewhere) Check(context.Context, Credentials) (Proved, error) { return Proved{}, nil }

// What makes a device known is a cookie that we sealed for this use, for this login of this realm, and for the password
// that is still in force.
func TestKnown(t *testing.T) {
	h := newHouse(t)
	v := newVillage()
	members := Realm{Checker: v.checker()}
	of := func(d device) string {
		sealed, err := deviceBox.seal(ring{}, d)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	until := h.Now().Add(time.Hour)
	good := of(device{"members", "kim", 4, until})
	forOtherUse, err := attemptBox.seal(ring{}, device{"members", "kim", 4, until})
	if err != nil {
		t.Fatal(err)
	}
	letter := "A"
	if good[20] == 'A' {
		letter = "B"
	}
	changed := good[:20] + letter + good[21:]
	for name, c := range map[string]struct {
		realm  Realm
		cookie string
		want   bool
	}{
		"of this login":                       {members, good, true},
		"of another login":                    {members, of(device{"members", "old", 4, until}), false},
		"of another realm":                    {members, of(device{"sellers", "kim", 4, until}), false},
		"of the password before":              {members, of(device{"members", "kim", 3, until}), false},
		"over":                                {members, of(device{"members", "kim", 4, h.Now()}), false},
		"none":                                {members, "", false},
		"sealed for another use":              {members, forOtherUse, false},
		"changed":                             {members, changed, false},
		"where passwords change out of sight": {Realm{Checker: elsewhere{}}, of(device{"members", "kim", 0, until}), true},
	} {
		t.Run(name, func(t *testing.T) {
			known, err := h.known(t.Context(), c.realm, Credentials{Realm: "members", Login: "kim", Device: c.cookie})
			if err != nil || known != c.want {
				t.Errorf("got %t, %v, want %t", known, err, c.want)
			}
		})
	}
	if known, err := h.known(t.Context(), members, Credentials{Realm: "members", Device: good}); known || err != nil {
		t.Errorf("without a login: %t, %v", known, err)
	}
	v.fails = context.DeadlineExceeded
	if known, err := h.known(t.Context(), members, Credentials{Realm: "members", Login: "kim", Device: good}); known || err == nil {
		t.Errorf("while the store is away: %t, %v", known, err)
	}
}
