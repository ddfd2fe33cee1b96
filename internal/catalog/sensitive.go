package catalog

import (
	"strings"

	"github.com/munjigi/munjigi/internal/backoffice"
)

// sensitive lists the sensitive fields of an answer: JSON pointers (RFC 6901) in which "*" stands for every element of
// an array and every member of a map, and "**" for any way down. Where a schema is within itself a field is found again
// by its name, at any depth.
func sensitive(schema *backoffice.Field) []string {
	if schema == nil {
		return nil
	}
	w := walk{paths: map[string]bool{}, again: map[string]bool{}, names: map[string]bool{}}
	w.field("", schema)
	list := make([]string, 0, len(w.paths))
	for path := range w.paths {
		list = append(list, path)
	}
	for path := range w.again {
		for name := range w.names {
			list = append(list, path+"/**/"+escape(name))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return union(list, nil)
}

type walk struct{ paths, again, names map[string]bool }

func (w walk) field(path string, f *backoffice.Field) {
	if f.Sensitive {
		w.paths[path] = true
		if name := path[strings.LastIndexByte(path, '/')+1:]; name != "*" && f.Name != "" {
			w.names[f.Name] = true
		}
	}
	if f.Again != "" {
		w.again[path] = true
	}
	if f.Items != nil {
		w.field(path+"/*", f.Items)
	}
	if f.Rest != nil {
		w.field(path+"/*", f.Rest)
	}
	for i := range f.Fields {
		w.field(path+"/"+escape(f.Fields[i].Name), &f.Fields[i])
	}
	for i := range f.Variants {
		w.field(path, &f.Variants[i].Field)
	}
}

// escape is RFC 6901 §3.
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }
