package service

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// post is a call with an Idempotency-Key.
func post(handler http.Handler, key string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("POST", "/x", strings.NewReader("{}"))
	request.Header.Set("Idempotency-Key", key)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

// Whoever repeats a call that is still under way waits for its outcome.
func TestARepeatWaitsForTheFirst(t *testing.T) {
	entered, release := make(chan bool, 2), make(chan bool)
	handler := newOnce(time.Now).guard(true, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		entered <- true
		<-release
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, "done")
	}))
	var both sync.WaitGroup
	answers := make([]*httptest.ResponseRecorder, 2)
	both.Go(func() { answers[0] = post(handler, "k") })
	<-entered
	both.Go(func() { answers[1] = post(handler, "k") })
	select {
	case <-entered:
		t.Error("it is done twice at the same time")
	case <-time.After(300 * time.Millisecond): // long enough for one that does not wait
	}
	close(release)
	both.Wait()
	for i, answer := range answers {
		if answer.Code != http.StatusCreated || answer.Body.String() != "done" {
			t.Errorf("answer %d: %d %s", i, answer.Code, answer.Body)
		}
	}
}

// The memory of answers has an end: the oldest are forgotten, and all after a day.
func TestAnswersAreForgotten(t *testing.T) {
	now, done := time.Unix(1_790_000_000, 0), 0
	o := newOnce(func() time.Time { return now })
	handler := o.guard(true, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { done++ }))
	for range 2 {
		post(handler, "a")
	}
	now = now.Add(keptFor - time.Second)
	post(handler, "a")
	if done != 1 {
		t.Errorf("within a day it was done %d times", done)
	}
	now = now.Add(time.Second)
	post(handler, "a")
	if done != 2 {
		t.Errorf("after a day it was done %d times", done)
	}
	for i := range keptMost + 10 {
		post(handler, "b"+strings.Repeat("x", i%100)+time.Duration(i).String())
	}
	if len(o.known) > keptMost || len(o.order) != len(o.known) {
		t.Errorf("%d answers are kept, %d in order", len(o.known), len(o.order))
	}
}
