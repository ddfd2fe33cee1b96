// Package munjigi_test checks the repository itself: which package may import which, how long things may grow, and
// what must not be written anywhere. It reads the source with go/parser, so a cached listing cannot hide a change.
package munjigi_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/munjigi/munjigi"

// row is what one package may import beside the unguarded part of the standard library. All are lists of words.
type row struct {
	ours string // packages of this module, by directory
	std  string // guarded packages of the standard library
	libs string // other people's modules, by the names of the table below
}

// policy is the direction: leaves ← domain ← engines ← adapters ← cmd. A package that is not here may not exist; a row
// without a package neither. server and store never meet but in cmd. Tests are bound to ours alone when they lie in an
// example; elsewhere they may import what shows the guarantee.
var policy = map[string]row{
	// leaves
	"internal/fault":   {},
	"internal/token":   {},
	"internal/audit":   {},
	"internal/strict":  {libs: "yaml"},
	"internal/openapi": {libs: "yaml4"},

	// domain
	"internal/account":        {ours: "internal/fault", libs: "crypto net text"},
	"internal/backoffice":     {},
	"internal/compile":        {ours: "internal/backoffice internal/compile/naming internal/compile/value internal/openapi"},
	"internal/compile/naming": {},
	"internal/compile/value":  {ours: "internal/backoffice internal/compile/naming internal/openapi"},
	"internal/config":         {ours: "internal/account internal/strict internal/token"},
	"internal/keys":           {ours: "internal/audit internal/fault internal/token", libs: "tink"},
	"internal/session":        {ours: "internal/account internal/audit internal/fault internal/token", libs: "prometheus useragent"},

	// engines
	"internal/catalog":       {ours: "internal/audit internal/backoffice internal/fault internal/token", std: "net/http"},
	"internal/gateway":       {ours: "internal/account internal/audit internal/backoffice internal/catalog internal/fault internal/gateway/mask internal/gateway/sheet internal/session internal/token", std: "net/http"},
	"internal/gateway/mask":  {},
	"internal/gateway/sheet": {ours: "internal/backoffice", std: "net/http"},
	"internal/office":        {ours: "internal/backoffice internal/catalog internal/compile internal/config internal/gateway internal/self"},
	"internal/self":          {ours: "internal/openapi"},
	"internal/lookup":        {ours: "internal/account internal/audit"},
	"internal/credentials":   {ours: "internal/account internal/fault internal/token", std: "net/http"},
	"internal/links":         {ours: "internal/account internal/audit internal/fault internal/mail internal/session internal/token"},
	"internal/mail":          {libs: "go-mail prometheus"},
	"internal/hashing":       {ours: "internal/account", std: "os/exec"},
	"internal/upstream":      {ours: "internal/fault", std: "net/http", libs: "go-oidc oauth2 sync time"},
	"internal/recheck":       {ours: "internal/account internal/audit internal/fault internal/session internal/token internal/upstream", libs: "prometheus sync time"},
	"internal/roster":        {ours: "internal/account internal/audit internal/fault internal/token", libs: "sync text"},
	"internal/signin":        {ours: "internal/account internal/audit internal/credentials internal/fault internal/session internal/token internal/upstream", libs: "prometheus time"},

	// commands about a service's document
	"internal/fetch":       {std: "net/http"},
	"internal/sketch":      {ours: "internal/compile/naming internal/compile/value internal/openapi"},
	"internal/sketch/live": {ours: "internal/fetch internal/openapi internal/sketch", std: "net/http"},
	"internal/review":      {ours: "internal/backoffice internal/compile internal/fetch internal/openapi", libs: "kin-openapi"},

	// adapters
	"internal/store":            {ours: "internal/account internal/audit internal/fault internal/keys internal/links internal/recheck internal/roster internal/session internal/signin internal/store/chain internal/store/engine internal/store/finder internal/store/migrations internal/store/onetime internal/store/pack internal/store/papers internal/store/schema internal/token"},
	"internal/store/engine":     {std: "database/sql", libs: "pgx sqlite"},
	"internal/store/chain":      {ours: "internal/audit internal/store/engine internal/store/pack"},
	"internal/store/finder":     {ours: "internal/audit internal/fault internal/lookup internal/store/chain internal/store/engine internal/store/pack"},
	"internal/store/gauges":     {ours: "internal/account internal/store", libs: "prometheus"},
	"internal/store/migrations": {ours: "internal/store/engine"},
	"internal/store/onetime":    {ours: "internal/links internal/store/engine internal/store/pack"},
	"internal/store/pack":       {ours: "internal/account internal/fault internal/session"},
	"internal/store/pgtest":     {std: "database/sql os/exec", libs: "pgx"},
	"internal/store/papers":     {ours: "internal/audit internal/catalog internal/gateway internal/store/chain internal/store/engine internal/store/pack"},
	"internal/store/sweeper":    {ours: "internal/store"},
	"internal/store/transfer":   {ours: "internal/audit internal/store internal/store/chain internal/store/engine internal/store/migrations", std: "database/sql"},
	"internal/store/schema":     {ours: "internal/store/engine"},
	"internal/server":           {ours: "internal/account internal/audit internal/fault internal/gateway internal/keys internal/links internal/recheck internal/server/admin internal/server/answer internal/server/body internal/server/front internal/server/host internal/server/limit internal/server/meter internal/server/signature internal/session internal/signin internal/token", std: "net/http", libs: "prometheus"},
	"internal/server/admin":     {ours: "internal/account internal/audit internal/fault internal/gateway internal/keys internal/lookup internal/recheck internal/self internal/server/answer internal/server/body internal/session internal/token", std: "net/http"},
	"internal/server/answer":    {ours: "internal/account", std: "net/http"},
	"internal/server/body":      {ours: "internal/fault", std: "net/http"},
	"internal/server/front":     {ours: "internal/account"},
	"internal/server/host":      {ours: "internal/account internal/fault", std: "net/http"},
	"internal/server/limit":     {ours: "internal/fault", libs: "time"},
	"internal/listen":           {std: "net/http", libs: "sync"},
	"internal/server/signature": {ours: "internal/fault internal/token"},
	"internal/server/meter":     {libs: "prometheus"},

	// public
	"verify":               {ours: "internal/fault internal/token", std: "net/http"},
	"examples/go-accounts": {ours: "verify", std: "net/http flag log"},
	"examples/go-service":  {ours: "verify", std: "net/http flag log"},

	// what puts it together
	"console":                    {},
	"internal/demo":              {ours: "internal/demo/mailbox internal/demo/market internal/demo/members internal/demo/service internal/demo/wishlist internal/fault verify", std: "net/http", libs: "go-jose"},
	"internal/demo/chance":       {},
	"internal/demo/gatekeeper":   {ours: "internal/demo/service internal/token", std: "net/http"},
	"internal/demo/market":       {ours: "internal/demo/chance internal/demo/market/stock internal/demo/service internal/demo/shelf internal/fault verify", std: "net/http"},
	"internal/demo/market/stock": {ours: "internal/demo/chance"},
	"internal/demo/service":      {ours: "internal/demo/members internal/fault verify", std: "net/http", libs: "text"},
	"internal/demo/shelf":        {ours: "internal/fault"},
	"internal/demo/wishlist":     {ours: "internal/demo/chance internal/demo/service internal/demo/shelf internal/fault", std: "net/http"},
	"internal/demo/mailbox":      {std: "net/http", libs: "go-smtp"},
	"internal/demo/members":      {ours: "internal/fault verify", std: "net/http"},
	"cmd/munjigi": {
		ours: "console internal/account internal/audit internal/config internal/credentials internal/demo internal/demo/mailbox internal/demo/members internal/fault internal/hashing internal/keys internal/links internal/mail internal/office internal/recheck internal/review internal/sketch/live internal/roster internal/server internal/server/admin internal/listen internal/session internal/signin internal/store internal/store/gauges internal/store/sweeper internal/store/transfer internal/strict internal/token internal/upstream",
		std:  "net/http", libs: "kong prometheus sync term",
	},
}

