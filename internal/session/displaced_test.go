package session

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

func TestClassOf(t *testing.T) {
	for userAgent, want := range map[string]Class{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                                     Desktop,
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                                  Desktop,
		"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0":                                                                              Desktop,
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                                      Desktop,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":             Mobile,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.0.0 Mobile/15E148 Safari/604.1":          Mobile,
		"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":                      Mobile, // a tablet
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                               Mobile,
		"Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                                      Mobile, // a tablet
		"Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36":          Mobile,
		"Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0":                                                                                Mobile,
		"Mozilla/5.0 (Linux; Android 14; SM-S921N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 KAKAOTALK/10": Mobile,
		"Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; ko) Presto/2.12.423 Version/12.16":                                                                        Mobile,
		"curl/8.5.0":             Desktop,
		"":                       Desktop,
		"Googlebot/2.1 (Mobile)": Desktop,
	} {
		if got := ClassOf(DeviceClass(userAgent)); got != want {
			t.Errorf("%q is %q: got %s, want %s", userAgent, DeviceClass(userAgent), got, want)
		}
	}
}

// somebody is an account's live sessions, the policy and a newcomer, drawn at random.
func somebody(t *rapid.T) ([]Session, Arrival, Policy) {
	devices := rapid.SampledFrom([]string{"Chrome on Windows", "Safari on macOS", "Chrome on Android", "Safari on iOS", UnknownDevice})
	live := make([]Session, rapid.IntRange(0, 7).Draw(t, "live"))
	for i := range live {
		live[i] = Session{
			ID: token.SessionID{byte(i + 1)}, Device: devices.Draw(t, "device"),
			StartedAt: decideNow.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "started")) * time.Minute), // several at one moment
		}
	}
	policy := Policy{
		PerAccount: rapid.IntRange(0, 5).Draw(t, "per_account"), PerDeviceClass: rapid.IntRange(0, 4).Draw(t, "per_device_class"),
		WhenFull: rapid.SampledFrom([]string{Replace, Refuse}).Draw(t, "when_full"),
	}
	begin := Arrival{Device: devices.Draw(t, "newcomer")}
	if n := rapid.IntRange(0, len(live)+1).Draw(t, "named"); n > 0 { // one more than there are: one that has ended
		begin.End = &token.SessionID{byte(n)}
	}
	return live, begin, policy
}

// overBy is by how many sessions too many there would be with the newcomer, in its class and in the account.
func overBy(live []Session, begin Arrival, p Policy) (class, all int) {
	for _, s := range live {
		if ClassOf(s.Device) == ClassOf(begin.Device) {
			class++
		}
	}
	if class = class + 1 - p.PerDeviceClass; p.PerDeviceClass == 0 {
		class = 0
	}
	if all = len(live) + 1 - p.PerAccount; p.PerAccount == 0 {
		all = 0
	}
	return max(class, 0), max(all, 0)
}

func without(live, ended []Session) []Session {
	return slices.DeleteFunc(slices.Clone(live), func(s Session) bool { return holds(ended, s.ID) })
}

func holds(sessions []Session, id token.SessionID) bool {
	return slices.ContainsFunc(sessions, func(s Session) bool { return s.ID == id })
}

// Whatever is alive: with "replace" the newcomer fits both limits afterwards, no session ends that need not, and of
// those that might have ended the oldest do.
func TestDisplacedMakesRoomForBothLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live, begin, policy := somebody(t)
		policy.WhenFull, begin.End = Replace, nil
		before := slices.Clone(live)
		ended, err := Displaced(live, begin, policy)
		if err != nil {
			t.Fatal(err)
		}
		class, all := overBy(live, begin, policy)
		if len(ended) != max(class, all) {
			t.Fatalf("%d end, want %d", len(ended), max(class, all))
		}
		left := without(live, ended)
		if class, all := overBy(left, begin, policy); class > 0 || all > 0 || len(left)+len(ended) != len(live) {
			t.Fatalf("still %d and %d too many; %d are left of %d", class, all, len(left), len(live))
		}
		for i, gone := range ended {
			for _, kept := range left {
				inRule := i >= class || ClassOf(kept.Device) == ClassOf(begin.Device)
				if inRule && kept.StartedAt.Before(gone.StartedAt) {
					t.Fatalf("%s ended though %s is older", gone.ID, kept.ID)
				}
			}
		}
		if !slices.EqualFunc(before, live, func(a, b Session) bool { return a.ID == b.ID }) {
			t.Fatal("the sessions that were asked about were moved")
		}
	})
}

// With "refuse" nobody ends whom nobody named, and a refusal offers those, and only those, whose end comes nearer.
func TestDisplacedRefuses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live, begin, policy := somebody(t)
		policy.WhenFull = Refuse
		ended, err := Displaced(live, begin, policy)
		class, all := overBy(live, begin, policy)
		for _, s := range ended {
			if begin.End == nil || s.ID != *begin.End {
				t.Fatalf("%s ended, whom nobody named", s.ID)
			}
			if class == 0 && all == 0 {
				t.Fatalf("%s ended though there was room", s.ID)
			}
		}
		left := without(live, ended)
		if class, all = overBy(left, begin, policy); (err != nil) != (class > 0 || all > 0) {
			t.Fatalf("%v, with %d and %d too many", err, class, all)
		}
		if err == nil {
			return
		}
		refusal, ok := errors.AsType[*fault.Error](err)
		if !ok || refusal.Code != fault.SessionLimit {
			t.Fatalf("got %v", err)
		}
		choice, _ := refusal.Sessions.([]Session)
		for _, s := range left {
			helps := class == 0 || ClassOf(s.Device) == ClassOf(begin.Device)
			if helps != holds(choice, s.ID) {
				t.Fatalf("%s on %s: offered %v, helps %v", s.ID, s.Device, !helps, helps)
			}
		}
	})
}

// Who is offered a choice and makes one gets in, at the latest when every session but one has been chosen; and what
// was chosen has ended, and nothing else.
func TestDisplacedEndsWhatWasChosen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		live, begin, policy := somebody(t)
		policy.WhenFull, begin.End = Refuse, nil
		_, err := Displaced(live, begin, policy)
		for range 8 {
			refusal, ok := errors.AsType[*fault.Error](err)
			if !ok {
				break
			}
			choice, _ := refusal.Sessions.([]Session)
			chosen := rapid.SampledFrom(choice).Draw(t, "chosen").ID
			begin.End = &chosen
			var ended []Session
			ended, err = Displaced(live, begin, policy)
			if len(ended) != 1 || ended[0].ID != chosen {
				t.Fatalf("chose %s, and %d ended", chosen, len(ended))
			}
			live = without(live, ended)
		}
		if err != nil {
			t.Fatalf("after eight choices: %v", err)
		}
	})
}

// Naming one that has ended, or that is in nobody's way, ends nobody else in its place.
func TestDisplacedNamedInVain(t *testing.T) {
	pc := Session{ID: token.SessionID{1}, Device: "Chrome on Windows", StartedAt: decideNow}
	phone := Session{ID: token.SessionID{2}, Device: "Safari on iOS", StartedAt: decideNow}
	policy := Policy{PerDeviceClass: 1, WhenFull: Refuse}
	for name, end := range map[string]token.SessionID{"one that has ended": {9}, "one of another class": phone.ID} {
		ended, err := Displaced([]Session{pc, phone}, Arrival{Device: "Firefox on Linux", End: &end}, policy)
		if len(ended) != 0 || fault.CodeOf(err) != fault.SessionLimit {
			t.Errorf("%s: %d ended, %v", name, len(ended), err)
		}
	}
}
