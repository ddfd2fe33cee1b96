package roster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/audit"
	"github.com/munjigi/munjigi/internal/fault"
)

const (
	bcrypted = "$2b$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS"
	django   = "pbkdf2_sha256$1000$seasalt2$NPpU1+5lzN7WTJbNeckGS1fx5JZmLycy9ztMUKUhAC0="
)

// fake is a store that keeps members in memory. It fails its caller for what no caller may do.
type fake struct {
	t       *testing.T
	mu      sync.Mutex
	members map[string]account.Member
	origins map[string][]byte
	batches []int
	fail    error // of the next Import
	changes bool  // every password changes just after it was read
}

func newFake(t *testing.T) *fake {
	return &fake{t: t, members: map[string]account.Member{}, origins: map[string][]byte{}}
}

func (f *fake) Member(_ context.Context, _, login string) (account.Member, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, ok := f.members[login]
	if ok && f.changes {
		later := m
		later.Secret++
		f.members[login] = later
	}
	return m, ok, nil
}

func (f *fake) Import(_ context.Context, entries []Entry, update bool, by audit.Event) ([]Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return nil, f.fail
	}
	if by.Actor.ID != "kim" || by.At.IsZero() || by.Realm != "members" || len(entries) == 0 || len(entries) > batchRows {
		f.t.Errorf("got a batch of %d by %+v", len(entries), by)
	}
	f.batches = append(f.batches, len(entries))
	outcomes := make([]Outcome, len(entries))
	for i, e := range entries {
		there, found := f.members[e.Login]
		merged, differs := e.Onto(there, f.origins[e.Login])
		switch {
		case !found:
			if e.ID == "" || e.Subject == "" || e.Realm != "members" || e.Issuer != account.PasswordIssuer {
				f.t.Errorf("%s: got %+v, want an identity", e.Login, e.Account)
			}
			e.Secret = 1
			f.members[e.Login], f.origins[e.Login], outcomes[i] = e.Member, e.Origin, Outcome{Kind: Added}
		case len(differs) == 0:
			outcomes[i] = Outcome{Kind: Unchanged}
		case update:
			f.members[e.Login], f.origins[e.Login], outcomes[i] = merged, e.Origin, Outcome{Kind: Updated}
		default:
			outcomes[i] = Outcome{Refused, strings.Join(differs, ", ")}
		}
	}
	return outcomes, nil
}

// quick hashes as quickly as a test likes.
type quick struct {
	mu               sync.Mutex // guards everything below
	hashed, verified int
}

