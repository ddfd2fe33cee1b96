package signin

import (
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
)

// apart is the probability that one of a took longer than one of b, less a half (Mann and Whitney): 0 where both take the
// same time, ±0.5 where every one of a took longer, or shorter, than all of b. The two have the same length.
func apart(a, b []time.Duration) float64 {
	var longer float64
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				longer++
			case x == y:
				longer += 0.5
			}
		}
	}
	return longer/float64(len(a)*len(b)) - 0.5
}

func TestApart(t *testing.T) {
	for name, c := range map[string]struct {
		a, b []time.Duration
		want float64
	}{
		"the same":  {[]time.Duration{1, 2, 3}, []time.Duration{1, 2, 3}, 0},
		"longer":    {[]time.Duration{4, 5}, []time.Duration{1, 2}, 0.5},
		"shorter":   {[]time.Duration{1, 2}, []time.Duration{4, 5}, -0.5},
		"a quarter": {[]time.Duration{2, 4}, []time.Duration{1, 3}, 0.25},
	} {
		if got := apart(c.a, c.b); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Who measures a guess learns nothing either: whatever is wrong with it, it takes the time of a hash, and as many are
// longer as are shorter than those at a login that there is. The kinds take turns in an order by chance, so that whatever
// else the machine does befalls all of them alike. With MUNJIGI_SOAK=1 a difference of a fraction of the scatter is seen,
// otherwise only one as of a hash that was left out. By chance alone
// either limit is passed once in some 100,000 times.
func TestGuessesTakeTheSameTime(t *testing.T) {
	t.Parallel()
	rounds, limit := 10, 0.49
	if os.Getenv("MUNJIGI_SOAK") != "" {
		rounds, limit = 200, 0.15
	}
	hasher := account.NewHasher(account.HasherConfig{})
	hash, err := hasher.Hash(t.Context(), "a long walk by the river")
	if err != nil {
		t.Fatal(err)
	}
	v := newVillage()
	for login, member := range v.members {
		if member.Hash != "" {
			member.Hash = hash
			v.members[login] = member
		}
	}
	checker := &Members{Realm: "members", Store: v, Hasher: hasher, Log: slog.New(slog.DiscardHandler)}
	guesses := map[string]Credentials{
		"wrong":         {Login: "kim", Password: "wrong"},
		"unknown":       {Login: "lee", Password: "wrong"},
		"disabled":      {Login: "out", Password: "a long walk by the river"},
		"no guess left": {Login: "kim", Password: "a long walk by the river", Spent: true},
	}
	took := timesOf(t, checker, guesses, rounds)
	for name, times := range took {
		if difference := apart(times, took["wrong"]); math.Abs(difference) > limit {
			slices.Sort(times)
			slices.Sort(took["wrong"])
			t.Errorf("%s: %+.2f apart from a wrong password, at most %v; half take %v and %v", name, difference, limit,
				times[rounds/2], took["wrong"][rounds/2])
		}
	}
}

// timesOf makes each guess so many times, in turns, and tells how long each took.
func timesOf(t *testing.T, checker *Members, guesses map[string]Credentials, rounds int) map[string][]time.Duration {
	t.Helper()
	names := make([]string, 0, len(guesses))
	for name := range guesses {
		names = append(names, name)
	}
	took := map[string][]time.Duration{}
	for range rounds {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			began := time.Now()
			if _, err := checker.Check(t.Context(), guesses[name]); err == nil {
				t.Fatalf("%s: let in", name)
			}
			took[name] = append(took[name], time.Since(began))
		}
	}
	return took
}