// guarded are the parts of the standard library that only rows naming them may import; what lies below one is guarded
// as well.
var guarded = []string{"database/sql", "flag", "log", "math/rand", "net/http", "os/exec", "unsafe"}

// unguarded are exceptions below a guarded path.
var unguarded = []string{"log/slog", "math/rand/v2"}

// libraries are the modules that ours may import, by the short names above. Each has its reason in docs/decisions/.
var libraries = map[string]string{
	"crypto":      "golang.org/x/crypto",
	"go-jose":     "github.com/go-jose/go-jose/v4",
	"go-mail":     "github.com/wneessen/go-mail",
	"go-oidc":     "github.com/coreos/go-oidc/v3",
	"go-smtp":     "github.com/emersion/go-smtp",
	"kin-openapi": "github.com/getkin/kin-openapi",
	"kong":        "github.com/alecthomas/kong",
	"net":         "golang.org/x/net",
	"oauth2":      "golang.org/x/oauth2",
	"pgx":         "github.com/jackc/pgx/v5",
	"prometheus":  "github.com/prometheus/client_golang",
	"sqlite":      "modernc.org/sqlite",
	"sync":        "golang.org/x/sync",
	"text":        "golang.org/x/text",
	"term":        "golang.org/x/term",
	"time":        "golang.org/x/time",
	"tink":        "github.com/tink-crypto/tink-go/v2",
	"useragent":   "github.com/mileusna/useragent",
	"yaml":        "github.com/goccy/go-yaml",
	"yaml4":       "go.yaml.in/yaml/v4",
}

