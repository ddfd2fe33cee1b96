package compile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a figure is compared with is drawn beside it, and is no card of its own. The names that a chart of rows gives are
// properties of the rows.
func TestWhatAFigureIsComparedWithIsNoCard(t *testing.T) {
	const document = `{"openapi":"3.1.0","info":{"title":"T","version":"1"},"paths":{"/stats":{"get":{"operationId":"s","responses":{"200":{"description":"ok","content":{"application/json":{"schema":
		{"type":"object","properties":{
			"sales":{"type":"integer","x-admin":{"chart":{"type":"stat","previous":"before"}}}, "before":{"type":"integer"},
			"month":{"type":"integer","x-admin":{"chart":{"type":"progress","target":"goal"}}}, "goal":{"type":"integer"},
			"old":{"type":"integer"},
			"days":{"type":"array","items":{"type":"object","properties":{"day":{"type":"string","format":"date"},"n":{"type":"integer"},"old":{"type":"integer"}}},
				"x-admin":{"chart":{"type":"line","x":"day","y":"n","previous":"old"}}}}}}}}}}}}}`
	service, err := Service("t", []byte(document), nil)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, card := range service.Cards {
		keys = append(keys, strings.TrimPrefix(card.Key, "s/"))
	}
	if diff := cmp.Diff([]string{"sales", "month", "old", "days"}, keys); diff != "" {
		t.Errorf("cards (-want +got):\n%s", diff)
	}
}
