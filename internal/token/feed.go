package token

import "time"

// FeedPage is one answer of GET /revocations, and the data of one event of its stream.
type FeedPage struct {
	Epoch   string      `json:"epoch"`          // of the store; another one means "start over"
	N       int64       `json:"n"`              // newest number that the read saw; with Epoch it is the cursor
	ReadAt  int64       `json:"read_at"`        // when the store was read, microseconds since 1970, the server's clock
	More    bool        `json:"more,omitempty"` // there are entries above the last one here: ask again after it
	Entries []FeedEntry `json:"entries"`
}

// FeedEntry is one session, or one signing key, that is refused from now on.
type FeedEntry struct {
	N     int64  `json:"n"`
	ID    string `json:"id,omitempty"`  // FeedID, base64url; of a session
	KeyID string `json:"kid,omitempty"` // of a withdrawn key; then there is no ID and no Box
	Until int64  `json:"until"`         // seconds since 1970: drop the entry then
	Box   string `json:"box,omitempty"` // Ended, sealed under a key derived from the sid; base64url
}

// Forever is the until of a key's entry: whoever holds a stolen key can sign new tokens for ever.
const Forever = 253402300799 // 9999-12-31T23:59:59Z

// Ended is what a box holds.
type Ended struct {
	Reason string    // of package session
	At     time.Time // whole seconds
	By     string    // device class, for replaced
}
