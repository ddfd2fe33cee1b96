package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/gateway/mask"
	"github.com/munjigi/munjigi/internal/gateway/sheet"
)

// contentPolicy is of everything that a service answers: should a browser ever show it as a page, it is one of nowhere.
const contentPolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"

// forward sends the call and passes the answer back, piece by piece.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, c *call) error {
	ctx, watch := g.watch(r.Context(), c.who)
	defer watch.stop()
	limit := g.Limits.Upload
	if c.operation.Body == nil || isJSON(c.operation.Body.Media) || c.operation.Body.Media == "" {
		limit = g.Limits.Body
	}
	if r.ContentLength > limit {
		return fault.New(fault.TooLarge, fmt.Sprintf("at most %d bytes", limit))
	}
	out := newOutward(w, watch, g.Limits.Download)
	in := r.WithContext(ctx)
	if r.ContentLength != 0 {
		c.body = newIncoming(w, r.Body, watch, limit)
		c.body.guarded = c.table.veiled && limit == g.Limits.Body
		in.Body = c.body
	}
	proxy := httputil.ReverseProxy{
		Rewrite:        func(p *httputil.ProxyRequest) { c.rewrite(p.Out) },
		Transport:      g.Transport,
		BufferPool:     g.buffers,
		ModifyResponse: c.receive,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { c.err = err },
		ErrorLog:       slog.NewLogLogger(g.Log.Handler(), slog.LevelDebug), // answers that were cut off
	}
	proxy.ServeHTTP(out, in)
	if c.err != nil {
		out.until.move() // what is told now may be late
		return trouble(ctx, c.service.name, c.err)
	}
	return nil
}

// rewrite makes the request for the service: nothing in it is the caller's but what was read and found good.
func (c *call) rewrite(out *http.Request) {
	at := c.table.at
	plain, _ := url.PathUnescape(c.table.base + c.path)
	out.URL = &url.URL{Scheme: at.Scheme, Host: at.Host, Path: plain, RawPath: c.table.base + c.path, RawQuery: c.query}
	out.Host = ""
	out.Header = c.header
	out.Header.Set("Authorization", "Bearer "+c.bearer)
	out.Header.Set("User-Agent", "munjigi")
	out.Header.Set("Munjigi-Request", c.who.Request)
	if out.Header.Get("Accept-Language") == "" {
		out.Header.Set("Accept-Language", c.who.Language)
	}
	out.Trailer, out.TransferEncoding = nil, nil
	if c.operation.Write() {
		out.Header.Set("Idempotency-Key", c.key)
		if c.body == nil {
			// Not nil: with this header net/http would try a request without a body a second time by itself, and not every
			// service knows a key again.
			out.Body = io.NopCloser(bytes.NewReader(nil))
			out.GetBody = nil
		}
	}
}

// receive judges what the service answers, and makes of it what may be passed on. An error means that nothing of it is.
func (c *call) receive(answer *http.Response) error {
	c.status = answer.StatusCode
	if err := c.judge(answer); err != nil {
		return err
	}
	header := http.Header{}
	for _, name := range passedBack {
		if value := answer.Header.Get(name); value != "" {
			header.Set(name, value)
		}
	}
	for name := range c.table.total {
		if value := answer.Header.Get(name); value != "" {
			header.Set(name, value)
		}
	}
	c.passLinks(answer, header)
	answer.Header, answer.Trailer = header, nil
	header.Set("Munjigi-From", "service")
	if answer.StatusCode >= http.StatusBadRequest {
		return c.passProblem(answer)
	}
	asDownload(header)
	if err := c.hide(answer); err != nil {
		return err
	}
	if answer.ContentLength < 0 && isJSON(header.Get("Content-Type")) {
		// Of unknown length the proxy would flush each piece, and the headers ahead of all, by a goroutine of its own. That
		// is for streams; of JSON nobody can use a half. The number is used for nothing else.
		answer.ContentLength = 0
	}
	return nil
}

// judge tells what is no answer at all.
func (c *call) judge(answer *http.Response) error {
	status, kind := answer.StatusCode, answer.Header.Get("Content-Type")
	page := strings.HasPrefix(strings.ToLower(strings.TrimSpace(kind)), "text/html")
	documented := c.operation.Answer != nil && strings.HasPrefix(c.operation.Answer.Media, "text/html") && status < 300
	switch {
	case status >= 500:
		return &fault.Error{Code: fault.ServiceUnreachable, Service: c.service.name, Detail: fmt.Sprintf("%s answers %d", c.service.name, status)}
	case status < 200 || status >= 300 && status < 400 && status != http.StatusNotModified:
		return unreachable(c.service.name, fmt.Sprintf("it answers %d, and a redirect is not followed", status))
	case page && !documented:
		return unreachable(c.service.name, fmt.Sprintf("it answers %d with a web page, where its document says otherwise", status))
	case status == http.StatusPreconditionFailed:
		return &fault.Error{Code: fault.EditConflict, Service: c.service.name}
	}
	return nil
}

