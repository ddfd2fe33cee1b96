package credentials

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

const (
	// askLimit is how long one question may take, waiting for a place included: somebody looks at a sign-in page.
	askLimit = 5 * time.Second
	// askAtOnce bounds how many questions a service gets at once: checking a password is dear, and a flood of sign-ins
	// here must not become one over there.
	askAtOnce = 32
	// idleLimit is shorter than any usual server's (Node's is 5 s): a server that closes an idle connection just as a
	// password is on its way would make a sign-in fail for nothing.
	idleLimit = 3 * time.Second
	// maxAnswer bounds an answer; a real one has some hundred bytes.
	maxAnswer = 64 << 10
)

// Keys signs the token by which the service knows us. keys.Ring does.
type Keys interface {
	Active() (kid string, macKeyID uint32)
	Sign(kid string, claims token.Claims) (string, error)
}

// Config says which service is asked, and where. The first five members are required.
type Config struct {
	Issuer  string   // our own address, the tokens' "iss"
	Service string   // its name: the audience of our token, and half of its accounts' identities
	URL     string   // the route that is asked, absolute
	Roles   []string // those that the service may give; it may name others, which are dropped
	Keys    Keys

	Limit  time.Duration // how long one question may take; 5 seconds
	AtOnce int           // how many questions at once; 32
	Now    func() time.Time
	// Transport makes the requests; nil is one of our own.
	Transport http.RoundTripper
}

// Client asks one service. It is safe for concurrent use.
type Client struct {
	Config
	places chan struct{} // one is taken while a question is under way
	http   *http.Client
}

// New checks the configuration. Nobody is asked before somebody signs in.
func New(c Config) (*Client, error) {
	if c.Issuer == "" || c.Service == "" || c.URL == "" || c.Keys == nil {
		return nil, errors.New("credentials: issuer, service, url and keys are required")
	}
	if c.Limit == 0 {
		c.Limit = askLimit
	}
	if c.AtOnce == 0 {
		c.AtOnce = askAtOnce
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Transport == nil {
		c.Transport = newTransport(c.AtOnce)
	}
	c.Roles = slices.Clone(c.Roles)
	return &Client{Config: c, places: make(chan struct{}, c.AtOnce), http: &http.Client{
		Transport: c.Transport,
		Timeout:   c.Limit,
		// Never followed: a redirect would have us hand a password, and our token, to whoever it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// newTransport goes straight to the service: no proxy of the environment, which would read passwords on the way to a
// private address, and no decompression, which would let a small answer grow.
func newTransport(atOnce int) *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: askLimit, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    askLimit,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    atOnce,
		IdleConnTimeout:        idleLimit,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
