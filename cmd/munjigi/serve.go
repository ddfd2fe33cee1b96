package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/listen"
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
	places, err := listen.Open(ctx, config.Listens(), config.MetricsListen)
	if err != nil {
		return err
	}
	p, err := newProgram(ctx, config, log)
	if err != nil {
		return errors.Join(err, places.Close())
	}
	defer func() { err = errors.Join(err, p.Close()) }()

	// Requests are drained before what they need is stopped.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	group, failed := errgroup.WithContext(background)
	group.Go(func() error { return p.Run(failed) })
	public := listen.New(p.Handler, log)
	public.RegisterOnShutdown(p.server.Stop)
	for _, place := range places.Public {
		group.Go(func() error { return listen.On(public, place) })
	}
	servers := []*http.Server{public}
	if places.Metrics != nil {
		metrics := listen.New(metricsHandler(p.Metrics), log)
		group.Go(func() error { return listen.On(metrics, places.Metrics) })
		servers = append(servers, metrics)
	}
	log.Info("ready", "url", config.URL, "listen", config.Listens(), "took", time.Since(began).Round(time.Millisecond))

	select {
	case <-ctx.Done():
	case <-failed.Done():
	}
	log.Info("stopping")
	err = listen.Drain(servers)
	stop()
	return errors.Join(err, group.Wait())
}

func metricsHandler(metrics *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}
