package munjigi_test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/fault"
)

// What the program offers is in the docs: each key of the configuration and each metric in operations.md, each route
// and each code in protocol.md.
func TestDocsNameEverything(t *testing.T) {
	operations, protocol := page(t, "docs/operations.md"), page(t, "docs/protocol.md")
	keys := tags("internal/config/")
	metrics := literals("", regexp.MustCompile(`^munjigi_[a-z_]+$`))
	routes := literals("internal/server/routes.go", regexp.MustCompile(`^[A-Z]+ /(session|sign-in|admin|revocations|healthz|readyz|screens|\.well-known)`))
	routes = append(routes, literals("internal/server/admin/routes.go", regexp.MustCompile(`^[A-Z]+ /admin/`))...)
	if len(keys) == 0 || len(metrics) == 0 || len(routes) == 0 {
		t.Fatalf("found %d keys, %d metrics, %d routes: they have moved", len(keys), len(metrics), len(routes))
	}
	for _, word := range slices.Concat(keys, metrics) {
		mention(t, "docs/operations.md", operations, word)
	}
	for _, route := range routes {
		_, path, _ := strings.Cut(route, " ")
		mention(t, "docs/protocol.md", protocol, path)
	}
	for _, code := range fault.Codes() {
		mention(t, "docs/protocol.md", protocol, string(code))
	}
}

func mention(t *testing.T, name, text, word string) {
	t.Helper()
	// As a word: "url" is not mentioned by "curl".
	if !regexp.MustCompile(`(^|[^A-Za-z0-9_])` + regexp.QuoteMeta(word) + `($|[^A-Za-z0-9_])`).MatchString(text) {
		t.Errorf("%s: says nothing of %s", name, word)
	}
}

// A command that shows a promise has to run something.
func TestCommandsOfPromisesRunTests(t *testing.T) {
	command := regexp.MustCompile("`go test \\./(\\S+) -run '?([^`']+)'?`")
	commands := command.FindAllStringSubmatch(page(t, "docs/development.md"), -1)
	if len(commands) == 0 {
		t.Fatal("docs/development.md: found no command")
	}
	files := goFiles(os.DirFS("."))
	for _, found := range commands {
		dir, names := found[1], regexp.MustCompile(strings.ReplaceAll(found[2], `\|`, "|"))
		if !slices.ContainsFunc(files, func(file source) bool { return file.dir == dir && file.hasTest(names) }) {
			t.Errorf("docs/development.md: no test of %s is called like %s", dir, names)
		}
	}
}

func (file source) hasTest(names *regexp.Regexp) bool {
	return file.test && slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		function, ok := d.(*ast.FuncDecl)
		return ok && strings.HasPrefix(function.Name.Name, "Test") && names.MatchString(function.Name.Name)
	})
}

// A link to a page or a file that is not there helps nobody.
func TestLinksLeadSomewhere(t *testing.T) {
	tree := os.DirFS(".")
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	pages, err := fs.Glob(tree, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"docs/*.md", "docs/decisions/*.md"} {
		more, err := fs.Glob(tree, pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, more...)
	}
	for _, name := range pages {
		dir := name[:strings.LastIndex(name, "/")+1]
		for _, found := range link.FindAllStringSubmatch(page(t, name), -1) {
			if _, err := os.Stat(dir + found[1]); err != nil {
				t.Errorf("%s: a link to %s, which is not there", name, found[1])
			}
		}
	}
}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tags are the YAML keys of the structs in Go files below a path.
func tags(below string) (keys []string) {
	for _, file := range goFiles(os.DirFS(".")) {
		if file.test || !strings.HasPrefix(file.name, below) {
			continue
		}
		ast.Inspect(file.File, func(node ast.Node) bool {
			field, ok := node.(*ast.Field)
			if ok && field.Tag != nil {
				tag, _ := strconv.Unquote(field.Tag.Value)
				if key := reflect.StructTag(tag).Get("yaml"); key != "" {
					keys = append(keys, key)
				}
			}
			return true
		})
	}
	return keys
}

// literals are the texts in Go files below a path, tests left out, that match.
func literals(below string, pattern *regexp.Regexp) (texts []string) {
	for _, file := range goFiles(os.DirFS(".")) {
		if file.test || !strings.HasPrefix(file.name, below) {
			continue
		}
		ast.Inspect(file.File, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && pattern.MatchString(text) {
				texts = append(texts, text)
			}
			return true
		})
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}
