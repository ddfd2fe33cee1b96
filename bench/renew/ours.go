package renew

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing/fstest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/hashing"
	"github.com/munjigi/munjigi/internal/keys"
	"github.com/munjigi/munjigi/internal/server"
	"github.com/munjigi/munjigi/internal/server/admin"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/signin"
	"github.com/munjigi/munjigi/internal/store"
)

// Munjigi is the real thing, from its HTTP surface to its store, without a provider.
type Munjigi struct {
	http.Handler
	manager *session.Manager
	feed    *session.Feed
	store   *store.Store
	ring    *keys.Ring
}

var app = account.App{Name: "tools", Realm: "staff", Origins: []string{Origin}, Services: []string{"wishlist", "market"}}

// Origin is where the renewals come from.
const Origin = "http://localhost:8080"

// NewMunjigi makes one with its store and keys in dir. Every renewal rotates: there is no grace.
func NewMunjigi(ctx context.Context, dir string) (*Munjigi, error) {
	log := slog.New(slog.DiscardHandler)
	sealer, err := keys.CreateSealer(filepath.Join(dir, "munjigi.key"))
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, store.Config{Database: "sqlite:" + filepath.Join(dir, "munjigi.db"), Sealer: sealer, Log: log})
	if err != nil {
		return nil, err
	}
	ring, err := keys.Open(ctx, keys.Config{Store: st, Log: log})
	if err != nil {
		return nil, err
	}
	m := &Munjigi{store: st, ring: ring, feed: session.NewFeed(session.FeedConfig{Store: st, Log: log})}
	m.manager, err = session.NewManager(ctx, session.Config{
		Issuer: Origin, Store: st, Lineage: st, Keys: ring, Woken: m.feed.Wake,
		Realms: map[string]session.Realm{"staff": {Policy: session.Policy{
			Access: 5 * time.Minute, Idle: 12 * time.Hour,
			Max: 7 * 24 * time.Hour, WhenFull: session.Replace, LostAnswers: 2,
		}}}, Log: log,
	})
	if err != nil {
		return nil, err
	}
	m.Handler, err = server.New(server.Config{
		URL: Origin, Console: "staff", Realms: map[string]server.Realm{"staff": {Kind: server.OIDC}},
		Apps:     map[string]account.App{account.Console: {Name: account.Console, Realm: "staff"}, app.Name: app},
		Sessions: m.manager, Devices: m.manager, SignIn: noSignIn{}, Keys: ring, Feed: m.feed, Directory: st, Audit: st,
		Tools: Tools(ring, st, m.feed), Ready: st.Ping, Pages: fs.FS(fstest.MapFS{}), Log: log,
	})
	return m, err
}

// StartMunjigi serves Munjigi, with its files in dir.
func StartMunjigi(ctx context.Context, dir string) (*Side, error) {
	m, err := NewMunjigi(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &Side{Target: Ours(m), Munjigi: m}
	s.running(m.Run)
	for i := range callers {
		refreshToken, err := m.SignIn(ctx, i)
		if err != nil {
			s.Stop()
			return nil, err
		}
		s.tokens = append(s.tokens, refreshToken)
	}
	return s, s.serve()
}

// Run keeps it going until ctx ends.
func (m *Munjigi) Run(ctx context.Context) error {
	var loops errgroup.Group
	loops.Go(func() error { return m.manager.Run(ctx) })
	loops.Go(func() error { return m.feed.Run(ctx) })
	err := loops.Wait()
	m.store.Close()
	return err
}

// Flood keeps n people at the door until ctx ends: each signs in with a password, again and again, and comes back when
// told to. Nobody of them gets in; to whom the login is unknown, a sign-in costs what it costs everybody.
func (m *Munjigi) Flood(ctx context.Context, n int) error {
	workers := hashing.New(hashing.Config{})
	defer workers.Close()
	hasher := account.NewHasher(account.HasherConfig{Compute: workers.Compute})
	log := slog.New(slog.DiscardHandler)
	door, err := signin.New(signin.Config{
		Realms: map[string]signin.Realm{"staff": {Checker: &signin.Members{Realm: "staff", Store: m.store, Hasher: hasher, Log: log}}},
		Apps:   map[string]account.App{app.Name: app},
		Store:  m.store, Sessions: m.manager, Keys: m.ring, Audit: m.store, Guesses: m.store, Log: log,
	})
	if err != nil {
		return err
	}
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			for ctx.Err() == nil {
				_, err := door.SignIn(ctx, signin.Credentials{
					Realm: "staff", App: app.Name, Login: fmt.Sprint("person", i), Password: "correct horse battery",
					Caller: session.Caller{From: fmt.Sprintf("10.0.%d.%d", i/200, i%200)},
				})
				full, ok := errors.AsType[*fault.Error](err)
				switch {
				case ctx.Err() != nil || ok && full.Code == fault.CredentialsWrong:
				case ok && full.Code == fault.TooManyAttempts:
					select {
					case <-time.After(full.RetryAfter):
					case <-ctx.Done():
					}
				default:
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// SignIn begins the session of one person and returns its refresh token.
func (m *Munjigi) SignIn(ctx context.Context, n int) (string, error) {
	answer, err := m.manager.Begin(ctx, session.SignIn{
		App: app, Caller: session.Caller{Device: session.DeviceClass(agent)},
		Identity: account.Identity{Realm: "staff", Issuer: "https://id.example.com", Subject: fmt.Sprint(n)},
		Profile: account.Profile{
			Email: fmt.Sprintf("person%d@example.com", n), Name: fmt.Sprintf("Person %d", n),
			Roles: []string{"viewer"}, CheckedAt: time.Now(),
		},
	})
	return answer.RefreshToken, err
}

// Tools are what administrators have, of whom there are none here.
func Tools(ring *keys.Ring, st *store.Store, feed *session.Feed) admin.Tools {
	return admin.Tools{
		Keys: ring, Lookup: st.Finder(), Members: st, Links: struct{ admin.Links }{}, Woken: feed.Wake,
		CheckMember: func(string, string) error { return nil },
	}
}

// noSignIn stands where nobody comes in.
type noSignIn struct{ entrance }

type entrance = server.SignIn
