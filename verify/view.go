package verify

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// feedKey is a token.FeedID as two numbers, which compare faster.
type feedKey struct{ high, low uint64 }

func feedKeyOf(id token.FeedID) feedKey {
	return feedKey{binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])}
}

func (k feedKey) less(other feedKey) bool {
	return k.high < other.high || k.high == other.high && k.low < other.low
}

type revocation struct {
	key   feedKey
	until int64
	box   string
}

// shelves hold the revocations by the first byte of their key. Keys are hashes, so the shelves grow evenly; a page of
// the feed copies only those that it touches, and all others are shared with the view before.
type shelves [256]shelf

// shelf is sorted by key. Nearly every key that is asked for is not there, and the filter says so at once: it has a
// bit set for each key, and at least filterBits times as many bits as there are keys.
type shelf struct {
	entries []revocation
	filter  []uint64
}

const filterBits = 8

func newShelf(entries []revocation) shelf {
	if len(entries) == 0 {
		return shelf{}
	}
	s := shelf{entries: entries, filter: make([]uint64, 1<<bits.Len(uint(len(entries)*filterBits/64)))}
	for _, entry := range entries {
		word, bit := s.place(entry.key)
		s.filter[word] |= bit
	}
	return s
}

func (s *shelf) place(key feedKey) (word int, bit uint64) {
	return int(key.low>>6) & (len(s.filter) - 1), 1 << (key.low & 63)
}

func (s *shelf) mayHold(key feedKey) bool {
	if len(s.filter) == 0 {
		return false
	}
	word, bit := s.place(key)
	return s.filter[word]&bit != 0
}

// view is what the verifier knows of ended sessions at one moment. It is never changed: a new one takes its place.
type view struct {
	shelves *shelves
	entries int
	epoch   string
	asOf    time.Time // when the store was read, by our own clock, or earlier; zero before the first page
}

// find is on the way of every request. A plain loop, because a comparing function that is passed in would be called.
func (v *view) find(key feedKey) (revocation, bool) {
	shelf := &v.shelves[key.high>>56]
	if !shelf.mayHold(key) {
		return revocation{}, false
	}
	entries := shelf.entries
	low, high := 0, len(entries)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if entries[middle].key.less(key) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(entries) && entries[low].key == key {
		return entries[low], true
	}
	return revocation{}, false
}

// with is a view that knows more. An entry that comes again, under a new epoch, takes the place of the one before.
func (v *view) with(more []revocation) *view {
	next := *v
	if len(more) == 0 {
		return &next
	}
	compare := func(a, b revocation) int {
		switch {
		case a.key.less(b.key):
			return -1
		case b.key.less(a.key):
			return 1
		}
		return 0
	}
	slices.SortStableFunc(more, compare)
	copied := *v.shelves
	for len(more) > 0 {
		number := more[0].key.high >> 56
		end := 1
		for end < len(more) && more[end].key.high>>56 == number {
			end++
		}
		merged := merge(copied[number].entries, more[:end])
		next.entries += len(merged) - len(copied[number].entries)
		copied[number] = newShelf(merged)
		more = more[end:]
	}
	next.shelves = &copied
	return &next
}

// merge makes one sorted shelf of two; of two entries for one session the later one stays.
func merge(old, more []revocation) []revocation {
	all := make([]revocation, 0, len(old)+len(more))
	for len(old) > 0 || len(more) > 0 {
		var next revocation
		if len(more) == 0 || len(old) > 0 && !more[0].key.less(old[0].key) {
			next, old = old[0], old[1:]
		} else {
			next, more = more[0], more[1:]
		}
		if last := len(all) - 1; last >= 0 && all[last].key == next.key {
			all[last] = next
			continue
		}
		all = append(all, next)
	}
	return all
}

// without drops what nobody needs any more: no token of these sessions can be alive.
func (v *view) without(before int64) *view {
	next, kept := *v, shelves{}
	next.entries = 0
	for i, shelf := range v.shelves {
		over := func(r revocation) bool { return r.until < before }
		if slices.ContainsFunc(shelf.entries, over) {
			shelf = newShelf(slices.Clip(slices.DeleteFunc(slices.Clone(shelf.entries), over)))
		}
		kept[i] = shelf
		next.entries += len(shelf.entries)
	}
	next.shelves = &kept
	return &next
}

// revocations reads the entries of a page: sessions, and the ids of withdrawn keys. An entry of neither kind is of a
// later version and is passed over; one that cannot be read spoils the page, for it may be a session that must die.
func revocations(page token.FeedPage) (sessions []revocation, keys []string, err error) {
	sessions = make([]revocation, 0, len(page.Entries))
	for _, entry := range page.Entries {
		switch {
		case entry.KeyID != "":
			keys = append(keys, entry.KeyID)
		case entry.ID != "":
			id, err := token.ParseFeedID(entry.ID)
			if err != nil {
				return nil, nil, fmt.Errorf("entry %d: %w", entry.N, err)
			}
			sessions = append(sessions, revocation{key: feedKeyOf(id), until: entry.Until, box: entry.Box})
		}
	}
	return sessions, keys, nil
}
