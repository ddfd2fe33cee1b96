// Package listen owns the listeners and the HTTP servers behind them: what a caller may take of a connection, and how
// they end. What is answered is not its business.
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Places are the listeners. They are opened before anything else: a port that is taken is the most likely mistake.
type Places struct {
	Public  []net.Listener
	Metrics net.Listener
}

// Open opens them all, or none; metrics is "" for none.
func Open(ctx context.Context, public []string, metrics string) (l Places, err error) {
	if l.Public, err = OpenAll(ctx, public); err != nil || metrics == "" {
		return l, err
	}
	if l.Metrics, err = (&net.ListenConfig{}).Listen(ctx, "tcp", metrics); err != nil {
		return l, errors.Join(fmt.Errorf("listen on %s (metrics): %w", metrics, err), l.Close())
	}
	return l, nil
}

// OpenAll opens all the addresses, or none.
func OpenAll(ctx context.Context, addresses []string) (opened []net.Listener, err error) {
	for _, address := range addresses {
		place, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", address, err), Places{Public: opened}.Close())
		}
		opened = append(opened, place)
	}
	return opened, nil
}

// Close closes them all.
func (l Places) Close() (err error) {
	for _, place := range l.Public {
		err = errors.Join(err, place.Close())
	}
	if l.Metrics != nil {
		err = errors.Join(err, l.Metrics.Close())
	}
	return err
}

// What a caller may take of a connection. A stream moves its own write deadline on; nothing else lasts.
const (
	headerLimit = 5 * time.Second
	BodyLimit   = 15 * time.Second
	answerLimit = 60 * time.Second
	idleLimit   = 2 * time.Minute
	drainLimit  = 15 * time.Second
	headerBytes = 32 << 10
)

// New is a server with limits on everything that a caller can take its time for.
func New(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           limitBodies(handler),
		ReadHeaderTimeout: headerLimit,
		WriteTimeout:      answerLimit,
		IdleTimeout:       idleLimit,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what clients do wrong
	}
}

// limitBodies gives a body its time. Server.ReadTimeout would do it too, and would end every stream with it.
func limitBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			// An error means that there is no connection below, as in a test.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(BodyLimit))
		}
		next.ServeHTTP(w, r)
	})
}

// On serves until the server is shut down.
func On(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Drain stops accepting and waits for the answers that are under way, and no longer than drainLimit.
func Drain(servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	var group errgroup.Group
	for _, s := range servers {
		group.Go(func() error {
			if err := s.Shutdown(ctx); err != nil {
				return errors.Join(fmt.Errorf("answers were cut off: %w", err), s.Close())
			}
			return nil
		})
	}
	return group.Wait()
}
