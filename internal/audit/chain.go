package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// chainLabel keeps these hashes apart from every other SHA-256 of ours, and says which encoding follows.
const chainLabel = "munjigi audit 1\n"

// ErrChain is what Verify says of a record that is not the next one of its chain, or not what was appended.
var ErrChain = errors.New("audit chain is broken")

// Chain makes the event the record number n, after the one whose hash is prev (zero for the first record, n = 1).
//
// The record's event is the one to store: its time is in whole microseconds UTC and its texts are valid UTF-8 without
// NUL, so that every store gives back exactly what was hashed. Hash is SHA-256 over a label, prev, n, the microseconds
// since 1970, and every text with its length before it (see encode), so no two events have the same encoding.
func (e Event) Chain(n int64, prev [32]byte) Record {
	r := Record{N: n, Event: e.storable(), Prev: prev}
	r.Hash = sha256.Sum256(r.encode())
	return r
}

// Verify tells whether next is the untouched successor of prev; prev is the zero Record for the first one. The error
// is an ErrChain and names the record.
func Verify(prev, next Record) error {
	switch {
	case next.N != prev.N+1:
		return fmt.Errorf("%w: record %d follows record %d: records are missing or repeated", ErrChain, next.N, prev.N)
	case next.Prev != prev.Hash:
		return fmt.Errorf("%w: record %d does not continue record %d", ErrChain, next.N, prev.N)
	case sha256.Sum256(next.encode()) != next.Hash:
		return fmt.Errorf("%w: record %d was changed after it was written", ErrChain, next.N)
	}
	return nil
}

// encode is the canonical form that the hash covers. Numbers are 8 bytes, big endian; a text is its length in bytes,
// then itself; details are their count, then key and value of each in the order of the keys' bytes.
func (r Record) encode() []byte {
	out := make([]byte, 0, 512)
	out = append(out, chainLabel...)
	out = append(out, r.Prev[:]...)
	out = binary.BigEndian.AppendUint64(out, uint64(r.N))
	out = binary.BigEndian.AppendUint64(out, uint64(r.At.UnixMicro()))
	for _, text := range []string{string(r.Action), r.Realm, r.Account, r.Session, r.Actor.Kind, r.Actor.ID, r.Outcome, r.From} {
		out = appendText(out, text)
	}
	out = binary.BigEndian.AppendUint64(out, uint64(len(r.Details)))
	for _, key := range slices.Sorted(maps.Keys(r.Details)) {
		out = appendText(appendText(out, key), r.Details[key])
	}
	return out
}

func appendText(out []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint64(out, uint64(len(text))), text...)
}

func (e Event) storable() Event {
	e.At = e.At.UTC().Truncate(time.Microsecond)
	e.Action = Action(storableText(string(e.Action)))
	for _, text := range []*string{&e.Realm, &e.Account, &e.Session, &e.Actor.Kind, &e.Actor.ID, &e.Outcome, &e.From} {
		*text = storableText(*text)
	}
	var details map[string]string // nil when there are none: a store cannot tell an empty map from none
	for key, value := range e.Details {
		if details == nil {
			details = make(map[string]string, len(e.Details))
		}
		details[storableText(key)] = storableText(value)
	}
	e.Details = details
	return e
}

// storableText replaces what PostgreSQL refuses and JSON cannot carry: NUL, and bytes that are not UTF-8.
func storableText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