func (q *quick) Hash(_ context.Context, p account.Password) (string, error) {
	if strings.ContainsRune(string(p), 0) {
		return "", fault.New(fault.RequestInvalid, "")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hashed++
	return "quick:" + string(p), nil
}

func (q *quick) Verify(_ context.Context, encoded string, p account.Password) (ok, outdated bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.verified++
	return encoded == "quick:"+string(p), false, nil
}

func read(t *testing.T, f *fake, format Format, text string, change ...func(*Config)) (Count, []Refusal, error) {
	t.Helper()
	var refused []Refusal
	c := Config{
		Realm: "members", Store: f, Hasher: &quick{}, Actor: audit.Actor{Kind: audit.ByCommand, ID: "kim"},
		Now:     func() time.Time { return time.Unix(1_790_000_000, 0) },
		Refused: func(r Refusal) { refused = append(refused, r) },
		CheckRole: func(role string) error {
			if role != "shop" && role != "seller" {
				return errors.New("want one of shop, seller")
			}
			return nil
		},
	}
	for _, change := range change {
		change(&c)
	}
	count, err := Import(t.Context(), c, strings.NewReader(text), format)
	count.Bytes = 0
	return count, refused, err
}

// What spreadsheets and databases write for the same people is the same list.
func TestListsOfTheSamePeople(t *testing.T) {
	plain := "login,name,email,roles,hash,disabled\n" +
		"kim,김민수,Kim@Example.com,shop seller," + bcrypted + ",false\n" +
		"Lee@Example.COM ,\"Lee, \"\"Shop\"\" 17\",,shop," + django + ",yes\n" +
		"park,,,,,\n"
	want := map[string]account.Member{
		"kim":             {Account: account.Account{Profile: account.Profile{Name: "김민수", Email: "kim@example.com", Roles: []string{"seller", "shop"}}}, Login: "kim", Hash: bcrypted},
		"lee@example.com": {Account: account.Account{Profile: account.Profile{Name: `Lee, "Shop" 17`, Roles: []string{"shop"}}, Disabled: true}, Login: "lee@example.com", Hash: django},
		"park":            {Account: account.Account{Profile: account.Profile{Roles: []string{}}}, Login: "park"},
	}
	for name, test := range map[string]struct {
		format Format
		text   string
	}{
		"plain":                     {CSV, plain},
		"CR LF":                     {CSV, strings.ReplaceAll(plain, "\n", "\r\n")},
		"a byte order mark":         {CSV, "\ufeff" + plain},
		"both":                      {CSV, "\ufeff" + strings.ReplaceAll(plain, "\n", "\r\n")},
		"no end of the last line":   {CSV, strings.TrimSuffix(plain, "\n")},
		"blank lines":               {CSV, strings.ReplaceAll(plain, "\n", "\n\n \n")},
		"everything in quotes":      {CSV, strings.NewReplacer("kim,", `"kim",`, "login", `"Login"`, bcrypted, `"`+bcrypted+`"`).Replace(plain)},
		"decomposed Korean letters": {CSV, strings.Replace(plain, "김민수", norm.NFD.String("김민수"), 1)},
		"other separators of roles": {CSV, strings.Replace(plain, "shop seller", `"seller, shop;shop|"`, 1)},
		"another order of columns":  {CSV, "hash,disabled,roles,login,name,email\n" + bcrypted + ",0,shop seller,kim,김민수,kim@example.com\n" + django + ",1,shop,lee@example.com,\"Lee, \"\"Shop\"\" 17\",\n,,,park,,\n"},
		"JSON lines": {JSONLines, `{"login":"kim","name":"김민수","email":"kim@example.com","roles":["shop","seller"],"hash":"` + bcrypted + `"}` + "\n" +
			`{"login":"Lee@example.com","name":"Lee, \"Shop\" 17","roles":["shop"],"hash":"` + django + `","disabled":true}` + "\r\n\r\n" +
			` {"login":"park","roles":null,"email":null} `},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			count, refused, err := read(t, f, test.format, test.text)
			if err != nil || len(refused) > 0 || count != (Count{Added: 3}) {
				t.Fatalf("got %+v, refused %v, %v; want three added", count, refused, err)
			}
			for login, got := range f.members {
				got.ID, got.Identity, got.Secret = "", account.Identity{}, 0
				if diff := cmp.Diff(want[login], got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", login, diff)
				}
			}
		})
	}
}

