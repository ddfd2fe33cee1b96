package compile

import (
	"slices"
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
	"github.com/munjigi/munjigi/internal/compile/naming"
	"github.com/munjigi/munjigi/internal/compile/value"
	"github.com/munjigi/munjigi/internal/openapi"
)

// figureWords are pieces of paths that answer figures.
var figureWords = []string{"stats", "statistics", "metrics", "summary", "dashboard", "figures", "counts", "count", "kpi", "kpis", "overview", "totals", "analytics", "usage"}

// cards makes the cards of an operation, and tells whether it has any: figures of an object, or one figure, or a time
// series. What has to be given beside a range of dates is a report.
func (t *tree) cards(o *op) bool {
	said := backoffice.Kind(o.note.Str("kind")) == backoffice.Figures
	from, to := t.rangeOf(o)
	if len(o.path.Params()) > 0 {
		return false
	}
	for _, name := range t.unknown(o) {
		if name != from && name != to {
			return false
		}
	}
	chart := value.ChartOf(o.note.Get("chart"))
	var cards []backoffice.Card
	switch o.shape.Form {
	case value.Scalar:
		if kind := o.shape.Top.Kind; kind == "integer" || kind == "number" || said {
			cards = append(cards, t.card(o, "", o.answer, chart))
		}
	case value.List:
		if chart == nil {
			chart = t.series(o.shape.Item)
		}
		if chart != nil {
			cards = append(cards, t.card(o, o.shape.Rows, o.shape.Top.Own, chart))
		}
	case value.Record:
		cards = t.figures(o, said)
	}
	for i := range cards {
		cards[i].From, cards[i].To = from, to
	}
	t.service.Cards = append(t.service.Cards, cards...)
	return len(cards) > 0
}

// card is one figure or chart, of the value at pointer.
func (t *tree) card(o *op, pointer string, node *openapi.Node, chart *backoffice.Chart) backoffice.Card {
	field := t.Field("", node)
	if chart == nil {
		chart = &backoffice.Chart{Type: "stat"}
	}
	return backoffice.Card{Key: strings.TrimSuffix(o.ID+pointer, "/"), Operation: o.ID, Title: t.nameOf(o), Pointer: pointer, Field: field, Chart: *chart}
}

// figures are the cards of an object: its numbers, its series. An object of which most is no figure has none, unless it
// is said or the path says so.
func (t *tree) figures(o *op, said bool) (cards []backoffice.Card) {
	pointer, node := t.Inner(o.shape.Top, o.path.Last())
	s := t.Flatten(node)
	others := 0
	for _, p := range s.Props {
		inner := t.Flatten(p.Node)
		chart := value.ChartOf(inner.Note("chart"))
		at := pointer + "/" + value.Escape(p.Name)
		switch {
		case inner.Kind == "integer" || inner.Kind == "number":
		case inner.Kind == "array" && chart == nil:
			chart = t.series(inner.Get("items"))
		}
		if number := inner.Kind == "integer" || inner.Kind == "number"; number || chart != nil {
			card := t.card(o, at, p.Node, chart)
			card.Field.Name, card.Title = p.Name, t.titleOf(p)
			cards = append(cards, card)
		} else if !strings.HasPrefix(inner.Text("format"), "date") {
			others++
		}
	}
	cards = alone(cards)
	named := slices.ContainsFunc(o.path.Words(), func(w string) bool {
		return slices.ContainsFunc(naming.Words(w), func(w string) bool { return slices.Contains(figureWords, strings.ToLower(w)) })
	})
	if !said && !named && others >= len(cards) {
		return nil
	}
	if len(cards) > 0 && !said {
		t.guess(o, "kind", "cards of the home page", "it answers figures and needs no parameters", "x-admin: {kind: cards}")
	}
	return cards
}

// alone leaves out the figures that another one is compared with: they are drawn beside it.
func alone(cards []backoffice.Card) []backoffice.Card {
	beside := map[string]bool{}
	for _, card := range cards {
		if card.Field.Type != "array" { // of an array they are properties of its rows
			beside[card.Chart.Previous], beside[card.Chart.Target] = true, true
		}
	}
	return slices.DeleteFunc(cards, func(card backoffice.Card) bool { return beside[card.Field.Name] })
}

func (t *tree) titleOf(p value.Prop) string {
	if title := p.Node.Str("title"); title != "" {
		return title
	}
	return naming.Label(p.Name)
}

// isSeries tells whether a list is a time series rather than records: rows of a date and figures, and no record of one
// of them.
func (t *tree) isSeries(o *op) bool {
	if len(t.at[o.path.All()+"/{}"]) > 0 || len(t.at[o.path.All()]) > 1 {
		return false
	}
	return value.ChartOf(o.note.Get("chart")) != nil || t.series(o.shape.Item) != nil
}

var timeNames = []string{"date", "day", "week", "month", "year", "hour", "timestamp", "ts", "bucket", "quarter", "minute"}

// countNames are words of names that say how much there is of something.
var countNames = []string{
	"count", "total", "amount", "sum", "value", "revenue", "sales", "share", "percent", "percentage", "rate", "average", "avg", "n", "number", "quantity", "qty", "score", "reputation", "visits", "views", "clicks",
}

func isCount(name string) bool {
	return slices.ContainsFunc(naming.Words(name), func(word string) bool {
		return slices.Contains(countNames, strings.ToLower(word)) || slices.Contains(countNames, strings.ToLower(naming.Singular(word)))
	})
}

// series is how rows of a point in time and figures are drawn, or of a name and one figure; nil for anything else.
func (t *tree) series(item *openapi.Node) *backoffice.Chart {
	if item == nil {
		return nil
	}
	s := t.Flatten(item)
	if len(s.Props) < 2 || len(s.Props) > 6 || s.Find("id") != nil {
		return nil
	}
	when, what, name := "", "", ""
	for _, p := range s.Props {
		inner := t.Flatten(p.Node)
		format := inner.Text("format")
		isTime := strings.HasPrefix(format, "date") || slices.Contains(timeNames, naming.Plain(p.Name))
		switch {
		case isTime && when == "" && (inner.Kind == "string" || inner.Kind == "integer"):
			when = p.Name
		case inner.Kind == "integer" || inner.Kind == "number":
			if what == "" {
				what = p.Name
			}
		case inner.Kind == "string" && name == "" && format == "":
			name = p.Name
		default:
			return nil
		}
	}
	switch {
	case when != "" && what != "":
		return &backoffice.Chart{Type: "line", X: when, Y: what, By: name}
	case name != "" && isCount(what) && len(s.Props) == 2:
		return &backoffice.Chart{Type: "bar", X: name, Y: what}
	}
	return nil
}

// rangeOf are the parameters of an operation's range of dates, if it has one.
func (t *tree) rangeOf(o *op) (from, to string) {
	var dated []backoffice.Parameter
	for _, p := range o.Parameters {
		if p.In == "query" && (strings.HasPrefix(p.Format, "date") || p.Type == "string" && len(p.Choices) == 0) {
			dated = append(dated, p)
		}
	}
	for _, p := range dated {
		a, b, base := other(p, dated)
		known := strings.HasPrefix(a.Format, "date") || slices.Contains([]string{"period", "date", "day", "time"}, strings.ToLower(base))
		if base != "" && known {
			return a.Name, b.Name
		}
	}
	return "", ""
}
