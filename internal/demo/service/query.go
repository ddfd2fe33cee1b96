package service

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Query reads the parameters of a request and remembers what is wrong with them.
type Query struct {
	values url.Values
	wrong  Wrong
}

// QueryOf is the query of a request.
func QueryOf(r *http.Request) *Query { return &Query{values: r.URL.Query()} }

// Err is 422 when something was wrong with what has been read so far.
func (q *Query) Err() error { return q.wrong.Err() }

// Text is a parameter as it is, "" for none.
func (q *Query) Text(name string) string { return strings.TrimSpace(q.values.Get(name)) }

// Int is a whole number from least to most; absent when it is not there.
func (q *Query) Int(name string, absent, least, most int) int {
	text := q.Text(name)
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	limits := strconv.Itoa(least) + "–" + strconv.Itoa(most)
	q.wrong.If(err != nil || n < least || n > most, "/"+name, "a whole number, "+limits, "정수 "+limits)
	return n
}

// Choice is one of a closed list, "" for none.
func (q *Query) Choice(name string, from ...string) string {
	text := q.Text(name)
	all := strings.Join(from, ", ")
	q.wrong.If(text != "" && !slices.Contains(from, text), "/"+name, "one of "+all, "다음 중 하나: "+all)
	return text
}

// Bool is "true", "false", or "" for none.
func (q *Query) Bool(name string) string { return q.Choice(name, "true", "false") }

// Day is midnight, in the zone, of a day such as 2026-11-26; the zero time for none.
func (q *Query) Day(name string, zone *time.Location) time.Time {
	text := q.Text(name)
	if text == "" {
		return time.Time{}
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	q.wrong.If(err != nil, "/"+name, "a day such as 2026-11-26", "2026-11-26과 같은 날짜")
	return day
}

// Range is the days from and to, the latter included: to is the midnight after it. Absent ends are the zero time.
func (q *Query) Range(from, to string, zone *time.Location) (begin, end time.Time) {
	begin, end = q.Day(from, zone), q.Day(to, zone)
	q.wrong.If(!begin.IsZero() && !end.IsZero() && end.Before(begin), "/"+to, "not before "+from, "시작일보다 빠를 수 없습니다")
	if !end.IsZero() {
		end = end.AddDate(0, 0, 1)
	}
	return begin, end
}

// Within tells whether a time lies in a range as Range gives it.
func Within(at, begin, end time.Time) bool {
	return (begin.IsZero() || !at.Before(begin)) && (end.IsZero() || at.Before(end))
}

// Holds tells whether one of the texts contains what a search asks for; an empty search finds everything.
func Holds(search string, texts ...string) bool {
	if search == "" {
		return true
	}
	search = strings.ToLower(search)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), search) })
}

// Is tells whether a filter is absent or equals the value.
func Is(wanted, value string) bool { return wanted == "" || wanted == value }