// A bad row costs nobody else theirs, says where it is and why, and tells no secret.
func TestBadRowsAreRefusedAlone(t *testing.T) {
	for name, test := range map[string]struct {
		format Format
		line   string
		login  string
		reason string
	}{
		"no login":                   {CSV, ",x,,,", "", "login: want 1 to 254 bytes"},
		"a long login":               {CSV, strings.Repeat("a", 300) + ",x,,,", strings.Repeat("a", 60) + "…", "login: want"},
		"an invisible letter":        {CSV, "k\u200bim,x,,,", "k\u200bim", "login: want"},
		"the login of line 2":        {CSV, "FIRST,x,,,", "first", "this login is on line 2 already"},
		"a wide spelling of it":      {CSV, "ｆｉｒｓｔ,x,,,", "first", "this login is on line 2 already"},
		"too few fields":             {CSV, "kim,x", "", "2 fields, where the header has 5"},
		"too many fields":            {CSV, "kim,x,,,,,", "", "7 fields"},
		"a quote inside":             {CSV, `kim,x"y,,,`, "", `a " inside of a field`},
		"a quote that is left open":  {CSV, `kim,"x,,,`, "", "does not end on its line"},
		"no role of the realm":       {CSV, "kim,x,boss,,", "kim", `role "boss": want one of shop, seller`},
		"no hash":                    {CSV, "kim,x,shop,5f4dcc3b5aa765d61d8327deb882cf99,", "kim", "hash: not an argon2id, bcrypt or PBKDF2 hash"},
		"a hash that takes too long": {CSV, "kim,x,shop,$2b$31$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS,", "kim", "hash: not"},
		"hash and password":          {CSV, "kim,x,shop," + bcrypted + ",hunter2", "kim", "hash and password: want one"},
		"a password that is none":    {CSV, "kim,x,shop,,hunter2\x00", "kim", "password: want text"},
		"a very long password":       {CSV, "kim,x,shop,," + strings.Repeat("hunter2", 1000), "kim", "password: too long"},
		"a huge line":                {CSV, "kim," + strings.Repeat("hunter2", 200_000) + ",,,", "", "longer than 64 KB"},
		"a long name":                {CSV, "kim," + strings.Repeat("한", 201) + ",,,", "kim", "name: want at most 200"},
		"Korean of an older program": {CSV, "kim,\xb1\xe8\xb9\xce\xbc\xf6,,,", "", "not UTF-8"},
		"JSON: no object":            {JSONLines, `["kim","hunter2"]`, "", "want a JSON object"},
		"JSON: broken":               {JSONLines, `{"login":"kim","password":"hunter2"`, "", "want a JSON object on one line"},
		"JSON: text":                 {JSONLines, `hunter2`, "", "want a JSON object on one line"},
		"JSON: two":                  {JSONLines, `{"login":"kim"}{"login":"lee"}`, "kim", "nothing after it"},
		"JSON: roles as text":        {JSONLines, `{"login":"kim","roles":"shop"}`, "kim", "roles: want a list of texts"},
		"JSON: login as a number":    {JSONLines, `{"login":1}`, "", "login: want a text"},
		"JSON: disabled as text":     {JSONLines, `{"login":"kim","disabled":"yes"}`, "kim", "disabled: want true or false"},
		"JSON: another member":       {JSONLines, `{"login":"kim","pass":"hunter2"}`, "kim", `the member "pass" is not known: want login, name`},
		"JSON: email":                {JSONLines, `{"login":"kim","email":"a@evil.com@company.com"}`, "kim", "email: want one address"},
		"JSON: email with a space":   {JSONLines, `{"login":"kim","email":"a b@company.com"}`, "kim", "email: want one address"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "login,name,roles,hash,password\nfirst,,,,\n" + test.line + "\nlast,,,,\n"
			if test.format == JSONLines {
				text = "\n{\"login\":\"first\"}\n" + test.line + "\n{\"login\":\"last\"}\n"
			}
			f := newFake(t)
			count, refused, err := read(t, f, test.format, text)
			if err != nil || count != (Count{Added: 2, Refused: 1}) || len(refused) != 1 || len(f.members) != 2 {
				t.Fatalf("got %+v, refused %v, %v, %d members; want the first and the last alone", count, refused, err, len(f.members))
			}
			got := refused[0]
			if got.Line != 3 || got.Login != test.login || !strings.Contains(got.Reason, test.reason) || strings.Contains(got.Error(), "hunter2") {
				t.Errorf("got %q, want line 3: %s: …%s…", got.Error(), test.login, test.reason)
			}
		})
	}
}

// What is wrong with the whole list stops before anything is written.
func TestBadListsAreRefusedWhole(t *testing.T) {
	for text, want := range map[string]string{
		"": "empty", "name,email\nx,y\n": "no column login", "login,pw\nkim,x\n": `the column "pw" is not known: want login, name`,
		"login,name,Login\nkim,x,y\n": "the column login is there twice", "kim,\"x\n": "the header", "\xff\xfel\x00o\x00": "not UTF-8",
		"login;name\nkim;x\n": `the column "login;name" is not known`, "login,n\xe4me\n": "not UTF-8",
		"login," + strings.Repeat("x", 100_000) + "\n": "longer than 64 KB",
	} {
		f := newFake(t)
		count, refused, err := read(t, f, CSV, text)
		if err == nil || !strings.Contains(err.Error(), want) || len(refused) != 0 || len(f.members) != 0 || count != (Count{}) {
			t.Errorf("%.40q: got %+v, %v, %v; want refused: %s", text, count, refused, err, want)
		}
	}
}

func list(rows int, member func(i int) string) string {
	var text strings.Builder
	text.WriteString("login,name,hash,password\n")
	for i := range rows {
		text.WriteString(member(i) + "\n")
	}
	return text.String()
}

func hashed(i int) string { return fmt.Sprintf("shop-%d,Shop %d,%s,", i, i, bcrypted) }

// A run that is stopped anywhere and begun again leaves each member once.
func TestAnImportGoesOnWhereItStopped(t *testing.T) {
	text := list(1000, hashed)
	for _, broken := range []int{0, 1, 10_000, 50_000, len(text) - 10} {
		f := newFake(t)
		c := Config{
			Realm: "members", Store: f, Hasher: &quick{}, Actor: audit.Actor{ID: "kim"}, Now: time.Now,
			CheckRole: func(string) error { return nil },
		}
		cut := io.MultiReader(strings.NewReader(text[:broken]), iotest.ErrReader(os.ErrDeadlineExceeded))
		first, err := Import(t.Context(), c, cut, CSV)
		if !errors.Is(err, os.ErrDeadlineExceeded) || first.Added != len(f.members) {
			t.Fatalf("got %+v, %v; %d members", first, err, len(f.members))
		}
		second, refused, err := read(t, f, CSV, text)
		if err != nil || len(refused) > 0 || second.Unchanged != first.Added || second.Added+second.Unchanged != 1000 || len(f.members) != 1000 {
			t.Errorf("cut at %d: got %+v after %+v, %v, %v, %d members", broken, second, first, refused, err, len(f.members))
		}
	}
}

