package market

import (
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/munjigi/munjigi/internal/demo/chance"
	"github.com/munjigi/munjigi/internal/demo/market/stock"
	"github.com/munjigi/munjigi/internal/demo/service"
	"github.com/munjigi/munjigi/internal/fault"
)

const (
	eventDays   = 90
	eventsADay  = 1400
	eventsMade  = eventDays * eventsADay
	eventsNoted = 5000 // of those that happen while the market runs; the oldest goes
)

// event is one line of the activity log.
type event struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	ShopID  string    `json:"shop_id"`
	Subject string    `json:"subject"` // the id of what it was done to
	By      string    `json:"by"`
}

var eventKinds = []string{
	"shop.signed_in", "product.viewed", "product.changed", "price.changed", "stock.changed", "order.placed", "order.shipped",
	"order.refunded", "order.cancelled", "order.noted", "ad.clicked", "points.granted", "customer.blocked", "customer.unblocked", "product.created",
	"product.deleted", "product.hidden", "product.pictured", "settings.changed", "shop.opened", "shop.deleted", "shop.suspended", "shop.reopened", "stock.recounted",
}

// usually is how often each of the first kinds happens, of 64; what the staff do is noted when they do it.
var usually = [...]int{6, 26, 3, 1, 7, 6, 6, 1, 0, 0, 8}

// kindOf is the index of a kind for each of 64 chances.
var kindOf = func() (table [64]uint8) {
	at := 0
	for kind, times := range usually {
		for range times {
			table[at] = uint8(kind)
			at++
		}
	}
	return table
}()

// activity is a log of more than a hundred thousand lines, none of which is kept: each is made up from its number when
// somebody looks. Numbers are in the order of time. What happens while the market runs is kept, after them.
type activity struct {
	begin time.Time // midnight of the first day
	until time.Time // when the market started: nothing made up is later
	past  int       // how many are made up

	mu    sync.Mutex // guards what is below
	noted []event
	gone  int // how many noted ones went
}

func newActivity(now time.Time) *activity {
	a := &activity{begin: chance.Midnight(now).AddDate(0, 0, 1-eventDays), until: now}
	a.past = sort.Search(eventsMade, func(n int) bool { return a.time(n).After(now) })
	return a
}

// time is when a made-up event happened.
func (a *activity) time(n int) time.Time {
	day, place := n/eventsADay, n%eventsADay
	share := (float64(place) + chance.Unit(chance.Mix(uint64(n)))) / eventsADay
	return a.begin.AddDate(0, 0, day).Add(chance.TimeOfDay(share)).Truncate(time.Second)
}

// kind and shop are the parts of a made-up event that filters look at; the rest is not worth making up for those that
// nobody sees.
func (a *activity) kind(n int) string { return eventKinds[kindOf[chance.Mix(uint64(n)*3+1)%64]] }

func (a *activity) shop(n int) string {
	u := chance.Unit(chance.Mix(uint64(n)*3 + 2))
	return "s" + strconv.Itoa(1+int(u*u*stock.Shops))
}

func (a *activity) event(n int) event {
	one := event{ID: "e" + strconv.Itoa(n), At: a.time(n), Kind: a.kind(n), ShopID: a.shop(n), By: "system"}
	of := chance.Mix(uint64(n) * 3)
	switch {
	case strings.HasPrefix(one.Kind, "order."):
		one.Subject = "o" + strconv.FormatUint(1+of%10_000, 10)
	case one.Kind == "shop.signed_in":
		one.Subject, one.By = one.ShopID, "shop"
	case one.Kind == "ad.clicked":
		one.Subject, one.By = "a"+strconv.FormatUint(1+of%120, 10), "visitor"
	default:
		one.Subject = "p" + strconv.FormatUint(1+of%2000, 10)
	}
	return one
}

