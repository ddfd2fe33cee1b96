// Package pack turns what SQL never looks at into one column, and times and flags into the numbers that are stored.
// Reading a column costs more than unpacking one, and a session is read at every renewal.
//
// It knows no table and asks no database.
package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/session"
)

// The first byte of a packed column is the version of its layout; integers are varints, texts have their length before
// them.
const (
	fixedLayout    = 1
	rotationLayout = 1
)

var errPacked = errors.New("packed column: cut short or of an unknown layout")

// Fixed packs what never changes in a session.
func Fixed(s *session.Session) []byte {
	p := packer{fixedLayout}
	p.time(s.StartedAt)
	p.text(s.Realm)
	p.text(s.App)
	p.flag(s.Body)
	p.text(s.Device)
	p.text(s.From)
	return append(p, s.HandleHash[:]...)
}

// OpenFixed reads what Fixed wrote.
func OpenFixed(data []byte, s *session.Session) error {
	p := unpacker{data: data}
	p.layout(fixedLayout)
	s.StartedAt = p.time()
	s.Realm = p.text()
	s.App = p.text()
	s.Body = p.number() == 1
	s.Device = p.text()
	s.From = p.text()
	copy(s.HandleHash[:], p.bytes(len(s.HandleHash)))
	return p.end()
}

// Rotation packs the snapshot of a rotation, but for the generation and idle_until, and the lost answers.
func Rotation(r *session.Rotation, lost []time.Time) []byte {
	p := packer{rotationLayout}
	p.number(r.Presented)
	p.time(r.At)
	p.text(r.KeyID)
	p.number(int64(r.MACKeyID))
	p.number(r.Access.Microseconds())
	p.text(r.Device)
	p.text(r.Email)
	p.text(r.Name)
	p.number(int64(len(r.Roles)))
	for _, role := range r.Roles {
		p.text(role)
	}
	p.time(r.CheckedAt)
	p.number(int64(len(lost)))
	for _, at := range lost {
		p.time(at)
	}
	return p
}

// OpenRotation reads what Rotation wrote.
func OpenRotation(data []byte, s *session.Session) error {
	p := unpacker{data: data}
	p.layout(rotationLayout)
	r := &s.Rotation
	r.Presented = p.number()
	r.At = p.time()
	r.KeyID = p.text()
	r.MACKeyID = uint32(p.number())
	r.Access = time.Duration(p.number()) * time.Microsecond
	r.Device = p.text()
	r.Email = p.text()
	r.Name = p.text()
	r.Roles = make([]string, p.count())
	for i := range r.Roles {
		r.Roles[i] = p.text()
	}
	r.CheckedAt = p.time()
	s.Lost = nil
	for range p.count() {
		s.Lost = append(s.Lost, p.time())
	}
	return p.end()
}

// End is how a session ended, in words that can be read: "replaced 1790000000000000 Chrome on Windows".
func End(e session.End) string {
	return string(e.Reason) + " " + strconv.FormatInt(Micros(e.At), 10) + " " + e.By
}

// OpenEnd of "" is nil: it has not ended.
func OpenEnd(text string) (*session.End, error) {
	if text == "" {
		return nil, nil
	}
	reason, rest, _ := strings.Cut(text, " ")
	at, by, ok := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return nil, errPacked
	}
	return &session.End{Reason: session.Reason(reason), At: Time(n), By: by}, nil
}

type packer []byte

func (p *packer) number(n int64)    { *p = binary.AppendVarint(*p, n) }
func (p *packer) time(at time.Time) { p.number(Micros(at)) }
func (p *packer) text(s string)     { *p = append(binary.AppendVarint(*p, int64(len(s))), s...) }
func (p *packer) flag(on bool)      { p.number(Number(on)) }

// unpacker reads what packer wrote; after the first thing that is wrong it gives zero values, and end tells.
type unpacker struct {
	data  []byte
	wrong bool
}

func (p *unpacker) layout(want byte) {
	if got := p.bytes(1); len(got) != 1 || got[0] != want {
		p.wrong = true
	}
}

func (p *unpacker) number() int64 {
	n, size := binary.Varint(p.data)
	if size <= 0 {
		p.wrong, p.data = true, nil
		return 0
	}
	p.data = p.data[size:]
	return n
}

// count is the number of items that follow: each takes a byte at least.
func (p *unpacker) count() int {
	n := p.number()
	if n < 0 || n > int64(len(p.data)) {
		p.wrong = true
		return 0
	}
	return int(n)
}

func (p *unpacker) bytes(n int) []byte {
	if n > len(p.data) {
		p.wrong, p.data = true, nil
		return nil
	}
	out := p.data[:n]
	p.data = p.data[n:]
	return out
}

func (p *unpacker) text() string    { return string(p.bytes(p.count())) }
func (p *unpacker) time() time.Time { return Time(p.number()) }

func (p *unpacker) end() error {
	if p.wrong || len(p.data) != 0 {
		return errPacked
	}
	return nil
}

// Number is how yes and no are stored.
func Number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// Micros is a time as it is stored: whole microseconds since 1970, 0 for the zero time.
func Micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// Time is the time that Micros stored.
func Time(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

// Unavailable gives an error of the database its code. One that bears a code already is the domain's own answer.
func Unavailable(op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Wrap(fault.StoreUnavailable, fmt.Errorf("%s: %w", op, err))
}
