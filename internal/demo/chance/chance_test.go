package chance

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestTheSameSeedGivesTheSame(t *testing.T) {
	a, b, c := NewDice(1), NewDice(1), NewDice(2)
	same, other := true, true
	for range 20 {
		x := a.Person() + a.City() + a.Mail()
		same = same && x == b.Person()+b.City()+b.Mail()
		other = other && x == c.Person()+c.City()+c.Mail()
	}
	if !same || other {
		t.Errorf("same seed: %v, another one: %v", same, other)
	}
}

// Nobody who exists is called or written to.
func TestNobodyExists(t *testing.T) {
	d := NewDice(3)
	phone, mail := regexp.MustCompile(`^010-0\d{3}-\d{4}$`), regexp.MustCompile(`^[a-z.]+\d+@mail\.example$`)
	for range 200 {
		if p, m := d.Phone(), d.Mail(); !phone.MatchString(p) || !mail.MatchString(m) {
			t.Fatalf("%s, %s", p, m)
		}
		if name := d.Korean(); utf8.RuneCountInString(name) != 3 || strings.Contains(name, " ") {
			t.Fatalf("a Korean name: %s", name)
		}
	}
}

func TestTimesOfADay(t *testing.T) {
	for share := 0.0; share < 1; share += 0.001 {
		at := TimeOfDay(share)
		if back := ShareOfDay(at); math.Abs(back-share) > 1e-9 {
			t.Fatalf("%v of a day is over at %v, when it is %v", share, at, back)
		}
	}
	if at := TimeOfDay(1); at >= 24*time.Hour || ShareOfDay(24*time.Hour) != 1 {
		t.Errorf("the end: %v, %v", at, ShareOfDay(24*time.Hour))
	}
	if night, evening := ShareOfDay(5*time.Hour), ShareOfDay(22*time.Hour)-ShareOfDay(20*time.Hour); night > 0.05 || evening < 0.1 {
		t.Errorf("at night %v, in the evening %v", night, evening)
	}
	times := NewDice(4).Times(Midnight(time.Unix(1_790_000_000, 0)), 500)
	for i := 1; i < len(times); i++ {
		if times[i].Before(times[i-1]) {
			t.Fatalf("%v after %v", times[i], times[i-1])
		}
	}
}

func TestMidnightIsThatOfSeoul(t *testing.T) {
	for at, want := range map[string]string{"2026-11-26T14:59:59Z": "2026-11-26T00:00:00+09:00", "2026-11-26T15:00:00Z": "2026-11-27T00:00:00+09:00"} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := Midnight(moment).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

func TestChoicesAreAsOftenAsTheirWeights(t *testing.T) {
	d, counts := NewDice(5), [3]int{}
	for range 10_000 {
		counts[d.Weighted(6, 3, 1)]++
	}
	if counts[0] < 5500 || counts[0] > 6500 || counts[2] < 800 || counts[2] > 1200 {
		t.Errorf("weights 6, 3, 1 gave %v", counts)
	}
	first := 0
	for range 10_000 {
		n := d.Skewed(100, 2)
		if n < 0 || n > 99 {
			t.Fatalf("%d of 100", n)
		}
		if n < 25 {
			first++
		}
	}
	if first < 4500 || first > 5500 {
		t.Errorf("the first quarter was chosen %d times of 10000, want half", first)
	}
	sum := 0.0
	for n := range uint64(10_000) {
		sum += Unit(Mix(n))
	}
	if sum < 4800 || sum > 5200 {
		t.Errorf("ten thousand units are %v", sum)
	}
}
