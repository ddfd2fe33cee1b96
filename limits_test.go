package munjigi_test

import (
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// The sizes that keep the program readable: lines of a function, a file, a package (without tests), and methods of an
// interface.
const (
	functionLimit  = 100
	fileLimit      = 500
	packageLimit   = 2500
	interfaceLimit = 6
)

func TestSizes(t *testing.T) {
	for _, problem := range checkSizes(os.DirFS(".")) {
		t.Error(problem)
	}
}

// The limits have to turn red as well: each, one step above, and not at it.
func TestSizesRefuse(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("\n", n) }
	function := func(n int) string { return "package a\nfunc f() {" + lines(n-1) + "}\n" }
	iface := func(n int) string {
		return "package a\ntype i interface {\n" + strings.Join(strings.SplitN("Ab() Ac() Ad() Ae() Af() Ag() Ah()", " ", 7)[:n], "\n") + "\n}\n"
	}
	tests := []struct {
		name string
		tree map[string]string
		want []string
	}{
		{"at the limits", map[string]string{"a/a.go": function(100), "a/b.go": iface(6), "a/c.go": "package a" + lines(500)}, nil},
		{"function", map[string]string{"a/a.go": function(101)}, []string{"a/a.go: f has 101 lines, at most 100"}},
		{"interface", map[string]string{"a/a.go": iface(7)}, []string{"a/a.go: i has 7 methods, at most 6"}},
		{"file", map[string]string{"a/a.go": "package a" + lines(501)}, []string{"a/a.go: 501 lines, at most 500"}},
		{"tests are as long as they must", map[string]string{"a/a_test.go": "package a" + lines(501)}, nil},
		{"package", map[string]string{
			"a/a.go": "package a" + lines(500), "a/b.go": "package a" + lines(500), "a/c.go": "package a" + lines(500),
			"a/d.go": "package a" + lines(500), "a/e.go": "package a" + lines(500), "a/f.go": "package a\n",
		}, []string{"a: 2501 lines, at most 2500"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, text := range test.tree {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if diff := cmp.Diff(test.want, checkSizes(tree)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// checkSizes holds the Go files of tree that are no tests against the limits, and returns what is too big, sorted.
func checkSizes(tree fs.FS) (problems []string) {
	packages := map[string]int{}
	for _, file := range goFiles(tree) {
		if file.test {
			continue
		}
		packages[file.dir] += file.lines
		if file.lines > fileLimit {
			problems = append(problems, fmt.Sprintf("%s: %d lines, at most %d", file.name, file.lines, fileLimit))
		}
		problems = append(problems, file.sizes()...)
	}
	for dir, lines := range packages {
		if lines > packageLimit {
			problems = append(problems, fmt.Sprintf("%s: %d lines, at most %d", dir, lines, packageLimit))
		}
	}
	slices.Sort(problems)
	return problems
}

func (file source) sizes() (problems []string) {
	ast.Inspect(file.File, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			lines := file.set.Position(node.End()).Line - file.set.Position(node.Pos()).Line + 1
			if lines > functionLimit {
				problems = append(problems, fmt.Sprintf("%s: %s has %d lines, at most %d", file.name, node.Name, lines, functionLimit))
			}
		case *ast.TypeSpec:
			face, ok := node.Type.(*ast.InterfaceType)
			if ok && face.Methods.NumFields() > interfaceLimit {
				problems = append(problems, fmt.Sprintf("%s: %s has %d methods, at most %d", file.name, node.Name, face.Methods.NumFields(), interfaceLimit))
			}
		}
		return true
	})
	return problems
}
