// Package sheet is what an export needs of a list beside the calls: where its pages go on, and how a row becomes the
// cells of a file. It asks nobody and writes nothing.
package sheet

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// Column is one of an export.
type Column struct {
	title   string
	pointer string // into a row
}

// maxColumns and maxNesting bound what a schema can ask for.
const (
	maxColumns = 200
	maxNesting = 4
)

// Columns are the fields of a row that may leave the house: objects member by member, nothing that is sensitive or only
// ever written. row has the titles, authority says what is sensitive.
func Columns(row, authority *backoffice.Field) []Column {
	b := columnBuilder{forbidden: map[string]bool{}}
	for _, path := range sensitivePaths("", authority, maxNesting) {
		b.forbidden[path] = true
	}
	b.add("", "", row, maxNesting)
	return b.columns
}

func sensitivePaths(path string, f *backoffice.Field, depth int) (paths []string) {
	if f.Sensitive || f.WriteOnly {
		return []string{path}
	}
	for i := range f.Fields {
		if depth > 0 {
			paths = append(paths, sensitivePaths(path+"/"+pointerName(f.Fields[i].Name), &f.Fields[i], depth-1)...)
		}
	}
	return paths
}

type columnBuilder struct {
	columns   []Column
	forbidden map[string]bool
}

func (b *columnBuilder) add(path, title string, f *backoffice.Field, depth int) {
	if f.Sensitive || f.WriteOnly || b.forbidden[path] || len(b.columns) >= maxColumns {
		return
	}
	if len(f.Fields) == 0 || depth == 0 {
		if path != "" {
			b.columns = append(b.columns, Column{title, path})
		}
		return
	}
	for i := range f.Fields {
		member := &f.Fields[i]
		name := member.Title
		if name == "" {
			name = member.Name
		}
		if title != "" {
			name = title + " · " + name
		}
		b.add(path+"/"+pointerName(member.Name), name, member, depth-1)
	}
}

func pointerName(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// Titles are the first row of a file.
func Titles(columns []Column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = quoted(c.title)
	}
	return list
}

// Cells are a row of a file; each is Resource.Each.
func Cells(columns []Column, row any, each string) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		value, _ := property(row, c.pointer, each)
		list[i] = cell(value)
	}
	return list
}

// cell is a value as text. A number is one and stays so; everything else is kept from being a formula.
func cell(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case json.Number, bool:
		return scalar(value)
	case string:
		return quoted(value)
	case []any:
		words := make([]string, 0, len(value))
		for _, one := range value {
			word := scalar(one)
			if word == "" {
				return asJSON(value)
			}
			words = append(words, word)
		}
		return quoted(strings.Join(words, ", "))
	}
	return asJSON(value)
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return quoted(string(text))
}

// formulas are what spreadsheets begin a formula with, or skip before one.
const formulas = "=+-@\t\r\n＝＋－＠"

// quoted keeps a text from being run by the spreadsheet that opens the file.
func quoted(text string) string {
	first := strings.TrimLeft(text, " \u00a0\u3000\ufeff")
	if c, _ := utf8.DecodeRuneInString(first); first != "" && strings.ContainsRune(formulas, c) {
		return "'" + text
	}
	return text
}
