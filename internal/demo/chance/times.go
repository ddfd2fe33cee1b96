package chance

import (
	"math"
	"time"
)

// hourly is how much happens in each hour of a day: little at night, most before noon and late in the evening.
var hourly = [24]float64{9, 5, 3, 2, 2, 3, 6, 12, 22, 34, 44, 48, 42, 40, 42, 44, 42, 38, 36, 40, 50, 60, 52, 26}

// weekly is how much happens on each day of a week, Sunday first.
var weekly = [7]float64{1.18, 1.24, 1.06, 1.02, 1.00, 0.86, 0.78}

// TimeOfDay is when, after midnight, a share of a day's business is over: 0 is midnight, 1 the next.
func TimeOfDay(share float64) time.Duration {
	sum := 0.0
	for _, weight := range hourly {
		sum += weight
	}
	left := share * sum
	for hour, weight := range hourly {
		if left < weight {
			return time.Duration((float64(hour) + left/weight) * float64(time.Hour))
		}
		left -= weight
	}
	return 24*time.Hour - time.Second
}

// ShareOfDay is the other way round: how much of a day's business is over at a time after midnight.
func ShareOfDay(after time.Duration) float64 {
	sum, done := 0.0, 0.0
	hours := after.Hours()
	for hour, weight := range hourly {
		sum += weight
		done += weight * min(max(hours-float64(hour), 0), 1)
	}
	return done / sum
}

// Midnight is the beginning of the day of a time, in Seoul.
func Midnight(at time.Time) time.Time {
	year, month, day := at.In(Seoul).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, Seoul)
}

// Busy is how many of a usual day's things happen on a day: its place in the week, a little chance.
func (d Dice) Busy(day time.Time, usual float64) int {
	expected := usual * weekly[day.In(Seoul).Weekday()]
	return max(0, int(math.Round(expected+d.NormFloat64()*math.Sqrt(expected)*1.3)))
}

// Times are n times of a day, in order, with the day's rhythm.
func (d Dice) Times(day time.Time, n int) []time.Time {
	times := make([]time.Time, n)
	for k := range times {
		share := (float64(k) + d.Float64()) / float64(n)
		times[k] = day.Add(TimeOfDay(share)).Truncate(time.Second)
	}
	return times
}
