package sheet

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/backoffice"
)

func text(name string) backoffice.Field { return backoffice.Field{Name: name, Type: "string"} }

func hidden(name string) backoffice.Field {
	return backoffice.Field{Name: name, Type: "string", Sensitive: true}
}

func object(fields ...backoffice.Field) *backoffice.Field {
	return &backoffice.Field{Type: "object", Fields: fields}
}

// A cell that a spreadsheet would run is text.
func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "a=b": "a=b", "=1+1": "'=1+1", "+82 10": "'+82 10", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1",
		"\r=1": "'\r=1", "\n=1": "'\n=1", " =1": "' =1", "\u00a0=1": "'\u00a0=1", "\ufeff=1": "'\ufeff=1", "＝1": "'＝1", "＠x": "'＠x", "한글": "한글",
	} {
		if got := quoted(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Objects become columns of their own; lists of plain values one cell; a member that is sensitive has none.
func TestColumns(t *testing.T) {
	row := object(
		text("id"),
		backoffice.Field{Name: "customer", Title: "Customer", Type: "object", Fields: []backoffice.Field{{Name: "name", Title: "Name", Type: "string"}, hidden("phone"), {Name: "a/b", Type: "string"}}},
		backoffice.Field{Name: "tags", Type: "array"}, backoffice.Field{Name: "password", Type: "string", WriteOnly: true}, backoffice.Field{Name: "secret", Type: "object", Sensitive: true, Fields: []backoffice.Field{text("x")}},
	)
	columns := Columns(row, row)
	if diff := cmp.Diff([]string{"id", "Customer · Name", "Customer · a/b", "tags"}, Titles(columns)); diff != "" {
		t.Errorf("titles (-want +got):\n%s", diff)
	}
	value := map[string]any{"id": "=1", "customer": map[string]any{"name": "Kim", "phone": "010", "a/b": true}, "tags": []any{"a", "b"}}
	if diff := cmp.Diff([]string{"'=1", "Kim", "true", "a, b"}, Cells(columns, value, "")); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	each := map[string]any{"id": "7", "attributes": map[string]any{"customer": map[string]any{"name": "Lee"}}}
	if diff := cmp.Diff([]string{"7", "Lee", "", ""}, Cells(columns, each, "/attributes")); diff != "" {
		t.Errorf("cells of JSON:API (-want +got):\n%s", diff)
	}
	// In another language the schema may not say that a field is sensitive: what decides is the first one.
	plain := object(text("id"), text("phone"))
	if diff := cmp.Diff([]string{"id"}, Titles(Columns(plain, object(text("id"), hidden("phone"))))); diff != "" {
		t.Errorf("titles (-want +got):\n%s", diff)
	}
}