// testLibraries are imported by tests alone.
var testLibraries = []string{"github.com/anishathalye/porcupine", "github.com/emersion/go-sasl", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "pgregory.net/rapid"}

// refused are names that no package of ours uses, with the reason; env is the exception that cmd has.
var refused = map[string]string{
	"os.Getenv":           env,
	"os.LookupEnv":        env,
	"os.Environ":          env,
	"os.ExpandEnv":        env,
	"http.DefaultClient":  "it follows redirects and waits for ever",
	"http.Get":            "it follows redirects and waits for ever",
	"http.Head":           "it follows redirects and waits for ever",
	"http.Post":           "it follows redirects and waits for ever",
	"http.PostForm":       "it follows redirects and waits for ever",
	"http.ListenAndServe": "a server without time-outs",
	"http.Serve":          "a server without time-outs",
}

const env = "the environment is read in cmd alone"

// required are members that a literal of a type must set.
var required = map[string][]string{
	"http.Client": {"CheckRedirect", "Timeout"},
	"http.Server": {"ReadHeaderTimeout"},
}

func TestImportPolicy(t *testing.T) {
	for _, problem := range checkPolicy(os.DirFS("."), policy) {
		t.Error(problem)
	}
}

// The policy itself has to turn red: one wrong tree for each of its rules.
func TestImportPolicyRefuses(t *testing.T) {
	table := map[string]row{"internal/fault": {}, "internal/token": {ours: "internal/fault", std: "net/http"}}
	good := map[string]string{
		"internal/fault/fault.go": `package fault; import ("errors"; "log/slog")`,
		"internal/token/token.go": `package token; import ("net/http"; "github.com/munjigi/munjigi/internal/fault")`,
		"bench/go.mod":            `module other`,
		"bench/bench.go":          `package bench; import "unsafe"`,
	}
	tests := []struct {
		name, file, source string // one more file, or another text of one
		want               []string
	}{
		{"all is well", "internal/token/more.go", `package token`, nil},
		{"against the direction", "internal/fault/up.go", `package fault; import "github.com/munjigi/munjigi/internal/token"`, []string{"internal/fault/up.go: may not import internal/token"}},
		{"SQL outside the store", "internal/token/sql.go", `package token; import "database/sql"`, []string{"internal/token/sql.go: may not import database/sql"}},
		{"below a guarded path", "internal/fault/p.go", `package fault; import "net/http/httputil"`, []string{"internal/fault/p.go: may not import net/http/httputil"}},
		{"a library without a row", "internal/fault/l.go", `package fault; import "modernc.org/sqlite"`, []string{"internal/fault/l.go: may not import modernc.org/sqlite"}},
		{"a library nobody chose", "internal/fault/l_test.go", `package fault; import "example.com/assert"`, []string{"internal/fault/l_test.go: may not import example.com/assert"}},
		{"the environment", "internal/fault/e.go", `package fault; import "os"; var x = os.Getenv("X")`, []string{"internal/fault/e.go: os.Getenv: " + env}},
		{"a client that follows redirects", "internal/token/c.go", `package token; import "net/http"; var c = http.Client{Timeout: 1}`, []string{"internal/token/c.go: http.Client without CheckRedirect"}},
		{"an init function", "internal/fault/i.go", `package fault; func init() {}`, []string{"internal/fault/i.go: func init"}},
		{"a package without a row", "internal/util/util.go", `package util`, []string{"internal/util: has no row in the policy"}},
		{"a row without a package", "internal/token/token.go", ``, []string{"internal/token: has a row in the policy and no package"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, source := range good {
				tree[name] = &fstest.MapFile{Data: []byte(source)}
			}
			tree[test.file] = &fstest.MapFile{Data: []byte(test.source)}
			if test.source == "" {
				delete(tree, test.file)
			}
			if diff := cmp.Diff(test.want, checkPolicy(tree, table)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryLibraryHasItsReason(t *testing.T) {
	tree := os.DirFS(".")
	pages, err := fs.Glob(tree, "docs/decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var reasons strings.Builder
	for _, page := range pages {
		text, err := fs.ReadFile(tree, page)
		if err != nil {
			t.Fatal(err)
		}
		reasons.Write(text)
	}
	for _, library := range slices.Concat(slices.Collect(maps.Values(libraries)), testLibraries) {
		if !strings.Contains(reasons.String(), "`"+library+"`") {
			t.Errorf("%s: no page under docs/decisions/ says why", library)
		}
	}
}

// checkPolicy holds the Go files of tree against table, and returns what is wrong, sorted.
func checkPolicy(tree fs.FS, table map[string]row) (problems []string) {
	found := map[string]bool{}
	for _, file := range goFiles(tree) {
		found[file.dir] = true
		r, ok := table[file.dir]
		if !ok && file.dir != "." {
			continue
		}
		for _, problem := range file.imports(r) {
			problems = append(problems, file.name+": "+problem)
		}
		if file.test {
			continue
		}
		for _, problem := range file.uses() {
			problems = append(problems, file.name+": "+problem)
		}
	}
	delete(found, ".")
	for dir := range found {
		if _, ok := table[dir]; !ok {
			problems = append(problems, dir+": has no row in the policy")
		}
	}
	for dir := range table {
		if !found[dir] {
			problems = append(problems, dir+": has a row in the policy and no package")
		}
	}
	slices.Sort(problems)
	return problems
}

// source is one parsed Go file of this module.
type source struct {
	name, dir string
	test      bool
	lines     int
	set       *token.FileSet
	*ast.File
}

// goFiles parses every Go file of tree, except in other modules, in what is built, and in folders that the go command
// leaves out. A file that cannot be read or parsed panics: then nothing can be said at all.
func goFiles(tree fs.FS) (files []source) {
	walk := func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return leftOut(tree, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		lines := set.File(parsed.FileStart).LineCount()
		files = append(files, source{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), lines, set, parsed})
		return nil
	}
	if err := fs.WalkDir(tree, ".", walk); err != nil {
		panic(err)
	}
	return files
}

func leftOut(tree fs.FS, dir string) error {
	base := path.Base(dir)
	if base == "node_modules" || base == "testdata" || base == "dist" || (dir != "." && base[0] == '.') {
		return fs.SkipDir
	}
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	if dir != "." && !strings.HasPrefix(dir, "examples/") && err == nil {
		return fs.SkipDir
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// imports tells what file imports against its row.
func (file source) imports(r row) (problems []string) {
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil || !allowed(name, file, r) {
			problems = append(problems, "may not import "+strings.TrimPrefix(name, module+"/"))
		}
	}
	return problems
}

func allowed(name string, file source, r row) bool {
	if ours, ok := strings.CutPrefix(name, module+"/"); ok {
		free := file.test && !strings.HasPrefix(file.dir, "examples/")
		return free || contains(r.ours, ours)
	}
	if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
		return file.test || below(unguarded, name) || !below(guarded, name) || below(strings.Fields(r.std), name)
	}
	if file.test && (below(testLibraries, name) || below(slices.Collect(maps.Values(libraries)), name)) {
		return true
	}
	for _, short := range strings.Fields(r.libs) {
		if below([]string{libraries[short]}, name) {
			return true
		}
	}
	return false
}

func contains(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

// below tells whether name is one of roots or a package under one.
func below(roots []string, name string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return name == root || strings.HasPrefix(name, root+"/") })
}

// uses tells what file does that no package of ours does.
func (file source) uses() (problems []string) {
	ast.Inspect(file.File, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			if node.Name.Name == "init" && node.Recv == nil {
				problems = append(problems, "func init")
			}
		case *ast.SelectorExpr:
			name := dotted(node)
			why, bad := refused[name]
			if bad && (why != env || !strings.HasPrefix(file.dir, "cmd/")) {
				problems = append(problems, name+": "+why)
			}
			if node.Sel.Name == "AddInsecureBypassPattern" {
				problems = append(problems, "AddInsecureBypassPattern opens the protection against cross-site requests")
			}
		case *ast.CompositeLit:
			problems = append(problems, missing(node)...)
		}
		return true
	})
	return problems
}

// missing tells which required members a literal does not set.
func missing(literal *ast.CompositeLit) (problems []string) {
	name := dotted(literal.Type)
	for _, member := range required[name] {
		set := slices.ContainsFunc(literal.Elts, func(e ast.Expr) bool {
			pair, ok := e.(*ast.KeyValueExpr)
			return ok && fmt.Sprint(pair.Key) == member
		})
		if !set {
			problems = append(problems, name+" without "+member)
		}
	}
	return problems
}

// dotted is "pkg.Name" of such an expression, else "".
func dotted(e ast.Expr) string {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	left, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return left.Name + "." + selector.Sel.Name
}