// note writes down what somebody has done.
func (m *market) note(r *http.Request, kind, shop, subject string) {
	a := m.activity
	a.mu.Lock()
	defer a.mu.Unlock()
	number := a.past + a.gone + len(a.noted)
	a.noted = append(a.noted, event{"e" + strconv.Itoa(number), m.now().UTC().Truncate(time.Second), kind, shop, subject, caller(r)})
	if len(a.noted) > eventsNoted {
		a.noted = a.noted[1:]
		a.gone++
	}
}

// asked are the filters of a list of events.
type asked struct {
	kind, shop   string
	since, until time.Time
}

func (f asked) wants(kind, shop string) bool {
	return service.Is(f.kind, kind) && service.Is(f.shop, shop)
}

// newest are at most size events below a number, newest first, and the number to go on below; 0 when that was all. It is
// never known how many there are: nobody counts a log.
func (a *activity) newest(f asked, below, size int) (found []event, next int) {
	a.mu.Lock()
	noted, first := a.noted, a.past+a.gone
	a.mu.Unlock()
	found = []event{}
	at := min(below, first+len(noted))
	for ; at > first && len(found) < size; at-- {
		if one := noted[at-1-first]; f.wants(one.Kind, one.ShopID) && service.Within(one.At, f.since, f.until) {
			found = append(found, one)
		}
	}
	if at > first {
		return found, at
	}
	at = min(at, a.past, a.before(f.until))
	oldest := 0
	if !f.since.IsZero() {
		oldest = sort.Search(a.past, func(n int) bool { return !a.time(n).Before(f.since) })
	}
	for ; at > oldest && len(found) < size; at-- {
		if n := at - 1; f.wants(a.kind(n), a.shop(n)) {
			found = append(found, a.event(n))
		}
	}
	if at > oldest {
		return found, at
	}
	return found, 0
}

// before is how many made-up events are earlier than a time; all of them for none.
func (a *activity) before(end time.Time) int {
	if end.IsZero() {
		return a.past
	}
	return sort.Search(a.past, func(n int) bool { return !a.time(n).Before(end) })
}

// eventPage is cut by a cursor.
type eventPage struct {
	Items []event `json:"items"`
	Next  *string `json:"next_cursor"` // null = that was all
}

func (m *market) listEvents(r *http.Request) (any, error) {
	q := service.QueryOf(r)
	f := asked{kind: q.Choice("kind", eventKinds...), shop: q.Text("shop_id")}
	f.since, f.until = q.Range("since", "until", chance.Seoul)
	size := q.Int("limit", 50, 1, mostRows)
	below, err := readCursor(q.Text("cursor"))
	if err == nil {
		err = q.Err()
	}
	if err != nil {
		return nil, err
	}
	found, next := m.activity.newest(f, below, size)
	answer := eventPage{Items: found}
	if next > 0 {
		cursor := "b" + strconv.FormatInt(int64(next), 36)
		answer.Next = &cursor
	}
	return answer, nil
}

// readCursor is the number below which a list goes on; without a cursor it begins at the top.
func readCursor(text string) (int, error) {
	if text == "" {
		return int(^uint(0) >> 1), nil
	}
	digits, ok := strings.CutPrefix(text, "b")
	n, err := strconv.ParseInt(digits, 36, 32)
	var wrong service.Wrong
	wrong.If(!ok || err != nil || n < 1, "/cursor", "one that a page before gave", "이전 페이지가 알려 준 값이어야 합니다")
	return int(n), wrong.Err()
}

func (m *market) getEvent(r *http.Request) (any, error) {
	a := m.activity
	digits, ok := strings.CutPrefix(r.PathValue("id"), "e")
	n, err := strconv.Atoi(digits)
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.past + a.gone
	switch {
	case !ok || err != nil || n < 0:
		return nil, fault.New(fault.NotFound, "no such id")
	case n < a.past:
		return a.event(n), nil
	case n >= first && n < first+len(a.noted):
		return a.noted[n-first], nil
	default:
		return nil, fault.New(fault.NotFound, "no such id")
	}
}
