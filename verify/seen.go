package verify

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync/atomic"

	"github.com/munjigi/munjigi/internal/token"
)

// ways is how many places a token can have. Two tokens that want the same ones cost each other a signature check.
const ways = 4

// seen is a token whose signature held, with what the token alone decides. Whatever depends on the moment, the service
// or the route is judged each time.
type seen struct {
	raw                  string
	issued, expires, nbf int64
	checked              int64
	session              token.SessionID
	feed                 feedKey
	claims               Claims
}

func newSeen(raw string, c token.Claims) *seen {
	return &seen{
		raw: strings.Clone(raw), issued: c.IssuedAt, expires: c.ExpiresAt, nbf: c.NotBefore, checked: c.CheckedAt,
		session: c.SessionID, feed: feedKeyOf(c.SessionID.FeedID()), claims: claimsOf(c),
	}
}

// table remembers tokens that have been seen. Looking one up takes no lock and writes nothing, so it scales with the
// cores. The hash is seeded, so nobody outside can aim at a place; and a hit compares the whole token, so a collision
// is a miss, never another's claims.
type table struct {
	seed  maphash.Seed
	slots []atomic.Pointer[seen]
	count atomic.Int64
}

func newTable(size int) *table {
	size = max(ways, 1<<bits.Len(uint(size-1))) // a power of two
	return &table{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[seen], size)}
}

func (t *table) places(hash uint64) []atomic.Pointer[seen] {
	first := int(hash) & (len(t.slots) - 1) &^ (ways - 1)
	return t.slots[first : first+ways]
}

func (t *table) find(raw string) *seen {
	places := t.places(maphash.String(t.seed, raw))
	for i := range places {
		if s := places[i].Load(); s != nil && s.raw == raw {
			return s
		}
	}
	return nil
}

// put remembers s in the place of a token that has expired, or else of one that the hash picks. Two callers that put
// the same token at once may take two places; that is only a waste.
func (t *table) put(s *seen, now int64) {
	hash := maphash.String(t.seed, s.raw)
	places := t.places(hash)
	victim := int(hash>>32) % ways
	for i := range places {
		old := places[i].Load()
		if old == nil || old.expires < now {
			victim = i
			break
		}
	}
	if places[victim].Swap(s) == nil {
		t.count.Add(1)
	}
}
