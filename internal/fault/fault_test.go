package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryCodeHasAStatusAndTwoSentences(t *testing.T) {
	for _, code := range Codes() {
		if status := code.Status(); status < 401 || status > 504 {
			t.Errorf("%s: status %d", code, status)
		}
		en, ko := code.Sentence("en"), code.Sentence("ko")
		if !strings.HasSuffix(en, ".") || !strings.HasSuffix(ko, ".") {
			t.Errorf("%s: want whole sentences, got %q and %q", code, en, ko)
		}
		if !strings.ContainsFunc(ko, func(r rune) bool { return r >= '가' && r <= '힣' }) {
			t.Errorf("%s: %q is not Korean", code, ko)
		}
	}
}

func TestCutOffAccusesNobody(t *testing.T) {
	if got, want := SessionCutOff.Sentence("en"), "Your company account could not be confirmed. Sign in again."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProblemOf(t *testing.T) {
	secret := errors.New("dial tcp 10.0.0.7: password hunter2")
	for name, test := range map[string]struct {
		err  error
		want Problem
	}{
		"an error without a code tells nothing": {
			secret,
			Problem{Status: 500, Code: Internal, Title: Internal.Sentence("en"), Request: "r1"},
		},
		"the cause stays inside, the detail goes out": {
			fmt.Errorf("renew: %w", &Error{Code: StoreUnavailable, Detail: "busy", Err: secret, RetryAfter: 1500 * time.Millisecond}),
			Problem{Status: 503, Code: StoreUnavailable, Title: StoreUnavailable.Sentence("en"), Detail: "busy", Request: "r1", RetryAfter: 2},
		},
		"a service that was too slow is named, with a status of its own": {
			&Error{Code: ServiceUnreachable, Service: "market", Late: true},
			Problem{Status: 504, Code: ServiceUnreachable, Title: ServiceUnreachable.Sentence("en"), Request: "r1", Service: "market"},
		},
		"a replaced session says when and by what": {
			&Error{Code: SessionReplaced, ReplacedAt: time.Unix(1790000000, 0), ReplacedBy: "Chrome on Windows"},
			Problem{Status: 401, Code: SessionReplaced, Title: SessionReplaced.Sentence("en"), Request: "r1", ReplacedAt: 1790000000, ReplacedBy: "Chrome on Windows"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ProblemOf(test.err, "en", "r1")); diff != "" {
				t.Errorf("problem (-want +got):\n%s", diff)
			}
		})
	}
}

// A detail that is for people is in the language of whom it answers; the others stay as they are.
func TestProblemOfInKorean(t *testing.T) {
	fields := []Field{{Pointer: "/password", Detail: "too short", Korean: "너무 짧습니다"}, {Pointer: "/app", Detail: "unknown"}}
	err := &Error{Code: RequestInvalid, Fields: fields}
	for language, want := range map[string][]Field{
		"ko": {{Pointer: "/password", Detail: "너무 짧습니다"}, {Pointer: "/app", Detail: "unknown"}},
		"en": {{Pointer: "/password", Detail: "too short"}, {Pointer: "/app", Detail: "unknown"}},
	} {
		if diff := cmp.Diff(want, ProblemOf(err, language, "r1").Errors); diff != "" {
			t.Errorf("%s (-want +got):\n%s", language, diff)
		}
	}
	if fields[0].Korean == "" {
		t.Error("the error itself was changed")
	}
}
