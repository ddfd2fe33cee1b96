package gateway

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/gateway/sheet"
)

// export is a list on its way to a file: page by page, of which one is in memory.
type export struct {
	*call
	g        *Gateway
	watch    *watch
	resource *backoffice.Resource
	columns  []sheet.Column
	paging   *sheet.Paging
	rows     int
}

// Export is GET /exports/{service}{list path}: the whole list as CSV.
func (g *Gateway) Export(w http.ResponseWriter, r *http.Request, who Caller) error {
	e, err := g.prepareExport(r, who)
	if err != nil {
		return err
	}
	leave, err := e.service.enter()
	if err != nil {
		return err
	}
	defer leave()
	record, err := g.begin(r.Context(), e.call, audit.Exported)
	if err != nil {
		return err
	}
	defer func() { record.rows = e.rows; record.end() }() // also when it breaks off, which is a panic
	ctx, watch := g.watch(r.Context(), who)
	defer watch.stop()
	e.watch = watch
	return e.run(ctx, w)
}

func (g *Gateway) prepareExport(r *http.Request, who Caller) (*export, error) {
	name, path, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/exports/"), "/")
	s, t, err := g.find(name)
	if err != nil {
		return nil, err
	}
	if r.Method != http.MethodGet {
		return nil, unknown("an export is a GET")
	}
	f, err := t.match(http.MethodGet, "/"+path)
	if err != nil {
		return nil, err
	}
	resource, ok := t.lists[f.operation.ID]
	if !ok {
		return nil, unknown("this is no list")
	}
	if err := s.guarded(who, f.operation, s.roles.Export); err != nil {
		return nil, err
	}
	c := &call{found: f, who: who, service: s, table: t, mask: t.facts[f.operation].mask}
	if c.query, err = query(r.URL.RawQuery, f.operation); err != nil {
		return nil, err
	}
	if c.reason, err = ReadReason(r.Header); err != nil {
		return nil, err
	}
	if err := c.needsReason(); err != nil {
		return nil, err
	}
	// A list is in order or not for whoever reads it by machine: only filters, search and sort are the caller's.
	e := &export{call: c, g: g, resource: resource, paging: sheet.NewPaging(resource.Paging)}
	c.query = e.paging.Without(c.query)
	c.header = http.Header{"Accept": {"application/json"}}
	row := &resource.Row
	if each, ok := t.view.In(who.Language); ok { // titles in the person's language
		for i := range each.Resources {
			if each.Resources[i].Key == resource.Key {
				row = &each.Resources[i].Row
			}
		}
	}
	e.columns = sheet.Columns(row, &resource.Row)
	if len(e.columns) == 0 {
		return nil, unknown("the rows of this list have no fields that could be exported")
	}
	return e, nil
}

// run reads the first page before it answers, so that a refusal is one. After that all that can be done is to break off:
// a file that is cut short must not look whole.
func (e *export) run(ctx context.Context, w http.ResponseWriter) error {
	out := newOutward(w, e.watch, e.g.Limits.Download)
	p, answer, err := e.page(ctx)
	if err != nil {
		e.err = err
		return trouble(ctx, e.service.name, err)
	}
	if p == nil {
		return e.refuse(out, answer)
	}
	header := out.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	file := e.service.name + "-" + e.resource.Key + "-" + e.g.Now().UTC().Format("2006-01-02") + ".csv"
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file}))
	header.Set("Munjigi-From", "service")
	if err := e.write(ctx, out, p); err != nil {
		e.err = err
		e.g.Log.Warn("export broken off", "service", e.service.name, "operation", e.operation.ID, "rows", e.rows, "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// refuse passes on what the service says instead of the first page.
func (e *export) refuse(out http.ResponseWriter, answer *http.Response) error {
	defer answer.Body.Close()
	for name, values := range answer.Header {
		out.Header()[name] = values
	}
	out.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(out, answer.Body) // of an error nobody is left to be told
	return nil
}

// byteOrderMark has spreadsheets read the file as UTF-8.
const byteOrderMark = "\uFEFF"

func (e *export) write(ctx context.Context, out http.ResponseWriter, p *sheet.Page) error {
	buffered := bufio.NewWriterSize(out, 32<<10)
	if _, err := buffered.WriteString(byteOrderMark); err != nil {
		return err
	}
	writer := csv.NewWriter(buffered)
	writer.UseCRLF = true // RFC 4180
	if err := writer.Write(sheet.Titles(e.columns)); err != nil {
		return err
	}
	for {
		for _, row := range p.Rows {
			if e.rows++; e.rows > e.g.Limits.Rows {
				return fmt.Errorf("more than %d rows", e.g.Limits.Rows)
			}
			if err := writer.Write(sheet.Cells(e.columns, row, e.resource.Each)); err != nil {
				return err
			}
		}
		writer.Flush()
		if err := errors.Join(writer.Error(), buffered.Flush()); err != nil {
			return err
		}
		_ = http.NewResponseController(out).Flush() // an error means that there is no connection below, as in a test
		more, err := e.paging.Next(p, e.resource)
		if err != nil || !more {
			return err
		}
		if err := e.who.Alive(ctx); err != nil {
			return err
		}
		var answer *http.Response
		if p, answer, err = e.page(ctx); err != nil {
			return err
		}
		if p == nil {
			_ = answer.Body.Close()
			return fmt.Errorf("a page is answered with %d", answer.StatusCode)
		}
	}
}

// Some services slow down whoever asks much: a page is asked for again, a few times.
const (
	pageTries = 4
	pageWait  = 10 * time.Second // at most, between two
)

// page asks for the page that is next. Without an error it is nil when the service refuses: then the answer says why.
func (e *export) page(ctx context.Context) (*sheet.Page, *http.Response, error) {
	for try := 1; ; try++ {
		answer, err := e.ask(ctx)
		if err != nil {
			return nil, nil, err
		}
		if answer.StatusCode == http.StatusTooManyRequests && try < pageTries {
			_ = answer.Body.Close()
			if err := pause(ctx, answer.Header.Get("Retry-After")); err != nil {
				return nil, nil, err
			}
			continue
		}
		if answer.StatusCode >= http.StatusBadRequest {
			return nil, answer, nil
		}
		defer answer.Body.Close()
		p, err := sheet.ReadPage(answer, e.resource)
		if err != nil {
			err = &fault.Error{Code: fault.ServiceUnreachable, Service: e.service.name, Detail: e.service.name + ": its list is not as its document says", Err: err}
		}
		return p, answer, err
	}
}

func pause(ctx context.Context, retryAfter string) error {
	wait := time.Second
	if n, err := strconv.Atoi(retryAfter); err == nil && n >= 0 {
		wait = min(time.Duration(n)*time.Second, pageWait)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// ask makes one request for a page, as a call of the list would.
func (e *export) ask(ctx context.Context) (*http.Response, error) {
	var err error
	if e.bearer, err = e.g.bearer(e.who, e.service.name); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.table.view.URL, nil)
	if err != nil {
		return nil, err
	}
	filters := e.query
	e.query = e.paging.Add(filters)
	e.rewrite(request)
	e.query = filters
	answer, err := e.g.Transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	e.watch.bodies.Store(true)
	e.watch.moved.Store(time.Now().UnixNano())
	links := answer.Header.Values("Link") // as the service wrote them: they lead to its next page, not to ours
	if err := e.receive(answer); err != nil {
		_ = answer.Body.Close()
		return nil, err
	}
	if answer.StatusCode < http.StatusBadRequest {
		answer.Header["Link"] = links
	}
	return answer, nil
}
