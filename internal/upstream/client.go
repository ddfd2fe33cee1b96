package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// askLimit is how long one question to a provider may take, with all requests that it needs.
	askLimit = 10 * time.Second
	// exchangeLimit is how long a sign-in may take here: longer, because it may have to wait for its turn to fetch keys.
	exchangeLimit = 20 * time.Second
	// requestLimit is the backstop for requests that no caller waits for (keys): askLimit plus the wait for a turn.
	requestLimit = 25 * time.Second
	// keysEvery bounds how often the provider's keys are fetched: tokens with unknown key ids cannot make us flood it.
	keysEvery = 10 * time.Second
	// idleLimit is shorter than any usual server's (Node's is 5 s), so that it is us who close an idle connection. A server
	// that closes just as a code or a refresh token is on its way leaves nobody knowing whether it was used up.
	idleLimit = 3 * time.Second
	maxBody   = 1 << 20
)

var errTooLarge = errors.New("the provider's answer is too large")

// guard is the transport of everything that we ask a provider: bodies are limited, its keys are fetched seldom. A
// caller that needs a key that we don't have waits for the next turn rather than being refused, so that a provider
// that rotated its keys twice in a row costs seconds, not failed sign-ins.
type guard struct {
	base http.RoundTripper
	keys atomic.Pointer[string] // jwks_uri, once it is known
	turn *rate.Limiter
}

// newClient makes the client that all requests go through. It never follows a redirect: a token endpoint that
// redirects would have us send the secret and the refresh token somewhere else.
func newClient(base *http.Client) (*http.Client, *guard) {
	g := &guard{base: http.DefaultTransport, turn: rate.NewLimiter(rate.Every(keysEvery), 1)}
	if base != nil && base.Transport != nil {
		g.base = base.Transport
	} else if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		own := shared.Clone()
		own.MaxIdleConnsPerHost = 32
		own.IdleConnTimeout = idleLimit
		own.MaxResponseHeaderBytes = 64 << 10
		g.base = own
	}
	return &http.Client{
		Transport:     g,
		Timeout:       requestLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, g
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if keys := g.keys.Load(); keys != nil && req.URL.String() == *keys {
		if err := g.turn.Wait(req.Context()); err != nil {
			return nil, err
		}
	}
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

// limitedBody fails, rather than ends, when there is more than allowed: a cut document must not pass for a whole one.
type limitedBody struct {
	io.ReadCloser
	left int
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	if len(p) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	return n, err
}

// traceSent gives a context that notes whether a request's headers were written, and so may have been read over there.
// The transport repeats a POST by itself only when nothing of it was written.
func traceSent(ctx context.Context) (context.Context, *atomic.Bool) {
	sent := new(atomic.Bool)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	}), sent
}
