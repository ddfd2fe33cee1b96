package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/store/pack"
	"github.com/munjigi/munjigi/internal/token"
)

// End implements session.Store.
func (s *Store) End(ctx context.Context, id token.SessionID, e session.Ending) (session.Session, error) {
	return write(ctx, s, engine.Urgent, "end session", func(t *tx) (session.Session, error) {
		ended, err := t.endOne(id, e, "")
		if err != nil {
			return session.Session{}, err
		}
		if len(ended) == 0 {
			return t.session(id)
		}
		return ended[0], t.revokeAndRecord(ended, e)
	})
}

// EndAccount implements session.Store.
func (s *Store) EndAccount(ctx context.Context, account string, except token.SessionID, e session.Ending) ([]session.Session, error) {
	return write(ctx, s, engine.Urgent, "end sessions of account", func(t *tx) ([]session.Session, error) {
		ended, err := t.endAccount(account, except, e)
		if err != nil {
			return nil, err
		}
		return ended, t.revokeAndRecord(ended, e)
	})
}

// endOne ends a session that is live at e.At, and returns it alone; none when it is not. The rest is revoke's.
func (t *tx) endOne(id token.SessionID, e session.Ending, by string) ([]session.Session, error) {
	return engine.List(t, scanSession, `UPDATE sessions SET ended = $1
		WHERE id = $2 AND ended = '' AND ends_at > $3 AND idle_until > $3 RETURNING `+sessionReturned,
		pack.End(session.End{Reason: e.Reason, At: e.At, By: by}), id[:], micros(e.At))
}

// endAccount ends all of an account's live sessions but one. The account's row is changed first: a sign-in that runs
// at the same time either sees its session ended here, or begins after this.
func (t *tx) endAccount(account string, except token.SessionID, e session.Ending) ([]session.Session, error) {
	if err := t.raise(account); err != nil {
		return nil, err
	}
	ended, err := engine.List(t, scanSession, `UPDATE sessions SET ended = $1
		WHERE account = $2 AND ended = '' AND ends_at > $3 AND idle_until > $3 AND id <> $4 RETURNING `+sessionReturned,
		pack.End(session.End{Reason: e.Reason, At: e.At}), account, micros(e.At), except[:])
	slices.SortFunc(ended, func(a, b session.Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	return ended, err
}

// revokeAndRecord writes what every end leaves: an entry of the feed and an event for each session.
func (t *tx) revokeAndRecord(ended []session.Session, e session.Ending) error {
	events, err := t.revoke(ended, e)
	if err != nil {
		return err
	}
	return t.record(events...)
}

// revoke writes the entries of the feed, and returns the events.
func (t *tx) revoke(ended []session.Session, e session.Ending) ([]audit.Event, error) {
	entries := make([]token.FeedEntry, len(ended))
	events := make([]audit.Event, len(ended))
	for i, s := range ended {
		entries[i] = token.FeedEntry{
			ID:    feedIDText(s.ID.FeedID()),
			Until: revokedUntil(s),
			Box:   s.ID.SealEnd(token.Ended{Reason: string(s.Ended.Reason), At: s.Ended.At, By: s.Ended.By}),
		}
		events[i] = endedEvent(s, e)
	}
	return events, t.announce(entries)
}

// revokedUntil is counted from the session's last rotation when another node's clock made that later than the end.
func revokedUntil(s session.Session) int64 {
	at := s.Ended.At
	if s.Rotation.At.After(at) {
		at = s.Rotation.At
	}
	return session.RevocationUntil(at, s.AccessMax, token.Skew).Add(time.Second - 1).Unix()
}

func endedEvent(s session.Session, e session.Ending) audit.Event {
	details := map[string]string{"reason": string(s.Ended.Reason)}
	if s.Ended.By != "" {
		details["by"] = s.Ended.By
	}
	return audit.Event{
		At: e.At, Action: audit.SessionEnded, Realm: s.Realm, Account: s.Account, Session: s.ID.String(),
		Actor: e.Actor, From: e.From, Details: details,
	}
}