// hide puts masks over what is sensitive. An answer that cannot be read cannot be masked, and is not passed on.
func (c *call) hide(answer *http.Response) error {
	if c.mask == nil || c.reveal || answer.StatusCode == http.StatusNotModified || answer.StatusCode == http.StatusNoContent || answer.Request.Method == http.MethodHead {
		return nil
	}
	if answer.ContentLength == 0 {
		return nil
	}
	if !isJSON(answer.Header.Get("Content-Type")) || answer.Header.Get("Content-Encoding") != "" {
		return unreachable(c.service.name, "its answer has sensitive fields and is not plain JSON, so they cannot be masked")
	}
	c.cover(answer, c.mask)
	return nil
}

func (c *call) cover(answer *http.Response, m *mask.Mask) {
	answer.Header.Del("Content-Length")
	answer.ContentLength = -1
	answer.Body = mask.Reader(answer.Body, m)
}

// maxProblem bounds what is read of a service's refusal; the rest is dropped.
const maxProblem = 64 << 10

// passProblem passes a service's refusal on, as JSON in any case. Its 401 is about the token between us and it, so it
// bears no code that could end a session or have it renewed; but "ask the provider anew" is meant for the person.
func (c *call) passProblem(answer *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	if err != nil {
		return err
	}
	_ = answer.Body.Close() // what is left of it nobody wants
	problem := map[string]json.RawMessage{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if !isJSON(answer.Header.Get("Content-Type")) || decoder.Decode(&problem) != nil {
		problem = map[string]json.RawMessage{}
		if said := strings.TrimSpace(strings.ToValidUTF8(string(text[:min(len(text), 1000)]), "")); said != "" {
			problem["detail"], _ = json.Marshal(said)
		}
	}
	problem["status"], _ = json.Marshal(answer.StatusCode)
	problem["service"], _ = json.Marshal(c.service.name)
	if answer.StatusCode == http.StatusUnauthorized {
		var code string
		if json.Unmarshal(problem["code"], &code) != nil || code != string(fault.TokenStaleCheck) {
			delete(problem, "code")
		}
		delete(problem, "service") // the client would ask for a token of its own for it
	}
	body, err := json.Marshal(problem)
	if err != nil {
		return unreachable(c.service.name, "its refusal cannot be read")
	}
	answer.Header.Set("Content-Type", "application/problem+json")
	answer.Header.Del("Content-Disposition")
	answer.Header.Del("Content-Encoding")
	answer.Header.Set("Content-Length", fmt.Sprint(len(body)))
	answer.ContentLength = int64(len(body))
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if c.mask != nil && !c.reveal {
		c.cover(answer, c.mask.Names())
	}
	return nil
}

// passLinks writes addresses below the service's own as addresses of ours; all others are dropped.
func (c *call) passLinks(answer *http.Response, header http.Header) {
	if location := answer.Header.Get("Location"); location != "" && (answer.StatusCode == http.StatusCreated || answer.StatusCode == http.StatusAccepted) {
		if ours, ok := c.ours(location, answer.Request.URL); ok {
			header.Set("Location", ours)
		}
	}
	var links []string
	for _, link := range answer.Header.Values("Link") {
		for _, one := range sheet.SplitLinks(link) {
			address, parameters, ok := strings.Cut(strings.TrimPrefix(one, "<"), ">")
			if ours, below := c.ours(address, answer.Request.URL); ok && below {
				links = append(links, "<"+ours+">"+parameters)
			}
		}
	}
	if links != nil {
		header.Set("Link", strings.Join(links, ", "))
	}
}

// ours is an address of the service as the console calls it.
func (c *call) ours(address string, from *url.URL) (string, bool) {
	to, err := from.Parse(address)
	if err != nil || to.Scheme != from.Scheme || to.Host != from.Host || to.User != nil {
		return "", false
	}
	path, ok := strings.CutPrefix(to.EscapedPath(), c.table.base)
	if !ok || !strings.HasPrefix(path, "/") {
		return "", false
	}
	if _, err := split(path); err != nil {
		return "", false
	}
	if to.RawQuery != "" {
		path += "?" + to.RawQuery
	}
	return Base(c.service.name) + path, true
}

// buffers are for copying; at most as many as there are calls.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([32 << 10]byte) }}}
}

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte { return b.pool.Get().(*[32 << 10]byte)[:] }

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) {
	if len(buffer) == 32<<10 {
		b.pool.Put((*[32 << 10]byte)(buffer))
	}
}

var errTooLong = errors.New("the answer is longer than an answer may be")
