package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/token"
)

const (
	fetchTimeout = 5 * time.Second  // of one request to the issuer
	kidPause     = 10 * time.Second // between two fetches that unknown kids cause, however many come
	kidWait      = 3 * time.Second  // how long a request waits for a fetch, at most
	pollMost     = 5 * time.Minute  // between two fetches that nobody caused; Cache-Control may shorten it
	pollLeast    = 10 * time.Second
	retryFirst   = 200 * time.Millisecond // after a fetch that failed, then twice as long each time
	retryMost    = 5 * time.Second
	maxDiscovery = 64 << 10
)

// trust is what signatures are checked with, and the tokens whose signature held under just these keys: whoever
// changes the keys makes a new trust, and so forgets the tokens.
type trust struct {
	keys      map[string]token.PublicKey
	withdrawn map[string]bool // kids; never trusted again, wherever they come from
	known     bool            // a key set has been read and is not too old; keys may still be empty, when all are withdrawn
	seen      *table
}

func (v *Verifier) newTrust(keys []token.PublicKey, withdrawn map[string]bool) *trust {
	t := &trust{keys: map[string]token.PublicKey{}, withdrawn: withdrawn, known: keys != nil, seen: newTable(v.config.CacheTokens)}
	for _, key := range keys {
		if !withdrawn[key.ID] {
			t.keys[key.ID] = key
		}
	}
	return t
}

// keySource holds the last good key set and fetches the next.
type keySource struct {
	v *Verifier

	mu        sync.Mutex // guards everything below, and the making of a new trust
	good      []token.PublicKey
	goodAt    time.Time // when the request for good was sent; zero for a file
	err       error     // of the last fetch
	withdrawn map[string]bool
	running   chan struct{} // closed when the fetch that runs is over; nil when none runs
	kidAt     time.Time     // when an unknown kid last caused a fetch
	address   string        // jwks_uri, once discovered
	fresh     time.Duration // how long the issuer says that the set is good
}

// read takes the keys from a file, for good.
func (k *keySource) read(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read public key: %w", err)
	}
	keys, err := token.ParsePublicKeys(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.good = keys
	k.renewTrust()
	return nil
}

// renewTrust puts what is known in force. The caller holds mu.
func (k *keySource) renewTrust() {
	k.v.trust.Store(k.v.newTrust(k.good, maps.Clone(k.withdrawn)))
}

// withdraw stops trusting keys, for ever. It is done before it returns.
func (k *keySource) withdraw(kids []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed := false
	for _, kid := range kids {
		if !k.withdrawn[kid] {
			if k.withdrawn == nil {
				k.withdrawn = map[string]bool{}
			}
			k.withdrawn[kid] = true
			changed = true
		}
	}
	if changed {
		k.v.config.Log.Warn("signing key withdrawn", "kid", kids)
		k.renewTrust()
	}
}

// find is the key of a kid, with the trust that it belongs to. A kid that is not known is asked for, but not more often
// than once in kidPause: an attacker can think of new ones without end.
func (k *keySource) find(ctx context.Context, kid string) (*trust, token.PublicKey, error) {
	t := k.v.trust.Load()
	if key, ok := t.keys[kid]; ok {
		return t, key, nil
	}
	if t.withdrawn[kid] {
		return nil, token.PublicKey{}, fault.New(fault.TokenInvalid, "the key of this token is withdrawn")
	}
	err := k.ask(ctx)
	t = k.v.trust.Load()
	if key, ok := t.keys[kid]; ok {
		return t, key, nil
	}
	if err != nil || !t.known {
		return nil, token.PublicKey{}, &fault.Error{Code: fault.UpstreamUnavailable, Detail: "the issuer's keys cannot be read just now", RetryAfter: time.Second, Err: err}
	}
	return nil, token.PublicKey{}, fault.New(fault.TokenInvalid, "the key of this token is not known")
}