func TestBatchesAreBounded(t *testing.T) {
	f := newFake(t)
	if _, _, err := read(t, f, CSV, list(600, hashed)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{256, 256, 88}, f.batches); diff != "" {
		t.Errorf("batches of hashes (-want +got):\n%s", diff)
	}
	f = newFake(t)
	if _, _, err := read(t, f, CSV, list(100, func(i int) string { return fmt.Sprintf("shop-%d,,,secret %d", i, i) })); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{64, 36}, f.batches); diff != "" {
		t.Errorf("batches of passwords (-want +got):\n%s", diff)
	}
}

// Plain passwords are hashed once, and only compared when their member is there.
func TestPlainPasswords(t *testing.T) {
	f := newFake(t)
	hasher := &quick{}
	with := func(c *Config) { c.Hasher = hasher }
	text := "login,password\nkim,correct horse\nlee, spaces stay \n"
	if count, refused, err := read(t, f, CSV, text, with); err != nil || count.Added != 2 || hasher.hashed != 2 {
		t.Fatalf("got %+v, %v, %v, %d hashed", count, refused, err, hasher.hashed)
	}
	if f.members["lee"].Hash != "quick: spaces stay " {
		t.Errorf("got %s, want the password as it is", f.members["lee"].Hash)
	}
	if count, refused, err := read(t, f, CSV, text, with); err != nil || count.Unchanged != 2 || hasher.hashed != 2 || hasher.verified != 2 {
		t.Errorf("again: got %+v, %v, %v, %d hashed, %d compared; want none hashed", count, refused, err, hasher.hashed, hasher.verified)
	}
	other := "login,password\nkim,another\n"
	count, refused, err := read(t, f, CSV, other, with)
	if err != nil || count.Refused != 1 || !strings.Contains(refused[0].Reason, "another password") || hasher.hashed != 2 {
		t.Errorf("another: got %+v, %v, %v, %d hashed; want refused", count, refused, err, hasher.hashed)
	}
	count, refused, err = read(t, f, CSV, other, with, func(c *Config) { c.Update = true })
	if err != nil || count.Updated != 1 || f.members["kim"].Hash != "quick:another" {
		t.Errorf("update: got %+v, %v, %v; want it changed", count, refused, err)
	}
}

// What the list does not tell stays as it is, and what its owner or a first sign-in changed since is no difference.
func TestOnto(t *testing.T) {
	there := account.Member{
		Login: "kim", Hash: "today's", Secret: 3,
		Account: account.Account{ID: "1", Profile: account.Profile{Name: "Kim", Email: "kim@example.com", Roles: []string{"shop"}}},
	}
	all := Given{true, true, true, true}
	profile := account.Account{Profile: account.Profile{Name: "Kim", Email: "kim@example.com", Roles: []string{"shop"}}}
	changed := account.Account{Profile: account.Profile{Name: "Lee", Roles: []string{}}, Disabled: true}
	for name, test := range map[string]struct {
		entry Entry
		want  []string
	}{
		"nothing but the login":       {Entry{}, nil},
		"all the same":                {Entry{Member: account.Member{Account: profile}, Given: all}, nil},
		"the hash imported before":    {Entry{Member: account.Member{Hash: "old"}, Origin: []byte("old")}, nil},
		"the password who is there":   {Entry{Same: 3}, nil},
		"a password since changed":    {Entry{Same: 2}, []string{"password"}},
		"another hash":                {Entry{Member: account.Member{Hash: "new"}, Origin: []byte("new")}, []string{"password"}},
		"another password":            {Entry{Member: account.Member{Hash: "new"}}, []string{"password"}},
		"everything":                  {Entry{Member: account.Member{Account: changed, Hash: "new"}, Given: all}, []string{"name", "email", "roles", "disabled", "password"}},
		"columns that were not there": {Entry{Member: account.Member{Account: changed}, Given: Given{Name: true}}, []string{"name"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, differs := test.entry.Onto(there, []byte("old"))
			if diff := cmp.Diff(test.want, differs); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
			if got.ID != "1" || got.Login != "kim" || len(differs) == 0 && !cmp.Equal(got, there) {
				t.Errorf("got %+v, want the same member", got)
			}
		})
	}
}

