package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/account"
	"github.com/munjigi/munjigi/internal/config"
	"github.com/munjigi/munjigi/internal/fault"
	"github.com/munjigi/munjigi/internal/store"
)

// importSize is how many members a list has: as many as the goal says in the long tests.
func importSize() int {
	if os.Getenv("MUNJIGI_SOAK") != "" {
		return 100_000
	}
	return 5000
}

// importLimit is the time that the goal gives them.
const importLimit = time.Minute

// bcryptCanary is bcrypt's of "비밀번호 열두자리", made by libxcrypt.
const (
	bcryptCanary = "$2b$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS"
	legacyCanary = "비밀번호 열두자리"
)

func bigList(rows int) string {
	var text strings.Builder
	text.WriteString("login,name,email,roles,hash\r\n")
	for i := range rows {
		fmt.Fprintf(&text, "shop-%d,동대문 %d호,shop%d@example.com,shop,%s\r\n", i, i, i, bcryptCanary)
	}
	return text.String()
}

// imports runs munjigi members import, which has to take every row, and returns its counts.
func (w *whole) imports(t *testing.T, list string) (count struct{ Added, Unchanged int }) {
	t.Helper()
	w.write(t, "people.csv", list)
	text, err := w.command("members", "import", "--json", filepath.Join(w.dir, "people.csv")).Output()
	if err == nil {
		err = json.Unmarshal(text, &count)
	}
	if err != nil {
		t.Fatalf("import: %v\n%s", err, text)
	}
	return count
}

// opened is the store beside the running server.
func (w *whole) opened(t *testing.T) *store.Store {
	t.Helper()
	c, err := config.Load(filepath.Join(w.dir, "munjigi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := openStore(t.Context(), &c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// A list that is killed in its middle and begun again leaves each member once, beside a server that goes on.
func TestWholeImportKilledAndRunAgain(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "", "somebody")
	b := w.browser()
	if _, err := b.guess("somebody", canary); err != nil {
		t.Fatal(err)
	}
	size := importSize()
	list := bigList(size)
	c := w.command("members", "import", "--format", "csv", "-")
	pipe, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// It reads what it is given, and then waits for more: what was read is in batches that are in the store, but for one.
	if _, err := pipe.Write([]byte(list[:len(list)*2/3])); err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Fatal("killed, and yet it ended well")
	}
	started := time.Now()
	count := w.imports(t, list)
	took := time.Since(started)
	if count.Unchanged == 0 || count.Added == 0 || count.Unchanged+count.Added != size {
		t.Errorf("got %+v after a run that was killed, want %d in all, some of each", count, size)
	}
	if took > importLimit {
		t.Errorf("%d members took %s, want at most %s", size, took, importLimit)
	}
	t.Logf("%d members, %d of them there already, in %s", size, count.Unchanged, took.Round(time.Millisecond))
	if again := w.imports(t, list); again.Unchanged != size || again.Added != 0 {
		t.Errorf("run again: got %+v, want everybody there already", again)
	}
	if access, err := b.renewShop(); err != nil || b.me(w.service.URL, access) != nil {
		t.Errorf("renewal after it: %v", err)
	}
	for _, i := range []int{0, size / 2, size - 1} {
		if _, err := w.browser().guess(fmt.Sprintf("SHOP-%d", i), legacyCanary); err != nil {
			t.Errorf("shop-%d cannot sign in: %v", i, err)
		}
	}
	wantMembers(t, w, size+1)
}

func wantMembers(t *testing.T, w *whole, want int) {
	t.Helper()
	st := w.opened(t)
	seen := map[string]bool{}
	last := account.Member{}
	for {
		page, err := st.Members(t.Context(), "members", last, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			seen[m.ID] = true
		}
		last = page[len(page)-1]
	}
	if len(seen) != want {
		t.Errorf("got %d members, want %d", len(seen), want)
	}
}

// Every kind of hash lets its owner in, nobody else, and is of today's kind from then on.
func TestWholeLegacyHashesAreUpgraded(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "")
	kinds := map[string]string{
		"argon2id":      "$argon2id$v=19$m=1024,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$H2WyKPIgIPsIHBpBpwnIq2dWzBOxkwvUYrMHSzhIhi0",
		"bcrypt-2a":     strings.Replace(bcryptCanary, "2b", "2a", 1),
		"bcrypt-2b":     bcryptCanary,
		"bcrypt-2y":     strings.Replace(bcryptCanary, "2b", "2y", 1),
		"pbkdf2-sha256": "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$30jsbqIh0Qnl/GPoVOSNU4bE6nOn88dm185743UgV+s",
		"pbkdf2-sha512": "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$yD5SqLL+4AkG45PM0QTiNK1fn43j+9IdaaJazKfgalHVZR0jOTCT+r4+dW6n8A4MorWM+mgsExLE/RPBWCbHXw",
		"django":        "pbkdf2_sha256$1000$seasalt2$NPpU1+5lzN7WTJbNeckGS1fx5JZmLycy9ztMUKUhAC0=",
		"today":         "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$T25sEGKjHiisBMqW96sQdIC65cg5IJ9asIHTecD2LuU",
	}
	list := "login,hash,password\n"
	for kind, hash := range kinds {
		list += fmt.Sprintf("%s,%q,\n", kind, hash)
	}
	list += "plain,," + legacyCanary + "\n"
	kinds["plain"] = ""
	if count := w.imports(t, list); count.Added != len(kinds) {
		t.Fatalf("got %+v, want %d added", count, len(kinds))
	}
	st := w.opened(t)
	for kind, hash := range kinds {
		_, err := w.browser().guess(kind, legacyCanary+"!")
		wantCode(t, err, fault.CredentialsWrong)
		if m, _, err := st.Member(t.Context(), "members", kind); err != nil || hash != "" && m.Hash != hash {
			t.Errorf("%s: got %q, %v; want a wrong password to leave the hash", kind, m.Hash, err)
		}
		for range 2 {
			if _, err := w.browser().guess(kind, legacyCanary); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		m, _, err := st.Member(t.Context(), "members", kind)
		if err != nil || !strings.HasPrefix(m.Hash, "$argon2id$v=19$m=19456,t=2,p=1$") || (m.Hash == hash) != (kind == "today") {
			t.Errorf("%s: got %q, %v; want a hash of today, and a new one unless it was", kind, m.Hash, err)
		}
	}
	if again := w.imports(t, list); again.Unchanged != len(kinds) {
		t.Errorf("the list again: got %+v, want everybody there already", again)
	}
}

// What is refused in a list reaches no log, no audit and no output with its secret.
func TestWholeAnImportTellsNoSecret(t *testing.T) {
	t.Parallel()
	w := startMembers(t, "")
	const secret = "secretcanary77"
	w.write(t, "people.jsonl", `{"login":"kim","password":"`+secret+`"}
{"login":"lee","password":"`+secret+`","roles":["boss"]}
{"login":"park","password":"`+secret+`","hash":"`+secret+`"}
{"login":"choi","hash":"`+secret+`"}
{"login":"jung","password":"`+secret+`"
"`+secret+`"
`)
	text, err := w.command("members", "import", filepath.Join(w.dir, "people.jsonl")).CombinedOutput()
	if err == nil || !strings.Contains(string(text), "1 added, 0 updated, 0 there already, 5 refused") {
		t.Fatalf("got %v\n%s", err, text)
	}
	exported, err := w.command("audit", "export").Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.browser().guess("kim", secret); err != nil {
		t.Error(err)
	}
	for what, text := range map[string]string{"output": string(text), "audit": string(exported), "log": w.log.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s holds a secret:\n%s", what, text)
		}
	}
}
