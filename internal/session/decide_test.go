package session

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

var (
	decideNow    = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	decidePolicy = Policy{RenewGrace: 10 * time.Second, LostAnswers: 2}
	decideHandle = [16]byte{1, 2, 3}
)

// at9 is a session whose rotation to generation 9 happened ago before now.
func at9(ago time.Duration, change func(*Session)) Session {
	s := Session{
		EndsAt: decideNow.Add(time.Hour), HandleHash: sha256.Sum256(decideHandle[:]),
		Rotation: Rotation{Generation: 9, Presented: 8, At: decideNow.Add(-ago), IdleUntil: decideNow.Add(time.Hour), Device: "Firefox on Linux"},
	}
	if change != nil {
		change(&s)
	}
	return s
}

func TestDecide(t *testing.T) {
	lost := func(n int, ago time.Duration) func(*Session) {
		return func(s *Session) {
			for range n {
				s.Lost = append(s.Lost, decideNow.Add(-ago))
			}
		}
	}
	from6 := func(s *Session) { s.Rotation.Presented = 6 } // 7's and 8's answers were lost on the way
	for name, test := range map[string]struct {
		session Session
		present Presented
		want    Outcome
	}{
		"current, after the grace":                         {at9(time.Minute, nil), Presented{Refresh: token.Refresh{Generation: 9}}, Rotate},
		"current, within the grace":                        {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 9}}, Repeat},
		"presented, within the grace":                      {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 8}}, Repeat},
		"the grace ends":                                   {at9(10*time.Second, nil), Presented{Refresh: token.Refresh{Generation: 8}}, LostAnswer},
		"a clock behind ours still repeats":                {at9(-5*time.Second, nil), Presented{Refresh: token.Refresh{Generation: 8}}, Repeat},
		"a clock that was an hour ahead is not waited for": {at9(-time.Hour, nil), Presented{Refresh: token.Refresh{Generation: 9}}, Rotate},
		"presented, an hour later":                         {at9(time.Hour, nil), Presented{Refresh: token.Refresh{Generation: 8}}, LostAnswer},
		"the third lost answer in a day":                   {at9(time.Hour, lost(2, 23*time.Hour)), Presented{Refresh: token.Refresh{Generation: 8}}, IsReused},
		"lost answers of yesterday count no more":          {at9(time.Hour, lost(2, 24*time.Hour)), Presented{Refresh: token.Refresh{Generation: 8}}, LostAnswer},
		"presented is older than the one before":           {at9(time.Hour, from6), Presented{Refresh: token.Refresh{Generation: 6}}, LostAnswer},
		"presented, older, within the grace":               {at9(time.Second, from6), Presented{Refresh: token.Refresh{Generation: 6}}, Repeat},
		"the one before, though another was presented":     {at9(time.Second, from6), Presented{Refresh: token.Refresh{Generation: 8}}, LostAnswer},
		"between the two":                                  {at9(time.Second, from6), Presented{Refresh: token.Refresh{Generation: 7}}, IsReused},
		"older, within the grace":                          {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 7}}, IsReused},
		"older":                                            {at9(time.Hour, nil), Presented{Refresh: token.Refresh{Generation: 0}}, IsReused},
		"from the future":                                  {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 10}}, RolledBack},
		"a repeat from another device":                     {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 9}, Device: "Chrome on Windows"}, IsReused},
		"a lost answer from another device":                {at9(time.Hour, nil), Presented{Refresh: token.Refresh{Generation: 8}, Device: "Chrome on Windows"}, IsReused},
		"an ordinary renewal by an updated browser":        {at9(time.Hour, nil), Presented{Refresh: token.Refresh{Generation: 9}, Device: "Chrome on Windows"}, Rotate},
		"a forced one rotates instead of repeating":        {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 9}, Force: true}, Rotate},
		"a forced one of the presented":                    {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 8}, Force: true}, Rotate},
		"forcing does not help an older one":               {at9(time.Second, nil), Presented{Refresh: token.Refresh{Generation: 7}, Force: true}, IsReused},
		"ended":                                            {at9(time.Second, func(s *Session) { s.Ended = &End{Reason: Revoked} }), Presented{Refresh: token.Refresh{Generation: 9}}, HasEnded},
		"ended, from the future: recovered meanwhile":      {at9(time.Second, func(s *Session) { s.Ended = &End{Reason: Revoked} }), Presented{Refresh: token.Refresh{Generation: 99}}, HasEnded},
		"ended, reused: the first reason stays":            {at9(time.Second, func(s *Session) { s.Ended = &End{Reason: Replaced} }), Presented{Refresh: token.Refresh{Generation: 1}}, HasEnded},
		"idle for too long, though not marked":             {at9(time.Hour, func(s *Session) { s.Rotation.IdleUntil = decideNow }), Presented{Refresh: token.Refresh{Generation: 9}}, HasEnded},
		"past its maximum, though not marked":              {at9(time.Hour, func(s *Session) { s.EndsAt = decideNow }), Presented{Refresh: token.Refresh{Generation: 9}}, HasEnded},
		"another handle: made with a stolen MAC key":       {at9(time.Minute, nil), Presented{Refresh: token.Refresh{Generation: 9, Handle: [16]byte{9}}}, Unknown},
		"another handle learns nothing of an ended one":    {at9(time.Minute, func(s *Session) { s.Ended = &End{Reason: Revoked} }), Presented{Refresh: token.Refresh{Generation: 9, Handle: [16]byte{9}}}, Unknown},
		"another handle cannot end a session as reused":    {at9(time.Minute, nil), Presented{Refresh: token.Refresh{Generation: 1, Handle: [16]byte{9}}}, Unknown},
		"another handle cannot mark the store":             {at9(time.Minute, nil), Presented{Refresh: token.Refresh{Generation: 99, Handle: [16]byte{9}}}, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			present := test.present
			present.Now = decideNow
			if present.Device == "" {
				present.Device = "Firefox on Linux"
			}
			if present.Refresh.Handle == ([16]byte{}) {
				present.Refresh.Handle = decideHandle
			}
			if got := Decide(test.session, present, decidePolicy); got != test.want {
				t.Errorf("got outcome %d, want %d", got, test.want)
			}
		})
	}
}

func TestDeviceClass(t *testing.T) {
	for agent, want := range map[string]string{
		"":           UnknownDevice,
		"curl/8.5.0": "curl",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                   "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iOS",
		"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0":                                                                  "Firefox on Linux",
		"Evil\n<script>alert(1)</script>/1.0": UnknownDevice,
	} {
		if got := DeviceClass(agent); got != want {
			t.Errorf("DeviceClass(%q) = %q, want %q", agent, got, want)
		}
	}
}
