package gateway

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/fault"
)

// exported is the file without its mark, as rows.
func exported(t *testing.T, g got) [][]string {
	t.Helper()
	text, ok := strings.CutPrefix(g.body, byteOrderMark)
	if !ok || g.err != nil || g.status != 200 {
		t.Fatalf("got %d %q (%v)", g.status, g.body, g.err)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Every style of paging gives each row once, in order, and with every digit. What is sensitive is not in the file.
func TestExportOfEachStyle(t *testing.T) {
	const rows = 7
	body := func(from, to int, more string) string {
		var items []string
		for i := from; i < min(to, rows); i++ {
			items = append(items, fmt.Sprintf(`{"id":%d,"title":"order %d","phone":"010-%d"}`, 9223372036854775800+i, i, i))
		}
		return `{"items":[` + strings.Join(items, ",") + `]` + more + `}`
	}
	number := func(r *http.Request, name string) int {
		n, _ := strconv.Atoi(r.URL.Query().Get(name))
		return n
	}
	cursor := func(r *http.Request) (from, to int) {
		from = number(r, "cursor")
		return from, from + 2
	}
	for _, c := range []struct {
		name   string
		paging backoffice.Paging
		answer func(out http.ResponseWriter, r *http.Request)
		asked  int
	}{
		{"none", backoffice.Paging{Style: "none"}, func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 200, body(0, rows, "")) }, 1},
		{"page from 1", backoffice.Paging{Style: "page", Param: "cursor", Size: "size", SizeMost: 3, First: 1}, func(out http.ResponseWriter, r *http.Request) {
			size, n := number(r, "size"), number(r, "cursor")
			writeJSON(out, 200, body((n-1)*size, n*size, ""))
		}, 4},
		{"page from 0 with a total", backoffice.Paging{Style: "page", Param: "cursor", Size: "size", SizeMost: 7, Total: "header:X-Total-Count"}, func(out http.ResponseWriter, r *http.Request) {
			out.Header().Set("X-Total-Count", "7")
			size, n := number(r, "size"), number(r, "cursor")
			writeJSON(out, 200, body(n*size, (n+1)*size, ""))
		}, 1},
		{"page whose service gives fewer than asked", backoffice.Paging{Style: "page", Param: "cursor", Size: "size", SizeMost: 1000, First: 1}, func(out http.ResponseWriter, r *http.Request) {
			n := number(r, "cursor")
			writeJSON(out, 200, body((n-1)*4, n*4, ""))
		}, 3},
		{"offset", backoffice.Paging{Style: "offset", Param: "cursor", Size: "size", SizeUsual: 2, Total: "/total"}, func(out http.ResponseWriter, r *http.Request) {
			n := number(r, "cursor")
			writeJSON(out, 200, body(n, n+number(r, "size"), `,"total":7`))
		}, 4},
		{"cursor in the answer", backoffice.Paging{Style: "cursor", Param: "cursor", Next: "/next"}, func(out http.ResponseWriter, r *http.Request) {
			from, to := cursor(r)
			next := `,"next":null`
			if to < rows {
				next = fmt.Sprintf(`,"next":"%d"`, to)
			}
			writeJSON(out, 200, body(from, to, next))
		}, 4},
		{"cursor in an address in the answer", backoffice.Paging{Style: "cursor", Param: "cursor", Next: "/next"}, func(out http.ResponseWriter, r *http.Request) {
			from, to := cursor(r)
			next := ``
			if to < rows {
				next = fmt.Sprintf(`,"next":"http://elsewhere.test/x?a=1&cursor=%d"`, to)
			}
			writeJSON(out, 200, body(from, to, next))
		}, 4},
		{"Link", backoffice.Paging{Style: "cursor", Param: "cursor", Next: "link"}, func(out http.ResponseWriter, r *http.Request) {
			from, to := cursor(r)
			if to < rows {
				out.Header().Add("Link", fmt.Sprintf(`<https://elsewhere.test/?cursor=0>; rel="first", </admin/orders?a=1,2&cursor=%d>; rel="next"`, to))
			}
			writeJSON(out, 200, body(from, to, ""))
		}, 4},
		{"Link, its whole query", backoffice.Paging{Style: "cursor", Next: "link"}, func(out http.ResponseWriter, r *http.Request) {
			from, to := cursor(r)
			if to < rows {
				out.Header().Add("Link", fmt.Sprintf(`</admin/orders?cursor=%d>; rel=next`, to))
			}
			writeJSON(out, 200, body(from, to, ""))
		}, 4},
		{"last row, more", backoffice.Paging{Style: "cursor", Param: "cursor", Next: "last:id", More: "/more"}, func(out http.ResponseWriter, r *http.Request) {
			from := 0
			if after := r.URL.Query().Get("cursor"); after != "" {
				last, _ := strconv.ParseInt(after, 10, 64)
				from = int(last-9223372036854775800) + 1
			}
			writeJSON(out, 200, body(from, from+2, fmt.Sprintf(`,"more":%v`, from+2 < rows)))
		}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, nil)
			w.service.Resources[0].Paging = c.paging
			w.answers(c.answer)
			path := "/exports/market/admin/orders?status=paid"
			if c.paging.Param != "" {
				path += "&cursor=5&size=1" // where the list on the screen is does not matter
			}
			got := exported(t, w.ask("GET", path, ""))
			want := [][]string{{"id", "title"}}
			for i := range rows {
				want = append(want, []string{fmt.Sprint(9223372036854775800 + i), fmt.Sprintf("order %d", i)})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if w.asked() != c.asked {
				t.Errorf("the service was asked %d times, want %d", w.asked(), c.asked)
			}
			for _, r := range w.seen[:min(len(w.seen), 1)] {
				if r.URL.Query().Get("status") != "paid" {
					t.Errorf("asked %s: the filter is lost", r.URL)
				}
			}
			if got := w.events(); !cmp.Equal(got, []string{"exported listOrders", "call_ended listOrders  7"}) {
				t.Errorf("events: %q", got)
			}
		})
	}
}

