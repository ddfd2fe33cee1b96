package service

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	keptFor  = 24 * time.Hour
	keptMost = 2000 // answers
)

// once answers a write that bears an Idempotency-Key a second time as it did the first time. Only what was done is kept:
// a refusal changed nothing, and may be another one next time.
type once struct {
	now func() time.Time

	mu    sync.Mutex // guards what is below
	known map[string]*kept
	order []string // keys of known, oldest first
}

type kept struct {
	doing  sync.Mutex // held while the call runs: a repeat waits for its outcome
	body   [sha256.Size]byte
	at     time.Time
	done   bool
	status int
	header http.Header
	text   []byte
}

func newOnce(now func() time.Time) *once { return &once{now: now, known: map[string]*kept{}} }

// guard answers repeats of next, which is any call of a route that writes.
func (o *once) guard(writes bool, next http.Handler) http.Handler {
	if !writes {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if key == "" {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > 200 {
			refuse(w, r, wrongAt("", "an Idempotency-Key of at most 200 characters", "Idempotency-Key는 200자까지입니다"))
			return
		}
		o.answer(w, r, key, next)
	})
}

func (o *once) answer(w http.ResponseWriter, r *http.Request, key string, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	one := o.find(Caller(r).Subject + " " + r.Method + " " + r.URL.RequestURI() + " " + key)
	one.doing.Lock()
	defer one.doing.Unlock()
	sum := sha256.Sum256(body)
	switch {
	case one.done && one.body != sum:
		refuse(w, r, &Problem{http.StatusUnprocessableEntity, "idempotency_key_reused", Text{
			"This Idempotency-Key was used for another request. Reload the page, then try again.",
			"이미 다른 요청에 쓴 Idempotency-Key입니다. 페이지를 새로 고친 뒤 다시 시도하세요.",
		}})
	case one.done:
		one.repeat(w)
	default:
		record := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(record, r)
		if record.status < 300 {
			one.done, one.body, one.status, one.text = true, sum, record.status, record.text.Bytes()
			one.header = w.Header().Clone()
		}
	}
}

// find is what is known of a key, which is new when nothing is.
func (o *once) find(key string) *kept {
	o.mu.Lock()
	defer o.mu.Unlock()
	if one, ok := o.known[key]; ok && o.now().Sub(one.at) < keptFor {
		return one
	}
	if len(o.order) >= keptMost {
		delete(o.known, o.order[0])
		o.order = o.order[1:]
	}
	o.order = slices.DeleteFunc(o.order, func(other string) bool { return other == key })
	o.order = append(o.order, key)
	o.known[key] = &kept{at: o.now()}
	return o.known[key]
}

func (k *kept) repeat(w http.ResponseWriter) {
	for name, values := range k.header {
		w.Header()[name] = values
	}
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(k.status)
	w.Write(k.text) // a client that went away needs no answer
}

// recorder writes an answer and keeps it.
type recorder struct {
	http.ResponseWriter
	status int
	text   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(text []byte) (int, error) {
	r.text.Write(text) // grows, never fails
	return r.ResponseWriter.Write(text)
}

// failing ends a body as reading it ended before.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
