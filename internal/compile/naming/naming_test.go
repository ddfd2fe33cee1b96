package naming

import (
	"slices"
	"strings"
	"testing"
)

func TestLabel(t *testing.T) {
	for name, want := range map[string]string{
		"created_at": "Created at", "createdAt": "Created at", "customerId": "Customer ID", "userIDs": "User IDs", "HTTPServer": "HTTP server", "on-sale": "On sale",
		"SHOUTED_WORDS": "Shouted words", "page[size]": "Page size", "$schema": "Schema", "이름": "이름", "": "", "___": "___", "a": "A", "éclair_no": "Éclair no", "vatNumber": "VAT number",
	} {
		if got := Label(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"listShops": "list Shops", "getURLOf": "get URL Of", "v1Api": "v1 Api", "a.b-c d": "a b c d", "userIDs": "user IDs", "created[gte]": "created gte", "": "", "X": "X",
	} {
		if got := Words(name); strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestSingular(t *testing.T) {
	for many, want := range map[string]string{
		"shops": "shop", "categories": "category", "addresses": "address", "boxes": "box", "people": "person", "status": "status", "statuses": "status", "news": "news", "series": "series",
		"order-lines": "order-line", "shippingAddresses": "shippingAddress", "ips": "ip", "shelves": "shelf", "movies": "movie", "bus": "bus", "analysis": "analysis", "class": "class", "상점": "상점", "": "",
	} {
		if got := Singular(many); got != want {
			t.Errorf("%q: got %q, want %q", many, got, want)
		}
	}
}

func TestSame(t *testing.T) {
	for _, pair := range [][2]string{{"orderLines", "order_line"}, {"shops", "Shop"}, {"page[size]", "pageSize"}} {
		if !Same(pair[0], pair[1]) {
			t.Errorf("%v are not the same", pair)
		}
	}
	if Same("shop", "shopper") || Same("order", "orderLines") {
		t.Error("different things are the same")
	}
}

// A path in pieces, and as it is compared: what its values are called does not matter, where they are does.
func TestPaths(t *testing.T) {
	tests := []struct{ path, key, params, words string }{
		{"/shops/{id}", "/shops/{}", "id", "shops"},
		{"/shops/{shopId}/", "/shops/{}", "shopId", "shops"},
		{"/shops/{id}:suspend", "/shops/{}/:suspend", "id", "shops suspend"},
		{"/shops:purge", "/shops/:purge", "", "shops purge"},
		{"/a/{b}/c/{d}", "/a/{}/c/{}", "b d", "a c"},
		{"/files/{id}.json", "/files/{id}.json", "id", "files {id}.json"},
		{"/", "", "", ""},
		{"/a:/b", "/a:/b", "", "a: b"},
		{"/{a}", "/{}", "a", ""},
	}
	for _, test := range tests {
		p := SplitPath(test.path)
		got := []string{p.All(), strings.Join(p.Params(), " "), strings.Join(p.Words(), " ")}
		if want := []string{test.key, test.params, test.words}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", test.path, got, want)
		}
	}
}
