package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// value is a scalar of ours: how it is written, and what to say when it is not.
type value interface {
	read(text string) error
	expects() string
}

// duration is a time.Duration that may also count days: 90s, 5m, 12h, 7d, 1h30m.
type duration time.Duration

var errValue = errors.New("not a value of this kind")

func (d *duration) expects() string { return "a duration such as 90s, 5m, 12h or 7d" }

func (d *duration) read(text string) error {
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
	*d = duration(total)
	return nil
}

// String writes whole days as days; what it writes can be read again.
func (d duration) String() string {
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

// percent is a share of 100, written with its sign: 20%.
type percent float64

func (p *percent) expects() string { return "a share such as 20%" }

func (p *percent) read(text string) error {
	number, ok := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(n >= 0 && n <= 100) { // so written, NaN is refused
		return errValue
	}
	*p = percent(n)
	return nil
}

func (p percent) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) + "%" }

// share is the percentage as a part of one.
func (p percent) share() float64 { return float64(p) / 100 }

// network is an address, or a network in CIDR form.
type network netip.Prefix

func (n *network) expects() string { return "an IP address or a network such as 10.0.0.0/8" }

func (n *network) read(text string) error {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		*n = network(prefix.Masked())
		return nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.Zone() != "" {
		return errValue
	}
	*n = network(netip.PrefixFrom(address, address.BitLen()))
	return nil
}

// later is a key that a later version has: whatever it holds, it is only noted that it is there.
type later bool

// plural is "1 problem", "2 problems".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
