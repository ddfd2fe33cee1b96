package store

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/store/engine"
	"github.com/munjigi/munjigi/internal/token"
)

func TestSQLite(t *testing.T) {
	testStore(t, func(t *testing.T) *Store { return mustOpen(t, sqliteAt(t.TempDir())) })
}

func TestPostgres(t *testing.T) {
	s := mustOpen(t, postgresFor(t)) // one for all: making tables and connections takes longer than most of the tests
	testStore(t, func(t *testing.T) *Store {
		mustEmpty(t, s)
		s.walk.session, s.walk.grant = 0, ""
		return s
	})
}

// mustEmpty makes a database what it was when its tables were new.
func mustEmpty(t *testing.T, s *Store) {
	t.Helper()
	tables, err := engine.List(s.db.In(t.Context()), scanText, `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
		AND tablename NOT IN ('migrations', 'munjigi_turn', 'canary', 'guess_key', 'feed_head', 'audit_head', 'keys_head', 'lineage')`)
	if err != nil || len(tables) < 10 {
		t.Fatal(tables, err)
	}
	if err := s.db.Do(t.Context(), engine.Usual, func(t *engine.Tx) error {
		return t.Script(`SET session_replication_role = replica; DELETE FROM ` + strings.Join(tables, "; DELETE FROM ") + `;
			SET session_replication_role = DEFAULT; ALTER SEQUENCE sessions_seq_seq RESTART;
			UPDATE feed_head SET n = 0; UPDATE audit_head SET n = 0, hash = decode(repeat('00', 32), 'hex'); UPDATE keys_head SET version = 0;
			UPDATE lineage SET rolled_back_at = 0, recovered_at = 0`)
	}); err != nil {
		t.Fatal(err)
	}
}

// testStore is what every engine must do. open gives an empty store.
func testStore(t *testing.T, open func(*testing.T) *Store) {
	for name, test := range map[string]func(*testing.T, *Store){
		"begin and read back":                testBegin,
		"begin again with the same session":  testBeginTwice,
		"begin raises the version":           testBeginVersion,
		"begin ends what was brought":        testBrought,
		"begin when the account is full":     testLimit,
		"begin in place of a chosen one":     testChosen,
		"begin when several are too many":    testChosenOfSeveral,
		"tickets for one place at once":      testParallelChosen,
		"begin with a disabled account":      testDisabled,
		"100 sign-ins at once, one survives": testParallelBegin,
		"100 from two classes of device":     testParallelClasses,
		"rotate":                             testRotate,
		"rotate in parallel: one lineage":    testParallelRotate,
		"rotate after the end":               testRotateEnded,
		"end once, for one reason":           testEnd,
		"end what has expired":               testEndExpired,
		"end all of an account but one":      testEndAccount,
		"sessions of an account":             testSessions,
		"no session survives a race":         testEndRaces,
		"feed pages":                         testFeedPages,
		"feed until":                         testFeedUntil,
		"sweep":                              testSweep,
		"sweep meets a renewal and an end":   testSweepRace,
		"sweep walks on":                     testSweepWalk,
		"directory":                          testDirectory,
		"import members":                     testImport,
		"import members anew":                testImportUpdates,
		"import the same members at once":    testImportsAtOnce,
		"attempts work once":                 testConsume,
		"legacy tokens work once":            testLegacy,
		"a legacy token and its session":     testLegacyOutlivesItsSession,
		"a legacy token that was not used":   testLegacyOfARefusedSignIn,
		"50 exchanges of one legacy token":   testLegacyRace,
		"sweep legacy tokens":                testSweepLegacy,
		"secret of legacy tokens":            testLegacySecret,
		"members":                            testMembers,
		"hashes stay where they are":         testHashesStay,
		"begin as a member":                  testEnter,
		"set a password":                     testSetPassword,
		"disable an account":                 testSetDisabled,
		"sign-ins meet a change and an end":  testEnterRaces,
		"guesses":                            testGuesses,
		"200 guesses at once":                testParallelGuesses,
		"sweep guesses":                      testSweepGuesses,
		"audit":                              testAudit,
		"keys":                               testKeys,
		"keys changed at once":               testKeysRace,
		"lineage":                            testLineage,
		"recover":                            testRecover,
		"counts":                             testCounts,
		"leases":                             testLeases,
		"leases in parallel":                 testParallelLeases,
		"intent":                             testIntent,
		"a lease is lost":                    testLeaseIsLost,
		"a grant given back":                 testRelease,
		"a clock that was ahead":             testClockWasAhead,
		"sign-in without a grant":            testBeginWithoutAGrant,
		"a token that came with a no":        testHeldToken,
		"confirm":                            testConfirm,
		"gone":                               testGone,
		"a verdict on an old grant":          testStaleVerdict,
		"wave confirmed":                     testWaveConfirmed,
		"wave of the whole company":          testLargeWave,
		"wave dismissed":                     testWaveDismissed,
		"a grant rests without a session":    testRestingGrant,
		"a link sets a password":             testLink,
		"links that are of no use":           testUselessLinks,
		"links used at once":                 testParallelLinks,
		"a link makes an account":            testSignUpLink,
		"so many links of a login":           testLinkLimit,
		"sweep links":                        testSweepLinks,
		"random steps":                       testRandomSteps,
		"a context that has ended":           testEndedContext,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			test(t, s)
			if !t.Failed() {
				checkSwept(t, s)
			}
		})
	}
}

func wantCode(t testing.TB, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("got code %q (%v), want %q", got, err, want)
	}
}

