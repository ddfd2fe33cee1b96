package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/token"
)

// check verifies what must hold after every step, whatever the step was, as long as nothing was swept: no number of the
// feed is missing.
func check(t testing.TB, s *Store) {
	t.Helper()
	if n := checkFeed(t, s); n != checkHead(t, s) {
		t.Errorf("feed: %d entries, but the head counts %d", n, checkHead(t, s))
	}
	checkAll(t, s, false)
}

// checkSwept is check for a store from which entries that are over may have been deleted.
func checkSwept(t testing.TB, s *Store) {
	t.Helper()
	checkFeed(t, s)
	checkAll(t, s, true)
}

func checkAll(t testing.TB, s *Store, swept bool) {
	t.Helper()
	checkSessions(t, s, checkAudit(t, s), swept)
	checkGrants(t, s)
}

func checkHead(t testing.TB, s *Store) (n int64) {
	t.Helper()
	if err := s.db.Row(t.Context(), `SELECT n FROM feed_head`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// checkFeed: numbers rise without repeats up to the head. It returns how many entries there are.
func checkFeed(t testing.TB, s *Store) int64 {
	t.Helper()
	page := mustRevocations(t, s, 0)
	if page.N != checkHead(t, s) {
		t.Errorf("feed: page says %d, head %d", page.N, checkHead(t, s))
	}
	last := int64(0)
	for _, e := range page.Entries {
		if e.N <= last || e.N > page.N {
			t.Errorf("feed: entry %d after %d, head %d", e.N, last, page.N)
		}
		last = e.N
	}
	return int64(len(page.Entries))
}

func mustRevocations(t testing.TB, s *Store, after int64) token.FeedPage {
	t.Helper()
	page, err := s.Revocations(t.Context(), after, start.AddDate(-1, 0, 0), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// checkAudit: the chain is whole, and its head is its end. It returns why each session ended.
func checkAudit(t testing.TB, s *Store) map[string]string {
	t.Helper()
	records, err := s.Records(t.Context(), 0, 10_000_000)
	if err != nil {
		t.Fatal(err)
	}
	ended := map[string]string{}
	prev := audit.Record{}
	for _, r := range records {
		if err := audit.Verify(prev, r); err != nil {
			t.Fatal(err)
		}
		prev = r
		if r.Action != audit.SessionEnded {
			continue
		}
		if before, twice := ended[r.Session]; twice {
			t.Errorf("session %s ended twice: %s, then %s", r.Session, before, r.Details["reason"])
		}
		ended[r.Session] = r.Details["reason"] + "/" + r.Details["by"]
	}
	var n int64
	var head []byte
	if err := s.db.Row(t.Context(), `SELECT n, hash FROM audit_head`).Scan(&n, &head); err != nil {
		t.Fatal(err)
	}
	if n != prev.N || [32]byte(head) != prev.Hash {
		t.Errorf("audit: head is number %d, last record %d", n, prev.N)
	}
	return ended
}

// checkSessions: who ended has the event that says so, and exactly one entry of the feed, unless it just expired; who
// lives has neither.
func checkSessions(t testing.TB, s *Store, events map[string]string, swept bool) {
	t.Helper()
	entries := map[string][]token.FeedEntry{}
	for _, e := range mustRevocations(t, s, 0).Entries {
		entries[e.ID] = append(entries[e.ID], e)
	}
	for _, row := range allSessions(t, s) {
		event, told := events[row.ID.String()]
		found := entries[feedIDText(row.ID.FeedID())]
		if row.Ended == nil {
			if told || len(found) != 0 {
				t.Errorf("session %s lives, but has %d entries and the event %q", row.ID, len(found), event)
			}
			continue
		}
		if want := string(row.Ended.Reason) + "/" + row.Ended.By; event != want {
			t.Errorf("session %s: event says %q, row says %q", row.ID, event, want)
		}
		switch {
		case row.Ended.Reason == session.Expired && len(found) != 0:
			t.Errorf("session %s expired, but has %d entries", row.ID, len(found))
		case row.Ended.Reason != session.Expired && (len(found) != 0 || !swept):
			checkEntry(t, row, found)
		}
	}
}

func checkEntry(t testing.TB, row session.Session, found []token.FeedEntry) {
	t.Helper()
	if len(found) != 1 {
		t.Errorf("session %s ended as %s: got %d entries, want 1", row.ID, row.Ended.Reason, len(found))
		return
	}
	end, err := row.ID.OpenEnd(found[0].Box)
	if err != nil || end.Reason != string(row.Ended.Reason) || end.By != row.Ended.By || end.At.Unix() != row.Ended.At.Unix() {
		t.Errorf("session %s: box says %+v, %v; row says %+v", row.ID, end, err, *row.Ended)
	}
	alive := row.Rotation.At.Add(row.AccessMax) // an access token of the last rotation
	if found[0].Until < alive.Add(token.Skew).Unix() {
		t.Errorf("session %s: entry until %d, but a token lives until %v", row.ID, found[0].Until, alive)
	}
	if row.AccessMax < row.Rotation.Access {
		t.Errorf("session %s: access_max %v, but %v was signed", row.ID, row.AccessMax, row.Rotation.Access)
	}
}

// checkGrants: every grant opens where it stands.
func checkGrants(t testing.TB, s *Store) {
	t.Helper()
	grants, err := engine.List(s.db.In(t.Context()), scanGrant, `SELECT `+grantColumns+` FROM grants g JOIN accounts a ON a.id = g.account WHERE g.token IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range grants {
		if _, err := s.grant(g); err != nil {
			t.Errorf("grant of %s: %v", g.who.ID, err)
		}
	}
}

func allSessions(t testing.TB, s *Store) []session.Session {
	t.Helper()
	rows, err := engine.List(s.db.In(t.Context()), scanSession, `SELECT `+sessionColumns+` FROM sessions s ORDER BY s.seq`)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// dump is everything in the database, to see whether something changed.
func dump(t testing.TB, s *Store) string {
	t.Helper()
	var out strings.Builder
	for _, table := range []string{
		"feed_head", "audit_head", "keys_head", "lineage", "accounts", "sessions", "grants", "gone", "waves",
		"revocations", "audit", "signing_keys", "secrets", "attempts", "members", "guesses", "links",
	} {
		rows, err := s.db.In(t.Context()).Query(`SELECT * FROM ` + table + ` ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(&out, table)
			for _, cell := range cells {
				fmt.Fprint(&out, " ", textOf(*cell.(*any)))
			}
			fmt.Fprintln(&out)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// textOf shows what can be read in a column.
func textOf(cell any) string {
	if bytes, ok := cell.([]byte); ok {
		return fmt.Sprintf("%q", bytes)
	}
	return fmt.Sprint(cell)
}