// A file that is cut short must not look whole.
func TestExportBreaksOff(t *testing.T) {
	for name, second := range map[string]http.HandlerFunc{
		"refused":    func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 403, `{}`) },
		"down":       func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 500, `{}`) },
		"no JSON":    func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 200, `{"items":[`) },
		"no rows":    func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 200, `{"items":{}}`) },
		"a circle":   func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, 200, `{"items":[{"id":2}],"next":"a"}`) },
		"a web page": func(out http.ResponseWriter, _ *http.Request) { out.Header().Set("Content-Type", "text/html") },
		"cannot be read": func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", "text/csv")
			fmt.Fprint(out, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, nil)
			w.answers(func(out http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("cursor") != "" {
					second(out, r)
					return
				}
				writeJSON(out, 200, `{"items":[{"id":1}],"next":"a"}`)
			})
			g := w.ask("GET", "/exports/market/admin/orders", "")
			if g.status != 200 || g.err == nil {
				t.Errorf("got %d %q, and no broken connection", g.status, g.body)
			}
			if events := w.events(); len(events) != 2 || events[1] == "call_ended listOrders  1" || !strings.HasSuffix(events[1], map[bool]string{false: " 1", true: " 2"}[name == "a circle"]) {
				t.Errorf("events: %q", events)
			}
		})
	}
}

func TestExportThatIsRefused(t *testing.T) {
	w := open(t, func(c *Config) {
		c.Roles["market"] = Roles{Read: []string{"viewer"}, Write: []string{"editor"}, Export: []string{"accountant"}}
	})
	for path, want := range map[string]fault.Code{
		"/exports/market/admin/orders":          fault.RoleMissing,
		"/exports/market/admin/orders/7":        fault.OperationUnknown,
		"/exports/market/admin/nothing":         fault.OperationUnknown,
		"/exports/market":                       fault.OperationUnknown,
		"/exports/nowhere/admin/orders":         fault.NotFound,
		"/exports/market/admin/../admin/orders": fault.OperationUnknown,
	} {
		if g := w.ask("GET", path, ""); g.code != want {
			t.Errorf("%s: got %d %s, want %s", path, g.status, g.body, want)
		}
	}
	w.who.Account.Roles = []string{"accountant"}
	if g := w.ask("GET", "/exports/market/admin/orders?nothing=1", ""); g.code != fault.RequestInvalid {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if w.asked() != 0 {
		t.Errorf("the service was asked %d times", w.asked())
	}
	w.answers(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Retry-After", "0")
		writeJSON(out, 429, `{"code":"slow_down"}`)
	})
	if g := w.ask("GET", "/exports/market/admin/orders", ""); g.status != 429 || g.code != "slow_down" || g.header.Get("Content-Disposition") != "" {
		t.Errorf("got %d %s", g.status, g.body)
	}
}