func testBegin(t *testing.T, s *Store) {
	b := beginning("kim", start)
	b.Session.Rotation.Roles = []string{"admin", "viewer"}
	row, who := mustBegin(t, s, b)
	check(t, s)

	want := b.Session
	want.Account = b.Account.ID
	micro := start.Truncate(time.Microsecond)
	want.StartedAt, want.EndsAt = micro, micro.Add(longest)
	want.Rotation.At, want.Rotation.IdleUntil, want.Rotation.CheckedAt = micro, micro.Add(idle), micro
	if diff := cmp.Diff(want, row); diff != "" {
		t.Errorf("begun (-want +got):\n%s", diff)
	}
	read, owner, err := s.Session(t.Context(), row.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(row, read); diff != "" {
		t.Errorf("read back (-begun +read):\n%s", diff)
	}
	if diff := cmp.Diff(who, owner); diff != "" {
		t.Errorf("account (-begun +read):\n%s", diff)
	}
	if who.Version != 1 || who.ID != b.Account.ID || !who.CheckedAt.Equal(micro) {
		t.Errorf("account: got %+v", who)
	}
	events, err := s.Records(t.Context(), 0, 10)
	if err != nil || len(events) != 1 || events[0].Account != who.ID || events[0].Session != row.ID.String() {
		t.Errorf("events: got %+v, %v", events, err)
	}
	_, _, err = s.Session(t.Context(), token.NewSessionID())
	wantCode(t, err, fault.SessionUnknown)
}

// Whoever got no answer asks again: that must neither make a second session nor displace anybody again.
func testBeginTwice(t *testing.T, s *Store) {
	b := beginning("kim", start)
	b.Policy.PerAccount = 1
	first, _ := mustBegin(t, s, b)
	again, _ := mustBegin(t, s, b)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("repeated (-first +again):\n%s", diff)
	}
	other := beginning("kim", start.Add(time.Minute))
	other.Policy.PerAccount = 1
	mustBegin(t, s, other)
	late, _ := mustBegin(t, s, b) // repeated after somebody else took over
	if late.Ended == nil || late.Ended.Reason != session.Replaced {
		t.Errorf("repeated after replacement: got %+v", late.Ended)
	}
	live, err := s.Sessions(t.Context(), first.Account, start.Add(time.Hour))
	if err != nil || len(live) != 1 || live[0].ID != other.Session.ID {
		t.Errorf("live: got %v, %v", live, err)
	}
	check(t, s)
}

func testBeginVersion(t *testing.T, s *Store) {
	_, first := mustBegin(t, s, beginning("kim", start))
	b := beginning("kim", start.Add(time.Hour))
	b.Account.Email, b.Account.Roles = "new@example.com", nil
	_, second := mustBegin(t, s, b)
	if second.ID != first.ID || second.Version != first.Version+1 || second.Email != "new@example.com" || second.Roles == nil {
		t.Errorf("second sign-in: got %+v after %+v", second, first)
	}
	// The same subject in another realm, or of another issuer, is somebody else.
	elsewhere := beginning("kim", start)
	elsewhere.Account.Realm, elsewhere.Session.Realm = "members", "members"
	if _, other := mustBegin(t, s, elsewhere); other.ID == first.ID {
		t.Error("another realm: got the same account")
	}
	foreign := beginning("kim", start)
	foreign.Account.Issuer = "https://other.example.com"
	if _, other := mustBegin(t, s, foreign); other.ID == first.ID {
		t.Error("another issuer: got the same account")
	}
}

func testBrought(t *testing.T, s *Store) {
	old, _ := mustBegin(t, s, beginning("kim", start))
	b := beginning("lee", start.Add(time.Minute)) // another person in the same browser
	b.Brought = &old.ID
	mustBegin(t, s, b)
	row, _, err := s.Session(t.Context(), old.ID)
	if err != nil || row.Ended == nil || row.Ended.Reason != session.SignedOut {
		t.Errorf("brought: got %+v, %v", row.Ended, err)
	}
	full := beginning("lee", start.Add(time.Minute)) // again in this browser: it makes room for itself
	full.Policy, full.Brought = session.Policy{PerAccount: 1, WhenFull: session.Refuse}, &b.Session.ID
	mustBegin(t, s, full)
	unknown := token.NewSessionID()
	b = beginning("lee", start.Add(time.Minute))
	b.Brought = &unknown
	mustBegin(t, s, b) // a cookie of a session that was swept away long ago hinders nobody
	check(t, s)
}

func testLimit(t *testing.T, s *Store) {
	oldest, who := mustBegin(t, s, beginning("kim", start))
	middle, _ := mustBegin(t, s, beginning("kim", start.Add(time.Minute)))
	b := beginning("kim", start.Add(2*time.Minute))
	b.Policy = session.Policy{PerAccount: 2, WhenFull: session.Refuse}
	b.Account.Email = "moved@example.com"
	b.Brought = &middle.ID // makes room, and lives on where there is none all the same
	b.Policy.PerAccount = 1
	_, _, err := s.Begin(t.Context(), b)
	wantCode(t, err, fault.SessionLimit)
	b.Brought, b.Policy.PerAccount = nil, 2
	_, _, err = s.Begin(t.Context(), b)
	wantCode(t, err, fault.SessionLimit)
	refusal, _ := errors.AsType[*fault.Error](err)
	if live, ok := refusal.Sessions.([]session.Session); !ok || len(live) != 2 {
		t.Errorf("session_limit bears %v", refusal.Sessions)
	}
	if live := allSessions(t, s); len(live) != 2 || live[0].Ended != nil || live[1].Ended != nil {
		t.Errorf("a refused sign-in changed sessions: %v", live)
	}
	// Whoever was refused proved who they are: what the provider said is kept, and its grant, which may be the only one
	// that it still honours.
	_, kept, err := s.Session(t.Context(), oldest.ID)
	if err != nil || kept.Email != "moved@example.com" {
		t.Errorf("profile: got %+v, %v", kept, err)
	}
	if g, ok, err := s.Lease(t.Context(), who.ID, start.Add(time.Hour), start.Add(2*time.Hour)); err != nil || !ok || g.Version != 4 {
		t.Errorf("grant: got version %d, %v, %v; want the fourth sign-in's", g.Version, ok, err)
	}
	b.Policy.WhenFull = session.Replace
	b.Session.Device = "Firefox on Linux"
	mustBegin(t, s, b)
	row, _, err := s.Session(t.Context(), oldest.ID)
	if err != nil || row.Ended == nil || *row.Ended != (session.End{Reason: session.Replaced, At: start.Add(2 * time.Minute).Truncate(time.Microsecond), By: "Firefox on Linux"}) {
		t.Errorf("oldest: got %+v, %v", row.Ended, err)
	}
	live, err := s.Sessions(t.Context(), who.ID, start.Add(time.Hour))
	if err != nil || len(live) != 2 || live[0].ID != b.Session.ID || live[1].ID != middle.ID {
		t.Errorf("live: got %v, %v", live, err)
	}
	check(t, s)
}

