package strict

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that may also count days: 90s, 5m, 12h, 7d, 1h30m.
type Duration time.Duration

const day = 24 * time.Hour

var errValue = errors.New("not a value of this kind")

// Expects implements Value.
func (d *Duration) Expects() string { return "a duration such as 90s, 5m, 12h or 7d" }

// Read implements Value.
func (d *Duration) Read(text string) error {
	days, rest, hasDays := strings.Cut(text, "d")
	if !hasDays {
		days, rest = "0", text
	}
	if text == "" {
		return errValue
	}
	n, err := strconv.ParseUint(days, 10, 16) // no sign: a negative time makes no sense anywhere
	if err != nil {
		return errValue
	}
	total := time.Duration(n) * day
	if rest != "" {
		clock, err := time.ParseDuration(rest)
		if err != nil || clock < 0 || strings.HasPrefix(rest, "+") {
			return errValue
		}
		total += clock
	}
	*d = Duration(total)
	return nil
}

// String writes whole days as days; what it writes can be read again.
func (d Duration) String() string {
	whole := time.Duration(d)
	if whole > 0 && whole%day == 0 {
		return strconv.FormatInt(int64(whole/day), 10) + "d"
	}
	text := whole.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Date is a day, such as 2027-06-30; the zero value is none.
type Date time.Time

// Expects implements Value.
func (d *Date) Expects() string { return "a day such as 2027-06-30" }

// Read implements Value.
func (d *Date) Read(text string) error {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return errValue
	}
	*d = Date(at)
	return nil
}

// End is when the day is over, in UTC; the zero time of no day.
func (d Date) End() time.Time {
	if time.Time(d).IsZero() {
		return time.Time{}
	}
	return time.Time(d).Add(day)
}

// Percent is a share of 100, written with its sign: 20%.
type Percent float64

// Expects implements Value.
func (p *Percent) Expects() string { return "a share such as 20%" }

// Read implements Value.
func (p *Percent) Read(text string) error {
	number, ok := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(n >= 0 && n <= 100) { // so written, NaN is refused
		return errValue
	}
	*p = Percent(n)
	return nil
}

// String writes it with its sign.
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) + "%" }

// Share is the percentage as a part of one.
func (p Percent) Share() float64 { return float64(p) / 100 }

// Network is an address, or a network in CIDR form.
type Network netip.Prefix

// Expects implements Value.
func (n *Network) Expects() string { return "an IP address or a network such as 10.0.0.0/8" }

// Read implements Value.
func (n *Network) Read(text string) error {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		*n = Network(prefix.Masked())
		return nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return errValue
	}
	*n = Network(netip.PrefixFrom(address, address.BitLen()))
	return nil
}
