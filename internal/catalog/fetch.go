package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/token"
)

// maxDocument bounds a document; a large one has some hundred kilobytes.
const maxDocument = 8 << 20

// newTransport goes straight to the service: no proxy of the environment, and no decompression, which would let a small
// answer grow.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        3 * time.Second, // before the service closes it just as we ask; Node does after 5 s
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Run fetches each service's document at once and then again and again, until ctx ends. A service that does not answer
// holds up no other.
func (k *Catalog) Run(ctx context.Context) error {
	var group sync.WaitGroup
	for _, e := range k.entries {
		if e.OpenAPI != "" {
			group.Go(func() { k.follow(ctx, e) })
		}
	}
	group.Wait()
	return nil
}

func (k *Catalog) follow(ctx context.Context, e *entry) {
	for {
		k.refresh(ctx, e)
		wait := k.Every - time.Duration(rand.Int64N(int64(k.Every)/5+1)) // so that not all are asked at once
		if state := e.view.Load().State; state != Ready && wait > k.Every/6 {
			wait = k.Every / 6 // somebody waits for it to come back
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Refresh fetches a service's document now.
func (k *Catalog) Refresh(ctx context.Context, name string) {
	if e, ok := k.entries[name]; ok && e.OpenAPI != "" {
		k.refresh(ctx, e)
	}
}

// refresh asks in each language. What is wrong is shown with the service, and logged when it begins.
func (k *Catalog) refresh(ctx context.Context, e *entry) {
	e.asking.Lock()
	defer e.asking.Unlock()
	state, detail, fetched := Ready, "", []Document{}
	for _, language := range Languages {
		d, err := k.fetch(ctx, e, language)
		if err != nil {
			state, detail = Unreachable, err.Error()
			break
		}
		fetched = append(fetched, d)
	}
	if ctx.Err() != nil {
		return // it is we who stop
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range fetched {
		if err := k.replace(ctx, e, d); err != nil {
			state, detail = Invalid, err.Error()
		}
	}
	if err := k.settle(ctx, e); err != nil {
		k.Log.Warn("grants of a service not read", "service", e.Name, "err", err)
		return // what was in force stays
	}
	if before := e.view.Load(); state != Ready && (before.State != state || before.Detail != detail) {
		k.Log.Warn("document of a service", "service", e.Name, "state", state, "err", detail)
	}
	e.show(state, detail)
}

// replace takes a document that was fetched, and keeps it when it is another than before.
func (k *Catalog) replace(ctx context.Context, e *entry, d Document) error {
	if _, compiled := e.compiled[d.Language]; compiled && bytes.Equal(e.documents[d.Language].Body, d.Body) {
		e.documents[d.Language] = d
		return nil
	}
	if err := k.take(e, d); err != nil {
		return err
	}
	if err := k.Store.Keep(ctx, d); err != nil {
		k.Log.Warn("document of a service not kept", "service", e.Name, "err", err)
		d.ETag = "" // so that it comes again, and is kept then
		d.Body = nil
		e.documents[d.Language] = d
	}
	return nil
}

// settle reads the grants, which another node or an administrator may have changed, and adds what needs nobody's.
func (k *Catalog) settle(ctx context.Context, e *entry) error {
	grants, err := k.Store.Grants(ctx, e.Name)
	if err != nil {
		return err
	}
	if service, ok := e.compiled[Languages[0]]; ok {
		more := unasked(service, grants)
		if len(more) > 0 {
			if err := k.Store.Grant(ctx, e.Name, more); err != nil {
				return err
			}
		}
		for key, terms := range more {
			grants[key] = terms
		}
	}
	e.grants = grants
	return nil
}

// fetch asks for the document in one language; the one before when it has not changed. The caller holds asking.
func (k *Catalog) fetch(ctx context.Context, e *entry, language string) (Document, error) {
	before := e.documents[language]
	answer, err := k.ask(ctx, e, language)
	if err != nil {
		return Document{}, err
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusNotModified && before.ETag != "":
		before.FetchedAt = k.Now()
		return before, nil
	case answer.StatusCode != http.StatusOK:
		return Document{}, fmt.Errorf("it answers %d to a request for its document", answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxDocument+1))
	if err != nil {
		return Document{}, bare(err)
	}
	if len(text) > maxDocument {
		return Document{}, errors.New("its document is larger than 8 MiB")
	}
	return Document{Service: e.Name, Language: language, ETag: answer.Header.Get("ETag"), FetchedAt: k.Now(), Body: text}, nil
}

func (k *Catalog) ask(ctx context.Context, e *entry, language string) (*http.Response, error) {
	bearer, err := k.token(e.Name)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+e.OpenAPI, nil)
	if err != nil {
		return nil, bare(err)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Accept", "application/json, application/yaml;q=0.9, */*;q=0.1")
	request.Header.Set("Accept-Language", language)
	request.Header.Set("User-Agent", "munjigi")
	if tag := e.documents[language].ETag; tag != "" {
		request.Header.Set("If-None-Match", tag)
	}
	answer, err := k.http.Do(request)
	if err != nil {
		return nil, bare(err)
	}
	return answer, nil
}

// token is the one by which the service knows that it is Munjigi who asks; see package credentials.
func (k *Catalog) token(service string) (string, error) {
	now := k.Now().Truncate(time.Second)
	kid, _ := k.Keys.Active()
	return k.Keys.Sign(kid, token.Claims{
		Issuer: k.Issuer, Subject: token.Ourselves, Audience: []string{service}, ClientID: token.Ourselves,
		IssuedAt: now.Unix(), ExpiresAt: now.Add(token.Skew).Unix(), AuthTime: now.Unix(),
		ID: token.NewID(), SessionID: token.NewSessionID(), Realm: token.Ourselves, Roles: []string{},
	})
}

// bare is an error of net/http without the address, which people who see it need not know.
func bare(err error) error {
	if trouble, ok := errors.AsType[*url.Error](err); ok {
		err = trouble.Err
	}
	if trouble, ok := errors.AsType[net.Error](err); ok && trouble.Timeout() {
		return errors.New("it does not answer in time")
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return errors.New("it cannot be reached")
	}
	return err
}