// testChosen: the session that a person chose to end makes room, in the transaction of the one that takes its place.
func testChosen(t *testing.T, s *Store) {
	pc, who := mustBegin(t, s, beginning("kim", start))
	phone := beginning("kim", start)
	phone.Session.Device = "Safari on iOS"
	mustBegin(t, s, phone)
	b := beginning("kim", start.Add(time.Minute))
	b.Policy = session.Policy{PerDeviceClass: 1, WhenFull: session.Refuse}
	b.Session.Device = "Firefox on Linux"
	b.End = &phone.Session.ID // of another class: it would not help
	_, _, err := s.Begin(t.Context(), b)
	wantCode(t, err, fault.SessionLimit)
	if refusal, _ := errors.AsType[*fault.Error](err); len(refusal.Sessions.([]session.Session)) != 1 {
		t.Errorf("session_limit bears %v", refusal.Sessions)
	}
	b.End = &pc.ID
	mustBegin(t, s, b)
	again, _ := mustBegin(t, s, b) // its answer was lost
	row, _, err := s.Session(t.Context(), pc.ID)
	if err != nil || row.Ended == nil || row.Ended.Reason != session.Replaced || row.Ended.By != "Firefox on Linux" {
		t.Errorf("chosen: got %+v, %v", row.Ended, err)
	}
	live, err := s.Sessions(t.Context(), who.ID, start.Add(time.Hour))
	if err != nil || len(live) != 2 || live[0].ID != again.ID || live[1].ID != phone.Session.ID {
		t.Errorf("live: got %v, %v", live, err)
	}
	b = beginning("kim", start.Add(2*time.Minute))
	b.Policy = session.Policy{PerDeviceClass: 1, WhenFull: session.Refuse}
	b.End = &pc.ID // which has ended meanwhile, and the place is taken
	_, _, err = s.Begin(t.Context(), b)
	wantCode(t, err, fault.SessionLimit)
	b.Session.ID, b.End = token.NewSessionID(), &again.ID
	if _, err := s.End(t.Context(), again.ID, ending(session.SignedOut, start.Add(2*time.Minute))); err != nil {
		t.Fatal(err)
	}
	mustBegin(t, s, b) // it has ended meanwhile, and so there is room
	row, _, err = s.Session(t.Context(), again.ID)
	if err != nil || row.Ended == nil || row.Ended.Reason != session.SignedOut {
		t.Errorf("signed out before it was chosen: got %+v, %v", row.Ended, err)
	}
	check(t, s)
}

// testChosenOfSeveral: after a limit was lowered one choice is not enough; each comes nearer.
func testChosenOfSeveral(t *testing.T, s *Store) {
	var first [3]session.Session
	for i := range first {
		first[i], _ = mustBegin(t, s, beginning("kim", start.Add(time.Duration(i)*time.Second)))
	}
	for i, want := range []fault.Code{fault.SessionLimit, fault.SessionLimit, ""} {
		b := beginning("kim", start.Add(time.Minute))
		b.Policy, b.End = session.Policy{PerAccount: 1, WhenFull: session.Refuse}, &first[i].ID
		_, _, err := s.Begin(t.Context(), b)
		wantCode(t, err, want)
		check(t, s)
		row, _, err := s.Session(t.Context(), first[i].ID)
		if err != nil || row.Ended == nil || row.Ended.Reason != session.Replaced {
			t.Errorf("choice %d: got %+v, %v", i, row.Ended, err)
		}
	}
}

