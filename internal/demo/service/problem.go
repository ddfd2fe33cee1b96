package service

import (
	"errors"
	"net/http"

	"golang.org/x/text/language"

	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/verify"
)

// Problem is a refusal of the service's own, with a code of the service's own. The title is a whole sentence for the
// person who asked; there is no word about it in Munjigi's list of codes.
type Problem struct {
	Status int
	Code   string
	Text
}

// Text is one sentence in the languages that the services speak.
type Text struct{ English, Korean string }

// In is the text in "ko" or, for anything else, in English.
func (t Text) In(language string) string {
	if language == "ko" && t.Korean != "" {
		return t.Korean
	}
	return t.English
}

func (p *Problem) Error() string { return p.Code + ": " + p.English }

// Conflict is a refusal because of the state of things: 409.
func Conflict(code, english, korean string) *Problem {
	return &Problem{http.StatusConflict, code, Text{english, korean}}
}

// Forbidden is a refusal because of who asks: 403.
func Forbidden(code, english, korean string) *Problem {
	return &Problem{http.StatusForbidden, code, Text{english, korean}}
}

// Changed is the answer to an If-Match that does not hold: 412.
func Changed() error { return fault.New(fault.EditConflict, "If-Match is not the ETag of this record") }

// Said is a problem as it crosses the wire (RFC 9457), alone or as the outcome for one of many rows.
type Said struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
}

// Say is what err means for whoever asked.
func Say(r *http.Request, err error) Said {
	if own, ok := errors.AsType[*Problem](err); ok {
		return Said{own.Status, own.Code, own.In(Language(r))}
	}
	known := fault.ProblemOf(err, Language(r), "")
	return Said{known.Status, string(known.Code), known.Title}
}

// refuse answers with an error: the service's own problems here, everything else as Munjigi does.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	own, ok := errors.AsType[*Problem](err)
	if !ok {
		verify.Refuse(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Language", Language(r))
	header.Add("Vary", "Accept-Language")
	writeBody(w, own.Status, "application/problem+json", Say(r, err))
}

var languages = language.NewMatcher([]language.Tag{language.English, language.Korean})

// Language is "ko" or "en", whichever the caller likes better (RFC 9110 §12.5.4).
func Language(r *http.Request) string {
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(wanted) == 0 {
		return "en"
	}
	if _, at, _ := languages.Match(wanted...); at == 1 {
		return "ko"
	}
	return "en"
}

// Wrong collects what is wrong with a request. The zero value is a request in order.
type Wrong struct{ fields []fault.Field }

// If notes that the value at a JSON pointer is wrong, and what was wanted there.
func (w *Wrong) If(bad bool, pointer, english, korean string) {
	if bad {
		w.fields = append(w.fields, fault.Field{Pointer: pointer, Detail: english, Korean: korean})
	}
}

// Err is nil for a request in order, else 422 with everything that is wrong.
func (w *Wrong) Err() error {
	if len(w.fields) == 0 {
		return nil
	}
	err := fault.New(fault.RequestInvalid, "")
	err.Fields = w.fields
	return err
}