// ask fetches the keys because of an unknown kid, or waits for the fetch that runs already, or remembers how the last
// one went.
func (k *keySource) ask(ctx context.Context) error {
	if k.v.config.PublicKeyFile != "" {
		return nil
	}
	done, err := k.join()
	if done == nil {
		return err
	}
	timer := time.NewTimer(kidWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errors.New("the issuer is slow")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// join is the fetch to wait for: the one that runs, or one that is due to an unknown kid. nil is none, and then err is
// how the last one went. Without any keys yet, run is asking as often as is good, and requests shall not add to it.
func (k *keySource) join() (chan struct{}, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.v.config.Now()
	switch {
	case k.running != nil:
		return k.running, nil
	case k.good == nil, !k.kidAt.IsZero() && now.Sub(k.kidAt) < kidPause:
		return nil, k.err
	}
	k.kidAt = now
	return k.start(), nil
}

// begin returns the fetch that runs, or else begins one.
func (k *keySource) begin() chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running != nil {
		return k.running
	}
	return k.start()
}

// start begins a fetch, unless the verifier is closed. The caller holds mu, and nothing runs.
func (k *keySource) start() chan struct{} {
	done := make(chan struct{})
	if k.v.life.Err() != nil {
		close(done)
		return done
	}
	k.running = done
	k.v.done.Go(func() {
		defer close(done)
		k.fetch(k.v.life)
	})
	return done
}

// run fetches at the start and then by and by, so that a key that is published ahead is known before it is used.
func (k *keySource) run(ctx context.Context) {
	retry := retryFirst
	for ctx.Err() == nil {
		<-k.begin()
		k.mu.Lock()
		pause, failed := k.fresh, k.err != nil
		k.mu.Unlock()
		if failed {
			pause = retry
			retry = min(2*retry, retryMost)
		} else {
			retry = retryFirst
		}
		sleep(ctx, jitter(pause))
	}
}

// fetch reads the key set once and puts it in force. An error changes nothing, until the last good set is too old.
func (k *keySource) fetch(ctx context.Context) {
	sent := k.v.config.Now()
	k.mu.Lock()
	address := k.address
	k.mu.Unlock()
	keys, address, fresh, err := k.load(ctx, address)
	k.mu.Lock()
	defer k.v.settled()
	defer k.mu.Unlock()
	k.running = nil
	k.report(err)
	k.err = err
	if err != nil {
		k.address = ""
		if k.good != nil && k.v.config.Now().Sub(k.goodAt) > k.v.config.KeysMaxAge {
			k.good = nil
			k.renewTrust()
		}
		return
	}
	k.address, k.fresh, k.goodAt = address, fresh, sent
	if !reflect.DeepEqual(keys, k.good) {
		k.good = keys
		k.renewTrust()
	}
}

// report logs the first failure of a row, and its end. The caller holds mu.
func (k *keySource) report(err error) {
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil && k.err == nil:
		k.v.config.Log.Warn("keys of the issuer cannot be read", "issuer", k.v.config.Issuer, "err", err)
	case err == nil && k.err != nil:
		k.v.config.Log.Info("keys of the issuer are read again", "issuer", k.v.config.Issuer)
	}
}

func (k *keySource) age(now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.good == nil:
		return -1
	case k.goodAt.IsZero():
		return 0
	}
	return now.Sub(k.goodAt)
}

// load makes the requests. address is where the set was the last time, empty = to be discovered.
func (k *keySource) load(ctx context.Context, address string) ([]token.PublicKey, string, time.Duration, error) {
	if address == "" {
		var err error
		if address, err = k.discover(ctx); err != nil {
			return nil, "", 0, err
		}
	}
	body, header, err := k.v.get(ctx, address, token.MaxJWKSSize)
	if err != nil {
		return nil, "", 0, err
	}
	keys, err := token.ParseJWKS(body)
	if err != nil {
		return nil, "", 0, err
	}
	if len(keys) == 0 {
		return nil, "", 0, errors.New("read key set: no key in it is of use")
	}
	slices.SortFunc(keys, func(a, b token.PublicKey) int { return strings.Compare(a.ID, b.ID) })
	return keys, address, pollPause(header), nil
}

// discover asks the issuer where its keys are (RFC 8414 §3, OpenID Connect Discovery §4).
func (k *keySource) discover(ctx context.Context) (string, error) {
	issuer := k.v.config.Issuer
	body, _, err := k.v.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", maxDiscovery)
	if err != nil {
		return "", err
	}
	var document struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return "", fmt.Errorf("read discovery: %w", err)
	}
	if document.Issuer != issuer {
		return "", fmt.Errorf("read discovery: it is of %q", document.Issuer)
	}
	home, _ := url.Parse(issuer)
	keys, err := url.Parse(document.JWKS)
	if err != nil || keys.Scheme != home.Scheme || keys.Host != home.Host || keys.User != nil {
		return "", errors.New("read discovery: jwks_uri is not on the issuer's origin")
	}
	return document.JWKS, nil
}

// get makes one request to the issuer, with a limit on time and size.
func (v *Verifier) get(ctx context.Context, address string, limit int64) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := v.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("GET %s: status %d", address, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, nil, fmt.Errorf("GET %s: %w", address, err)
	}
	if int64(len(body)) > limit {
		return nil, nil, fmt.Errorf("GET %s: larger than %d bytes", address, limit)
	}
	return body, response.Header, nil
}

// newClient is a client that talks to the issuer and nobody else: it follows no redirect and keeps no cookie. Time is
// limited per request, because the feed's answer has no end.
func newClient(given *http.Client) *http.Client {
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       0,
	}
	if given != nil {
		client.Transport = given.Transport
	}
	if client.Transport == nil {
		client.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   fetchTimeout,
			ResponseHeaderTimeout: fetchTimeout,
			IdleConnTimeout:       time.Minute,
			MaxIdleConns:          4,
		}
	}
	return client
}

// pollPause is how long to wait with the next fetch: what Cache-Control says, within limits.
func pollPause(header http.Header) time.Duration {
	for directive := range strings.SplitSeq(header.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if seconds, err := strconv.Atoi(value); strings.EqualFold(name, "max-age") && err == nil {
			return min(max(time.Duration(min(seconds, 3600))*time.Second, pollLeast), pollMost)
		}
	}
	return pollMost
}

// jitter shortens a pause by up to a fifth, so that a thousand services don't ask at the same moment.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/5+1) }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