// testParallelChosen: many tickets for one place, used at once. One gets in.
func testParallelChosen(t *testing.T, s *Store) {
	old, who := mustBegin(t, s, beginning("kim", start))
	var in, refused atomic.Int64
	inParallelDo(50, func(i int) {
		b := beginning("kim", start.Add(time.Minute+time.Duration(i)))
		b.Policy, b.End = session.Policy{PerAccount: 1, WhenFull: session.Refuse}, &old.ID
		switch _, _, err := s.Begin(context.WithoutCancel(t.Context()), b); fault.CodeOf(err) {
		case "":
			in.Add(1)
		case fault.SessionLimit:
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	live, err := s.Sessions(t.Context(), who.ID, start.Add(time.Hour))
	if in.Load() != 1 || refused.Load() != 49 || err != nil || len(live) != 1 {
		t.Errorf("%d in, %d refused, %d alive, %v", in.Load(), refused.Load(), len(live), err)
	}
	check(t, s)
}

func testDisabled(t *testing.T, s *Store) {
	row, who := mustBegin(t, s, beginning("kim", start))
	mustExec(t, s, `UPDATE accounts SET disabled = 1 WHERE id = $1`, who.ID)
	stood, err := s.Rotate(t.Context(), row.ID, 0, rotated(row, start.Add(time.Minute)), nil, nil)
	if err != nil || stood.Rotation.Generation != 0 {
		t.Errorf("a disabled account's session was rotated: %+v, %v", stood.Rotation, err)
	}
	before := dump(t, s)
	_, _, err = s.Begin(t.Context(), beginning("kim", start.Add(time.Hour)))
	wantCode(t, err, fault.SessionCutOff)
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a refused sign-in changed something:\n%s", diff)
	}
}

func mustExec(t testing.TB, s *Store, query string, args ...any) {
	t.Helper()
	if err := s.db.Do(t.Context(), engine.Usual, func(t *engine.Tx) error { return t.Exec(query, args...) }); err != nil {
		t.Fatal(err)
	}
}

// inParallelDo calls do n times at once and waits for all.
func inParallelDo(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

func testParallelBegin(t *testing.T, s *Store) {
	const callers = 100
	begun := make([]session.Session, callers)
	inParallelDo(callers, func(i int) {
		b := beginning("kim", start.Add(time.Duration(i)*time.Microsecond))
		b.Policy.PerAccount = 1
		b.Session.Device = "device " + string(rune('A'+i%26)) + string(rune('A'+i/26))
		row, _, err := s.Begin(context.WithoutCancel(t.Context()), b)
		if err != nil {
			t.Errorf("begin %d: %v", i, err)
		}
		begun[i] = row
	})
	check(t, s)
	live, err := s.Sessions(t.Context(), begun[0].Account, start.Add(time.Second))
	if err != nil || len(live) != 1 {
		t.Fatalf("live: got %d, %v, want 1", len(live), err)
	}
	// Each loser was displaced by a device that signed in, and each device but the survivor's displaced one at most.
	by := map[string]int{}
	for _, row := range allSessions(t, s) {
		if row.Ended == nil {
			continue
		}
		if row.Ended.Reason != session.Replaced || row.Ended.By == row.Device {
			t.Errorf("session of %s: ended %+v", row.Device, row.Ended)
		}
		by[row.Ended.By]++
	}
	if len(by) != callers-1 {
		t.Errorf("got %d devices that displaced another, want %d", len(by), callers-1)
	}
}

// testParallelClasses: a PC and a phone stay, the newest of each, and each loser made way for one of its own class.
func testParallelClasses(t *testing.T, s *Store) {
	devices := [2]string{"Chrome on Windows", "Chrome on Android"}
	var account string
	var mu sync.Mutex // guards account
	inParallelDo(100, func(i int) {
		b := beginning("kim", start.Add(time.Duration(i)*time.Microsecond))
		b.Policy.PerDeviceClass = 1
		b.Session.Device = devices[i%2]
		row, _, err := s.Begin(context.WithoutCancel(t.Context()), b)
		if err != nil {
			t.Errorf("begin %d: %v", i, err)
		}
		mu.Lock()
		defer mu.Unlock()
		account = row.Account
	})
	check(t, s)
	live, err := s.Sessions(t.Context(), account, start.Add(time.Second))
	if err != nil || len(live) != 2 || live[0].Device == live[1].Device {
		t.Fatalf("live: got %v, %v, want one of each class", live, err)
	}
	for _, row := range allSessions(t, s) {
		if row.Ended != nil && (row.Ended.Reason != session.Replaced || row.Ended.By != row.Device) {
			t.Errorf("session on %s: ended %+v", row.Device, row.Ended)
		}
	}
}

func testRotate(t *testing.T, s *Store) {
	begun := beginning("kim", start)
	begun.Account.Name, begun.Account.Roles = "김 씨", []string{}
	row, owner := mustBegin(t, s, begun)
	next := rotated(row, start.Add(time.Hour))
	next.Access, next.Profile = 30*time.Minute, owner.Profile
	lost := []time.Time{start.Add(time.Minute).Truncate(time.Microsecond)}
	event := audit.Event{At: start.Add(time.Hour), Action: audit.AnswerLost, Details: map[string]string{"count": "1"}}
	got, err := s.Rotate(t.Context(), row.ID, 0, next, lost, &event)
	if err != nil {
		t.Fatal(err)
	}
	want := row
	want.Rotation, want.Lost, want.AccessMax = normalRotation(next), lost, 30*time.Minute
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rotated (-want +got):\n%s", diff)
	}
	read, _, err := s.Session(t.Context(), row.ID)
	if diff := cmp.Diff(got, read); diff != "" || err != nil {
		t.Errorf("read back (-rotated +read), %v:\n%s", err, diff)
	}
	// Too late: another has rotated. Nothing changes, nothing is recorded.
	before := dump(t, s)
	late, err := s.Rotate(t.Context(), row.ID, 0, rotated(row, start.Add(2*time.Hour)), nil, &event)
	if diff := cmp.Diff(read, late); diff != "" || err != nil {
		t.Errorf("late rotation (-row +got), %v:\n%s", err, diff)
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a late rotation changed something:\n%s", diff)
	}
	// Whoever read the account before it changed would sign what is no more.
	for name, change := range map[string]func(*session.Rotation){
		"email":      func(r *session.Rotation) { r.Email = "other@example.com" },
		"name":       func(r *session.Rotation) { r.Name = "other" },
		"roles":      func(r *session.Rotation) { r.Roles = []string{"admin"} },
		"checked_at": func(r *session.Rotation) { r.CheckedAt = r.CheckedAt.Add(time.Second) },
	} {
		outdated := rotated(read, start.Add(2*time.Hour))
		change(&outdated)
		if stood, err := s.Rotate(t.Context(), row.ID, 1, outdated, nil, nil); err != nil || stood.Rotation.Generation != 1 {
			t.Errorf("rotation with an outdated %s: got %+v, %v, want the row as it was", name, stood.Rotation, err)
		}
	}
	// access_max never falls.
	last, err := s.Rotate(t.Context(), row.ID, 1, rotated(read, start.Add(2*time.Hour)), nil, nil)
	if err != nil || last.AccessMax != 30*time.Minute || last.Lost != nil || last.Rotation.Generation != 2 {
		t.Errorf("second rotation: got %+v, %v", last, err)
	}
	shorter := rotated(last, start.Add(3*time.Hour))
	shorter.Access = time.Minute
	if last, err = s.Rotate(t.Context(), row.ID, 2, shorter, nil, nil); err != nil || last.AccessMax != 30*time.Minute {
		t.Errorf("shorter access: got %v, %v", last.AccessMax, err)
	}
	_, err = s.Rotate(t.Context(), token.NewSessionID(), 0, next, nil, nil)
	wantCode(t, err, fault.SessionUnknown)
}

func testParallelRotate(t *testing.T, s *Store) {
	row, _ := mustBegin(t, s, beginning("kim", start))
	for round := range 20 {
		won := make([]bool, 64)
		bodies := make([]session.Session, len(won))
		inParallelDo(len(won), func(i int) {
			next := rotated(row, start.Add(time.Duration(round)*time.Minute))
			next.MACKeyID = uint32(i)
			got, err := s.Rotate(context.WithoutCancel(t.Context()), row.ID, row.Rotation.Generation, next, nil, nil)
			if err != nil {
				t.Errorf("rotate: %v", err)
			}
			won[i], bodies[i] = got.Rotation.MACKeyID == uint32(i), got
		})
		winners := 0
		for i := range won {
			if won[i] {
				winners++
			}
			if diff := cmp.Diff(bodies[0], bodies[i]); diff != "" {
				t.Fatalf("two answers (-0 +%d):\n%s", i, diff)
			}
		}
		if winners != 1 || bodies[0].Rotation.Generation != int64(round+1) {
			t.Fatalf("round %d: %d winners, generation %d", round, winners, bodies[0].Rotation.Generation)
		}
		row = bodies[0]
	}
}

func testRotateEnded(t *testing.T, s *Store) {
	row, _ := mustBegin(t, s, beginning("kim", start))
	ended, err := s.End(t.Context(), row.ID, ending(session.Revoked, start.Add(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Rotate(t.Context(), row.ID, 0, rotated(row, start.Add(time.Hour)), nil, nil)
	if diff := cmp.Diff(ended, got); diff != "" || err != nil {
		t.Errorf("rotated after the end (-ended +got), %v:\n%s", err, diff)
	}
}

func testEnd(t *testing.T, s *Store) {
	row, _ := mustBegin(t, s, beginning("kim", start))
	reasons := []session.Reason{session.SignedOut, session.Revoked, session.Reused, session.CutOff}
	got := make([]session.Session, 32)
	inParallelDo(len(got), func(i int) {
		e := ending(reasons[i%len(reasons)], start.Add(time.Duration(i+1)*time.Second))
		var err error
		if got[i], err = s.End(context.WithoutCancel(t.Context()), row.ID, e); err != nil {
			t.Errorf("end: %v", err)
		}
	})
	for i := range got {
		if diff := cmp.Diff(got[0], got[i]); diff != "" || got[i].Ended == nil {
			t.Errorf("two ends (-0 +%d):\n%s", i, diff)
		}
	}
	_, err := s.End(t.Context(), token.NewSessionID(), ending(session.Revoked, start))
	wantCode(t, err, fault.SessionUnknown)
	check(t, s)
}

func testEndExpired(t *testing.T, s *Store) {
	row, _ := mustBegin(t, s, beginning("kim", start))
	got, err := s.End(t.Context(), row.ID, ending(session.Revoked, start.Add(idle)))
	if err != nil || got.Ended != nil {
		t.Errorf("expired: got %+v, %v; want it left alone", got.Ended, err)
	}
	if n := checkHead(t, s); n != 0 {
		t.Errorf("feed: got %d entries", n)
	}
}

func testEndAccount(t *testing.T, s *Store) {
	kept, who := mustBegin(t, s, beginning("kim", start))
	second, _ := mustBegin(t, s, beginning("kim", start.Add(time.Minute)))
	third, _ := mustBegin(t, s, beginning("kim", start.Add(2*time.Minute)))
	other, _ := mustBegin(t, s, beginning("lee", start))
	ended, err := s.EndAccount(t.Context(), who.ID, kept.ID, ending(session.Revoked, start.Add(time.Hour)))
	if err != nil || len(ended) != 2 || ended[0].ID != second.ID || ended[1].ID != third.ID || ended[0].Ended == nil {
		t.Errorf("ended: got %v, %v", ended, err)
	}
	for _, id := range []token.SessionID{kept.ID, other.ID} {
		if row, _, err := s.Session(t.Context(), id); err != nil || row.Ended != nil {
			t.Errorf("session %s: got %+v, %v, want it live", id, row.Ended, err)
		}
	}
	if _, after, err := s.Session(t.Context(), kept.ID); err != nil || after.Version != 4 {
		t.Errorf("version: got %d, %v, want 4", after.Version, err)
	}
	ended, err = s.EndAccount(t.Context(), who.ID, token.SessionID{}, ending(session.Revoked, start.Add(time.Hour)))
	if err != nil || len(ended) != 1 {
		t.Errorf("the rest: got %v, %v", ended, err)
	}
	check(t, s)
}

func testSessions(t *testing.T, s *Store) {
	first, who := mustBegin(t, s, beginning("kim", start))
	second, _ := mustBegin(t, s, beginning("kim", start.Add(idle/2)))
	for at, want := range map[time.Duration][]token.SessionID{
		idle / 2:     {second.ID, first.ID},
		idle:         {second.ID}, // the first is idle
		2 * idle:     nil,
		longest * 10: nil,
	} {
		live, err := s.Sessions(t.Context(), who.ID, start.Add(at))
		var got []token.SessionID
		for _, row := range live {
			got = append(got, row.ID)
		}
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("after %v: got %v, %v, want %v", at, got, err, want)
		}
	}
}

// After all sessions of an account were ended, one that began before is not live, whatever ran at the same time.
func testEndRaces(t *testing.T, s *Store) {
	ctx := context.WithoutCancel(t.Context())
	for round := range 20 {
		subject := token.NewID()
		_, who := mustBegin(t, s, beginning(subject, start))
		grant, ok, err := s.Lease(ctx, who.ID, start, start.Add(time.Minute))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		var raised sync.Map // version at which somebody ended everything
		inParallelDo(8, func(i int) {
			switch i % 4 {
			case 0:
				if _, err := s.EndAccount(ctx, who.ID, token.SessionID{}, ending(session.Revoked, start.Add(time.Minute))); err != nil {
					t.Error(err)
				}
			case 1:
				if _, err := s.Gone(ctx, grant, ending(session.CutOff, start.Add(time.Minute)), audit.Event{Action: audit.PersonGone}); err != nil {
					t.Error(err)
				}
			default:
				row, now, err := s.Begin(ctx, beginning(subject, start.Add(time.Second)))
				if err != nil {
					t.Error(err)
				}
				raised.Store(now.Version, row.ID)
			}
		})
		check(t, s)
		last := int64(0)
		if err := s.db.Row(ctx, `SELECT version FROM accounts WHERE id = $1`, who.ID).Scan(&last); err != nil {
			t.Fatal(err)
		}
		// Versions are the order of all that happened to the account: what began after the last end lives, and no other.
		for version := last; version > 1; version-- {
			id, began := raised.Load(version)
			if !began {
				break
			}
			raised.Delete(version)
			if row, _, err := s.Session(ctx, id.(token.SessionID)); err != nil || row.Ended != nil {
				t.Errorf("round %d: began after every end, but %+v, %v", round, row.Ended, err)
			}
		}
		raised.Range(func(_, id any) bool {
			if row, _, err := s.Session(ctx, id.(token.SessionID)); err != nil || row.Ended == nil {
				t.Errorf("round %d: began before an end of everything, but lives (%v)", round, err)
			}
			return true
		})
	}
}

func testFeedPages(t *testing.T, s *Store) {
	empty, err := s.Revocations(t.Context(), 0, start, 10)
	if err != nil || empty.N != 0 || empty.Epoch == "" || empty.Entries == nil || len(empty.Entries) != 0 || empty.More {
		t.Errorf("empty: got %+v, %v", empty, err)
	}
	for range 5 {
		row, _ := mustBegin(t, s, beginning("kim", start))
		if _, err := s.End(t.Context(), row.ID, ending(session.SignedOut, start)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		after       int64
		limit       int
		first, n    int64
		count, more int
	}{
		{0, 10, 1, 5, 5, 0},
		{0, 5, 1, 5, 5, 0},
		{0, 2, 1, 2, 2, 1},
		{2, 2, 3, 4, 2, 1},
		{4, 2, 5, 5, 1, 0},
		{5, 2, 0, 5, 0, 0},
		{99, 2, 0, 5, 0, 0},
	} {
		page, err := s.Revocations(t.Context(), test.after, start, test.limit)
		if err != nil || page.N != test.n || len(page.Entries) != test.count || page.More != (test.more == 1) ||
			test.count > 0 && page.Entries[0].N != test.first || page.Epoch != empty.Epoch {
			t.Errorf("after %d, limit %d: got %+v, %v", test.after, test.limit, page, err)
		}
	}
	// What is over is not told, but the cursor goes on.
	page, err := s.Revocations(t.Context(), 0, start.Add(time.Hour), 10)
	if err != nil || page.N != 5 || len(page.Entries) != 0 {
		t.Errorf("an hour later: got %+v, %v", page, err)
	}
}

func testFeedUntil(t *testing.T, s *Store) {
	row, _ := mustBegin(t, s, beginning("kim", start))
	if _, err := s.End(t.Context(), row.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}
	page := mustRevocations(t, s, 0)
	// 0.123456 s past the second: rounded up, a token of that second is still covered.
	if want := start.Add(accesses+token.Skew).Unix() + 1; page.Entries[0].Until != want {
		t.Errorf("until: got %d, want %d", page.Entries[0].Until, want)
	}
	// Another node's clock is ahead: its rotation is later than the end, and counts.
	ahead, _ := mustBegin(t, s, beginning("lee", start))
	if _, err := s.Rotate(t.Context(), ahead.ID, 0, rotated(ahead, start.Add(30*time.Second)), nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(t.Context(), ahead.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}
	check(t, s)
}

func testSweep(t *testing.T, s *Store) {
	ctx := t.Context()
	idleOne, _ := mustBegin(t, s, beginning("kim", start))
	busy, _ := mustBegin(t, s, beginning("lee", start))
	if _, err := s.Rotate(ctx, busy.ID, 0, rotated(busy, start.Add(idle/2)), nil, nil); err != nil {
		t.Fatal(err)
	}
	signedOut, _ := mustBegin(t, s, beginning("park", start))
	if _, err := s.End(ctx, signedOut.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Consume(ctx, [16]byte{1}, start, start.Add(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		at   time.Duration
		want Swept
	}{
		{time.Minute, Swept{}},
		{10 * time.Minute, Swept{Entries: 1, Attempts: 1}},
		{idle, Swept{Expired: 1, Grants: 1}}, // park's grant rests: nobody of that account is signed in
		{idle, Swept{Grants: 1}},
		{longest + session.KeepEnded, Swept{Expired: 1, Sessions: 3, Grants: 1}},
	} {
		got, err := s.Sweep(ctx, start.Add(step.at), 100)
		got.Grants, step.want.Grants = 0, 0 // testRestingGrant
		if got != step.want || err != nil {
			t.Errorf("after %v: got %+v, %v, want %+v", step.at, got, err, step.want)
		}
		checkSwept(t, s)
		if row, _, err := s.Session(ctx, idleOne.ID); step.at == idle && (err != nil || row.Ended == nil ||
			*row.Ended != session.End{Reason: session.Expired, At: idleOne.Rotation.IdleUntil}) {
			t.Errorf("idle: got %+v, %v", row.Ended, err)
		}
	}
	_, _, err := s.Session(ctx, busy.ID)
	wantCode(t, err, fault.SessionUnknown)
}

func testSweepWalk(t *testing.T, s *Store) {
	for range 25 {
		mustBegin(t, s, beginning(token.NewID(), start))
	}
	total := 0
	for range 3 {
		swept, err := s.Sweep(t.Context(), start.Add(idle), 10)
		if err != nil || swept.Expired > 10 {
			t.Fatalf("got %+v, %v", swept, err)
		}
		total += swept.Expired
	}
	if total != 25 {
		t.Errorf("three sweeps of ten: got %d, want 25", total)
	}
}

// Between looking and marking, a session may be renewed or ended: it keeps what it got.
func testSweepRace(t *testing.T, s *Store) {
	ctx := t.Context()
	renewed, _ := mustBegin(t, s, beginning("kim", start))
	ended, _ := mustBegin(t, s, beginning("lee", start))
	seen, err := engine.List(s.db.In(ctx), scanSeen, `SELECT seq, ends_at, idle_until, ended FROM sessions ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rotate(ctx, renewed.ID, 0, rotated(renewed, start.Add(idle/2)), nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, ended.ID, ending(session.Revoked, start.Add(idle/2))); err != nil {
		t.Fatal(err)
	}
	swept, err := write(ctx, s, engine.Usual, "sweep", func(t *tx) (Swept, error) { return t.sweepSessions(seen, start.Add(idle)) })
	if err != nil || swept != (Swept{}) {
		t.Errorf("got %+v, %v", swept, err)
	}
	if row, _, err := s.Session(ctx, renewed.ID); err != nil || row.Ended != nil {
		t.Errorf("renewed: got %+v, %v", row.Ended, err)
	}
	if row, _, err := s.Session(ctx, ended.ID); err != nil || row.Ended.Reason != session.Revoked {
		t.Errorf("ended: got %+v, %v", row.Ended, err)
	}
	check(t, s)
}

func testDirectory(t *testing.T, s *Store) {
	ctx := t.Context()
	var want []token.SessionID
	for i, subject := range []string{"kim", "lee", "park", "choi", "50%_off"} {
		row, _ := mustBegin(t, s, beginning(subject, start.Add(time.Duration(i)*time.Minute)))
		want = append([]token.SessionID{row.ID}, want...)
	}
	members := beginning("jung", start)
	members.Account.Realm, members.Account.Name = "members", "정 ÉLAN"
	jung, _ := mustBegin(t, s, members)
	want = append([]token.SessionID{jung.ID}, want...)
	gone, _ := mustBegin(t, s, beginning("gone", start))
	if _, err := s.End(ctx, gone.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}

	var got []token.SessionID
	q := session.Query{Limit: 2, Now: start.Add(time.Hour)}
	for pages := 0; pages == 0 || q.After != ""; pages++ {
		page, next, err := s.SignedIn(ctx, q)
		if err != nil || len(page) > 2 || pages > 5 {
			t.Fatalf("page %d: got %d, %v", pages, len(page), err)
		}
		for _, l := range page {
			got = append(got, l.ID)
			if l.Account.ID != l.Session.Account {
				t.Errorf("listed with the account of another: %+v", l)
			}
		}
		q.After = next
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all pages (-want +got):\n%s", diff)
	}
	for search, n := range map[string]int{"KIM@": 1, "name of": 5, "élan": 1, "정": 1, "%": 1, "_": 1, `\`: 0, "nobody": 0, "'; --": 0} {
		page, _, err := s.SignedIn(ctx, session.Query{Search: search, Limit: 100, Now: start.Add(time.Hour)})
		if err != nil || len(page) != n {
			t.Errorf("search %q: got %d, %v, want %d", search, len(page), err, n)
		}
	}
	if page, _, err := s.SignedIn(ctx, session.Query{Realm: "members", Limit: 100, Now: start}); err != nil || len(page) != 1 {
		t.Errorf("realm: got %d, %v", len(page), err)
	}
	if page, _, err := s.SignedIn(ctx, session.Query{Limit: 100, Now: start.Add(2 * idle)}); err != nil || len(page) != 0 {
		t.Errorf("all idle: got %d, %v", len(page), err)
	}
	for _, cursor := range []string{"-1", "0", "x y", "'", "zzzzzzzzzzzzzzzzzzzz"} {
		_, _, err := s.SignedIn(ctx, session.Query{After: cursor, Limit: 1, Now: start})
		wantCode(t, err, fault.RequestInvalid)
	}
}

func testConsume(t *testing.T, s *Store) {
	var fresh, used int
	var mu sync.Mutex
	inParallelDo(20, func(int) {
		was, err := s.Consume(context.WithoutCancel(t.Context()), [16]byte{7}, start, start.Add(time.Minute))
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			t.Error(err)
		case was:
			used++
		default:
			fresh++
		}
	})
	if fresh != 1 || used != 19 {
		t.Errorf("got %d fresh, %d used, want 1 and 19", fresh, used)
	}
}

func testAudit(t *testing.T, s *Store) {
	ctx := t.Context()
	full := audit.Event{
		At: start, Action: audit.SignInRefused, Realm: "staff", Account: "a", Session: "s", Actor: audit.Actor{Kind: audit.ByAccount, ID: "x"},
		Outcome: "domain_refused", From: "2001:db8::1", Details: map[string]string{"한국어": "<&>\u2028\"", "bad": "\xff\x00"},
	}
	if err := s.Append(ctx, full, audit.Event{At: start, Action: audit.ConfigLoaded}); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(ctx); err != nil {
		t.Fatal(err)
	}
	inParallelDo(20, func(int) {
		if err := s.Append(context.WithoutCancel(ctx), audit.Event{At: start, Action: audit.ConfigLoaded}); err != nil {
			t.Error(err)
		}
	})
	records, err := s.Records(ctx, 20, 100)
	if err != nil || len(records) != 2 || records[0].N != 21 {
		t.Errorf("after 20: got %v, %v", records, err)
	}
	// Changed behind our back: the chain shows it.
	mustExec(t, s, `UPDATE audit SET realm = 'members' WHERE n = 1`)
	records, err = s.Records(ctx, 0, 1)
	if err != nil || !errors.Is(audit.Verify(audit.Record{}, records[0]), audit.ErrChain) {
		t.Errorf("a changed record passes: %v", err)
	}
	mustExec(t, s, `UPDATE audit SET realm = 'staff' WHERE n = 1`)
}

func putKey(id string, private []byte) func(keys.Set) (keys.Change, error) {
	return func(keys.Set) (keys.Change, error) {
		return keys.Change{
			Put:        []keys.Record{{ID: id, Algorithm: "ES256", Public: []byte("public " + id), Private: private, CreatedAt: start, ActiveAt: start}},
			PutSecrets: []keys.Secret{{ID: math.MaxUint32, Value: []byte("secret value of 32 bytes, or so."), CreatedAt: start}},
			At:         start, Events: []audit.Event{{At: start, Action: audit.KeyCreated}},
		}, nil
	}
}

func testKeys(t *testing.T, s *Store) {
	ctx := t.Context()
	first, err := s.ChangeKeys(ctx, putKey("one", []byte("private one")))
	if err != nil || first.Version != 1 || len(first.Keys) != 1 || len(first.Secrets) != 1 {
		t.Fatalf("first: got %+v, %v", first, err)
	}
	micro := start.Truncate(time.Microsecond)
	want := keys.Set{
		Version: 1,
		Keys:    []keys.Record{{ID: "one", Algorithm: "ES256", Public: []byte("public one"), Private: []byte("private one"), CreatedAt: micro, ActiveAt: micro}},
		Secrets: []keys.Secret{{ID: math.MaxUint32, Value: []byte("secret value of 32 bytes, or so."), CreatedAt: micro}},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
	same, err := s.ChangeKeys(ctx, func(keys.Set) (keys.Change, error) { return keys.Change{At: start}, nil })
	if diff := cmp.Diff(want, same); diff != "" || err != nil {
		t.Errorf("nothing changed (-want +got), %v:\n%s", err, diff)
	}
	refusal := fault.New(fault.RequestInvalid, "no such key")
	if _, err = s.ChangeKeys(ctx, func(keys.Set) (keys.Change, error) { return keys.Change{}, refusal }); !errors.Is(err, refusal) {
		t.Errorf("refusal: got %v", err)
	}
	// Withdrawn: its private half is gone, and the feed names it for ever.
	after, err := s.ChangeKeys(ctx, func(set keys.Set) (keys.Change, error) {
		stolen := set.Keys[0]
		stolen.Private, stolen.WithdrawnAt = nil, start
		return keys.Change{Put: []keys.Record{stolen}, Withdraw: []string{"one"}, At: start}, nil
	})
	if err != nil || after.Version != 2 || after.Keys[0].Private != nil || !after.Keys[0].WithdrawnAt.Equal(micro) {
		t.Errorf("withdrawn: got %+v, %v", after, err)
	}
	page, err := s.Revocations(ctx, 0, start.AddDate(100, 0, 0), 10)
	if err != nil || !slices.Equal(page.Entries, []token.FeedEntry{{N: 1, KeyID: "one", Until: token.Forever}}) {
		t.Errorf("feed: got %+v, %v", page, err)
	}
	gone, err := s.ChangeKeys(ctx, func(keys.Set) (keys.Change, error) { return keys.Change{Delete: []string{"one"}, At: start}, nil })
	if err != nil || len(gone.Keys) != 0 || gone.Version != 3 {
		t.Errorf("deleted: got %+v, %v", gone, err)
	}
	if v, err := s.KeysVersion(ctx); err != nil || v != 3 {
		t.Errorf("version: got %d, %v", v, err)
	}
}

// Two nodes that decide at once: the second sees what the first did, and decides again.
func testKeysRace(t *testing.T, s *Store) {
	inParallelDo(10, func(int) {
		_, err := s.ChangeKeys(context.WithoutCancel(t.Context()), func(set keys.Set) (keys.Change, error) {
			return putKey(string(rune('a'+len(set.Keys))), []byte("private"))(set)
		})
		if err != nil {
			t.Error(err)
		}
	})
	if set, err := s.Keys(t.Context()); err != nil || len(set.Keys) != 10 || set.Version != 10 {
		t.Errorf("got %d keys, version %d, %v; want 10 and 10", len(set.Keys), set.Version, err)
	}
}

func testLineage(t *testing.T, s *Store) {
	ctx := t.Context()
	if l, err := s.Lineage(ctx); err != nil || l != (session.Lineage{}) {
		t.Errorf("new: got %+v, %v", l, err)
	}
	for i := range 3 {
		at := start.Add(time.Duration(i) * time.Minute)
		if err := s.MarkRolledBack(ctx, at, audit.Event{At: at, Action: audit.StoreRolledBack}); err != nil {
			t.Fatal(err)
		}
	}
	if l, err := s.Lineage(ctx); err != nil || !l.RolledBackAt.Equal(start.Truncate(time.Microsecond)) {
		t.Errorf("marked: got %+v, %v, want the first mark", l, err)
	}
	if records, err := s.Records(ctx, 0, 10); err != nil || len(records) != 1 {
		t.Errorf("events: got %d, %v, want 1", len(records), err)
	}
}

func testRecover(t *testing.T, s *Store) {
	ctx := t.Context()
	people := 2*recoverBatch + 7
	inParallelDo(people, func(i int) {
		if _, _, err := s.Begin(context.WithoutCancel(ctx), beginning(token.NewID(), start)); err != nil {
			t.Error(err)
		}
	})
	one, _ := mustBegin(t, s, beginning("kim", start))
	if _, err := s.End(ctx, one.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}
	before := mustRevocations(t, s, 0)
	if err := s.MarkRolledBack(ctx, start, audit.Event{At: start, Action: audit.StoreRolledBack}); err != nil {
		t.Fatal(err)
	}
	at := start.Add(time.Minute)
	n, err := s.Recover(ctx, ending(session.Revoked, at), audit.Event{At: at, Action: audit.StoreRecovered})
	if err != nil || n != people {
		t.Errorf("got %d, %v, want %d", n, err, people)
	}
	if l, err := s.Lineage(ctx); err != nil || !l.RolledBackAt.IsZero() || !l.RecoveredAt.Equal(at.Truncate(time.Microsecond)) {
		t.Errorf("lineage: got %+v, %v", l, err)
	}
	after := mustRevocations(t, s, 0)
	if after.Epoch == before.Epoch || len(after.Entries) != people+1 {
		t.Errorf("feed: epoch %q after %q, %d entries", after.Epoch, before.Epoch, len(after.Entries))
	}
	if has, err := s.HasGrant(ctx, account.Identity{Realm: "staff", Issuer: issuer, Subject: "kim"}); err != nil || has {
		t.Errorf("grant: got %v, %v; it may be older than what the provider holds", has, err)
	}
	check(t, s)
}

func testCounts(t *testing.T, s *Store) {
	mustBegin(t, s, beginning("kim", start))
	row, _ := mustBegin(t, s, beginning("lee", start))
	if _, err := s.End(t.Context(), row.ID, ending(session.SignedOut, start)); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Counts(t.Context()); err != nil || c != (Counts{Sessions: 1, Grants: 2, Revocations: 1}) {
		t.Errorf("got %+v, %v", c, err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func testEndedContext(t *testing.T, s *Store) {
	row, _ := mustBegin(t, s, beginning("kim", start))
	before := dump(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.End(ctx, row.ID, ending(session.Revoked, start))
	wantCode(t, err, fault.StoreUnavailable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cause kept", err)
	}
	_, _, err = s.Session(ctx, row.ID)
	wantCode(t, err, fault.StoreUnavailable)
	_, err = s.Sessions(ctx, row.Account, start)
	wantCode(t, err, fault.StoreUnavailable)
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}
