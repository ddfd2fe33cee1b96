package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/server/answer"
	"github.com/munjigi/munjigi/internal/session"
	"github.com/munjigi/munjigi/internal/token"
)

const (
	// feedLimit is how many entries one page or event bears, about a megabyte.
	feedLimit = 5_000
	// followerLimit is how long a follower may take to read one event. A slower one would hear of ends too late, and
	// hold memory meanwhile; cut off, it knows that its view is stale.
	followerLimit = 5 * time.Second
)

// revocations is GET /revocations: a page, or, for those who accept it, a stream of the same pages as events.
func (s *Server) revocations(w *response, r *http.Request) error {
	cursor := r.URL.Query().Get("after")
	streaming := r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	if last := r.Header.Get("Last-Event-ID"); streaming && last != "" {
		cursor = last // an EventSource that connects again
	}
	after, err := session.ParseCursor(cursor)
	if err != nil {
		return err
	}
	w.Header().Add("Vary", "Accept")
	if streaming {
		return s.follow(w, r, after)
	}
	leave, err := s.place() // which a stream goes without
	if err != nil {
		return err
	}
	defer leave()
	page, err := s.Feed.Page(r.Context(), after, feedLimit)
	if err != nil {
		return err
	}
	return answer.JSON(w, page)
}

// follow writes events until the follower goes, is too slow, or the server stops.
func (s *Server) follow(w *response, r *http.Request, after session.Cursor) error {
	leave, ok := s.streamsOf.Take(s.address(r))
	if !ok {
		return &fault.Error{Code: fault.TooManyAttempts, Detail: "too many followers in your network", RetryAfter: 2 * time.Second}
	}
	defer leave()
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return &fault.Error{Code: fault.TooManyAttempts, Detail: "too many followers on this node", RetryAfter: 2 * time.Second}
	}
	page, err := s.Feed.Page(r.Context(), after, feedLimit)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	s.metrics.Streams.Inc()
	defer s.metrics.Streams.Dec()
	w.streamed = true
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	return s.sendPages(ctx, w, page)
}

// sendPages sends page and what follows it. Once the stream has begun an error can only end it: the follower sees that,
// and asks again.
func (s *Server) sendPages(ctx context.Context, w *response, page token.FeedPage) error {
	control := http.NewResponseController(w)
	for {
		if err := control.SetWriteDeadline(time.Now().Add(followerLimit)); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
		data, err := json.Marshal(page)
		if err != nil {
			return fmt.Errorf("follow: %w", err)
		}
		after := session.Cursor{Epoch: page.Epoch, N: page.N}
		if _, err := fmt.Fprintf(w, "id: %s\ndata: %s\n\n", after, data); err != nil {
			return nil // the follower has gone
		}
		if err := control.Flush(); err != nil {
			return nil
		}
		if page, err = s.Feed.Wait(ctx, after, feedLimit); err != nil {
			return nil // it has gone, or the store is unreadable and must not look fresh
		}
	}
}
