package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/munjigi/munjigi/internal/config"
)

type serveCommand struct {
	configFlag
	logFlag
}

func (serveCommand) Help() string {
	return `Runs until it is told to stop (SIGTERM or Ctrl-C): then it takes no new requests, finishes those that it has, and
ends. Sessions outlive it.

Example:

    munjigi serve --config /etc/munjigi/munjigi.yaml`
}

// logFlag says how the log is written, on standard error.
type logFlag struct {
	Log      string     `enum:"json,text" default:"json" help:"How the log is written: json or text (${default})."`
	LogLevel slog.Level `default:"info" help:"The least that is logged: debug, info, warn or error (${default})."`
}

func (f logFlag) logger(t *terminal) *slog.Logger {
	options := &slog.HandlerOptions{Level: f.LogLevel}
	if f.Log == "text" {
		return slog.New(slog.NewTextHandler(t.Err, options))
	}
	return slog.New(slog.NewJSONHandler(t.Err, options))
}

func (c serveCommand) Run(ctx context.Context, t *terminal) error {
	config, err := c.load()
	if err != nil {
		return err
	}
	return serve(ctx, config, c.logger(t))
}

// serve runs the whole program until ctx ends.
func serve(ctx context.Context, config config.Config, log *slog.Logger) (err error) {
	began := time.Now()
	places, err := listen(ctx, config)
	if err != nil {
		return err
	}
	p, err := newProgram(ctx, config, log)
	if err != nil {
		return errors.Join(err, places.close())
	}
	defer func() { err = errors.Join(err, p.Close()) }()

	// Requests are drained before what they need is stopped.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	group, failed := errgroup.WithContext(background)
	group.Go(func() error { return p.Run(failed) })
	public := newHTTPServer(p.Handler, log)
	public.RegisterOnShutdown(p.server.Stop)
	for _, place := range places.public {
		group.Go(func() error { return serveOn(public, place) })
	}
	servers := []*http.Server{public}
	if places.metrics != nil {
		metrics := newHTTPServer(metricsHandler(p.Metrics), log)
		group.Go(func() error { return serveOn(metrics, places.metrics) })
		servers = append(servers, metrics)
	}
	log.Info("ready", "url", config.URL, "listen", config.Listens(), "took", time.Since(began).Round(time.Millisecond))

	select {
	case <-ctx.Done():
	case <-failed.Done():
	}
	log.Info("stopping")
	err = drain(servers)
	stop()
	return errors.Join(err, group.Wait())
}

// places are the listeners. They are opened before anything else: a port that is taken is the most likely mistake.
type places struct {
	public  []net.Listener
	metrics net.Listener
}

func listen(ctx context.Context, config config.Config) (l places, err error) {
	if l.public, err = listenAll(ctx, config.Listens()); err != nil || config.MetricsListen == "" {
		return l, err
	}
	if l.metrics, err = (&net.ListenConfig{}).Listen(ctx, "tcp", config.MetricsListen); err != nil {
		return l, errors.Join(fmt.Errorf("listen on %s (metrics): %w", config.MetricsListen, err), l.close())
	}
	return l, nil
}

// listenAll opens all the addresses, or none.
func listenAll(ctx context.Context, addresses []string) (opened []net.Listener, err error) {
	for _, address := range addresses {
		place, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", address, err), places{public: opened}.close())
		}
		opened = append(opened, place)
	}
	return opened, nil
}

func (l places) close() (err error) {
	for _, place := range l.public {
		err = errors.Join(err, place.Close())
	}
	if l.metrics != nil {
		err = errors.Join(err, l.metrics.Close())
	}
	return err
}

// What a caller may take of a connection. A stream moves its own write deadline on; nothing else lasts.
const (
	headerLimit = 5 * time.Second
	bodyLimit   = 15 * time.Second
	answerLimit = 60 * time.Second
	idleLimit   = 2 * time.Minute
	drainLimit  = 15 * time.Second
	headerBytes = 32 << 10
)

// newHTTPServer is a server with limits on everything that a caller can take its time for.
func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
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
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyLimit))
		}
		next.ServeHTTP(w, r)
	})
}

func serveOn(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// drain stops accepting and waits for the answers that are under way, and no longer than drainLimit.
func drain(servers []*http.Server) error {
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

func metricsHandler(metrics *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}
