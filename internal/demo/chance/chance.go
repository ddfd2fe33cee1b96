// Package chance makes up what the demo's services are full of: people, and times with the rhythm of days and weeks. The
// same seed gives the same, on every machine. Nobody in it exists: the telephone numbers are in a range that is given to
// nobody, the addresses end in .example.
package chance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Seoul is the zone in which the services think of days.
var Seoul = time.FixedZone("Asia/Seoul", 9*60*60)

// Dice are a source of chance. They must not be shared by goroutines.
type Dice struct{ *rand.Rand }

// NewDice are the dice of a seed.
func NewDice(seed uint64) Dice { return Dice{rand.New(rand.NewPCG(seed, 0x6d756e6a696769))} }

// Pick is one of them.
func Pick[T any](d Dice, from []T) T { return from[d.IntN(len(from))] }

// Between is a whole number from least to most.
func (d Dice) Between(least, most int) int { return least + d.IntN(most-least+1) }

// In tells true once in so many times, on average.
func (d Dice) In(times int) bool { return d.IntN(times) == 0 }

// Weighted is an index of weights, each as often as its weight says.
func (d Dice) Weighted(weights ...int) int {
	sum := 0
	for _, weight := range weights {
		sum += weight
	}
	at := d.IntN(sum)
	for i, weight := range weights {
		if at -= weight; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// Skewed is a whole number below most, the small ones more often: few customers buy a lot. By 1 all are as likely; the
// more, the more the first ones get.
func (d Dice) Skewed(most int, by float64) int {
	return int(math.Pow(d.Float64(), by) * float64(most))
}

// Phone is a number that is given to nobody: 010-0 does not exist.
func (d Dice) Phone() string { return fmt.Sprintf("010-0%03d-%04d", d.IntN(1000), d.IntN(10000)) }

// Mix scatters a number over all 64 bits: chance for rows that are made up when somebody looks (splitmix64).
func Mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// Unit makes of a number one from 0 to 1, without 1.
func Unit(n uint64) float64 { return float64(n>>11) / (1 << 53) }