// A password that its owner changes while the list's is compared with the old one is not the list's.
func TestAPasswordThatChangesMeanwhile(t *testing.T) {
	f := newFake(t)
	const text = "login,password\nkim,correct horse\n"
	if _, _, err := read(t, f, CSV, text); err != nil {
		t.Fatal(err)
	}
	f.changes = true
	if count, refused, err := read(t, f, CSV, text); err != nil || count != (Count{Refused: 1}) {
		t.Errorf("got %+v, %v, %v; want refused", count, refused, err)
	}
}

func TestAnImportStopsWithItsStore(t *testing.T) {
	f := newFake(t)
	f.fail = fault.New(fault.StoreUnavailable, "disk full")
	count, refused, err := read(t, f, CSV, list(300, hashed))
	if fault.CodeOf(err) != fault.StoreUnavailable || count != (Count{}) || len(refused) != 0 {
		t.Errorf("got %+v, %v, %v; want the store's error and nobody refused for it", count, refused, err)
	}
}

func TestProgressTellsHowFar(t *testing.T) {
	text := list(600, hashed)
	var seen []Count
	f := newFake(t)
	if _, _, err := read(t, f, CSV, text, func(c *Config) { c.Progress = func(n Count) { seen = append(seen, n) } }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3 || seen[0].Rows() != 256 || seen[2].Rows() != 600 || seen[0].Bytes <= 0 || seen[2].Bytes != int64(len(text)) {
		t.Errorf("got %+v, want three reports up to all of %d bytes", seen, len(text))
	}
}

// A log gets a line every five seconds and one at the end; a screen one that changes, and that makes room.
func TestProgress(t *testing.T) {
	for screen, want := range map[bool]string{
		false: "512 rows, 85 a second, 50 % of the list\n1024 rows, 146 a second, 100 % of the list, 3 refused\n",
		true:  "\r\x1b[K256 rows, 256 a second, 25 % of the list\r\x1b[K512 rows, 85 a second, 50 % of the list\r\x1b[K1024 rows, 146 a second, 100 % of the list, 3 refused\r\x1b[K",
	} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			p := NewProgress(&out, screen, 1000)
			for _, step := range []struct {
				after time.Duration
				n     Count
			}{
				{time.Second, Count{Added: 256, Bytes: 250}},
				{5 * time.Second, Count{Added: 512, Bytes: 500}},
				{time.Second, Count{Added: 1021, Refused: 3, Bytes: 1000}},
			} {
				time.Sleep(step.after)
				p.Show(step.n)
			}
			p.Clear()
			if got := out.String(); got != want {
				t.Errorf("screen %v: got %q, want %q", screen, got, want)
			}
		})
	}
}

// Any bytes are a list whose rows are counted: no panic, and each row has one outcome.
func FuzzImport(f *testing.F) {
	f.Add("login,name,hash\nkim,김민수,"+bcrypted+"\n", true)
	f.Add("{\"login\":\"kim\",\"roles\":[\"shop\"]}\n", false)
	f.Add("\ufefflogin,password\r\n\"k\"\"im\",x\r\n", true)
	f.Fuzz(func(t *testing.T, text string, csv bool) {
		format := JSONLines
		if csv {
			format = CSV
		}
		store := newFake(t)
		count, refused, _ := read(t, store, format, text)
		if count.Added != len(store.members) || count.Refused != len(refused) || count.Rows() > strings.Count(text, "\n")+1 {
			t.Fatalf("got %+v, %d members, %d refused of %d lines", count, len(store.members), len(refused), strings.Count(text, "\n")+1)
		}
	})
}

// The list that the documentation shows is one.
func TestTheDocumentedLists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "members.md"))
	if err != nil {
		t.Fatal(err)
	}
	for format, mark := range map[Format]string{CSV: "```csv\n", JSONLines: "```jsonl\n"} {
		_, rest, found := strings.Cut(string(text), mark)
		example, _, closed := strings.Cut(rest, "```")
		count, refused, err := read(t, newFake(t), format, example)
		if !found || !closed || err != nil || len(refused) > 0 || count.Added < 3 {
			t.Errorf("%s: got %+v, %v, %v; want an example whose rows are all taken", format, count, refused, err)
		}
	}
}
