package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/munjigi/munjigi/internal/fault"
)

func TestAPasswordIsNeverPrinted(t *testing.T) {
	secret := Password("correct horse battery")
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("signed in", "password", secret, "all", struct{ P Password }{secret})
	encoded, err := json.Marshal([]any{secret, &secret, struct{ P Password }{secret}, map[string]Password{"p": secret}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"every verb": fmt.Sprintf("%v %+v %s %q %#v %x", secret, secret, secret, secret, secret, secret),
		"inside":     fmt.Sprintf("%v %+v %#v", []Password{secret}, struct{ P Password }{secret}, map[string]Password{"p": secret}),
		"slog":       logged.String(),
		"JSON":       string(encoded),
	} {
		if strings.Contains(text, "correct") || strings.Contains(text, fmt.Sprintf("%x", "correct")) || !strings.Contains(text, redacted[1:9]) && !strings.Contains(text, fmt.Sprintf("%x", redacted)) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// Hashes that other programs made. The sentence is "twelve letters of password" in Korean.
const sentence = Password("비밀번호 열두자리")

var foreign = map[string]struct {
	password Password
	encoded  string
}{
	"argon2id, the reference implementation's test": {"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
	"argon2id of four lanes, the same program":      {sentence, "$argon2id$v=19$m=1024,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$H2WyKPIgIPsIHBpBpwnIq2dWzBOxkwvUYrMHSzhIhi0"},
	"bcrypt 2b, libxcrypt":                          {sentence, "$2b$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS"},
	"bcrypt 2y, PHP's":                              {sentence, "$2y$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS"},
	"bcrypt 2a":                                     {sentence, "$2a$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS"},
	"bcrypt 2a, crypt_blowfish's test":              {"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
	"PBKDF2-SHA256, Python's hashlib":               {sentence, "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$30jsbqIh0Qnl/GPoVOSNU4bE6nOn88dm185743UgV+s"},
	"PBKDF2-SHA256 without a length":                {sentence, "$pbkdf2-sha256$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$30jsbqIh0Qnl/GPoVOSNU4bE6nOn88dm185743UgV+s"},
	"PBKDF2-SHA512, Python's hashlib":               {sentence, "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$yD5SqLL+4AkG45PM0QTiNK1fn43j+9IdaaJazKfgalHVZR0jOTCT+r4+dW6n8A4MorWM+mgsExLE/RPBWCbHXw"},
	"Django's own test":                             {"lètmein", "pbkdf2_sha256$20000$seasalt$oBSd886ysm3AqYun62DOdin8YcfbU1z9cksZSuLP9r0="},
	"Django's form, Python's hashlib":               {sentence, "pbkdf2_sha256$1000$seasalt2$NPpU1+5lzN7WTJbNeckGS1fx5JZmLycy9ztMUKUhAC0="},
}

func TestVerifyForeignHashes(t *testing.T) {
	hasher := NewHasher(HasherConfig{})
	for name, test := range foreign {
		t.Run(name, func(t *testing.T) {
			for password, want := range map[Password]bool{
				test.password: true, Password(norm.NFD.String(string(test.password))): true,
				test.password + " ": false, test.password + "\x00": false, "": false, test.password[1:]: false, Password(strings.ToUpper(string("x" + test.password))): false,
			} {
				ok, outdated, err := hasher.Verify(t.Context(), test.encoded, password)
				if ok != want || !outdated || err != nil {
					t.Errorf("%q: got %v, outdated %v, %v; want %v and outdated", string(password), ok, outdated, err, want)
				}
			}
		})
	}
}

// The reference implementation's hash of today's cost needs no upgrade.
func TestVerifyTodaysHashOfAnotherProgram(t *testing.T) {
	encoded := "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$T25sEGKjHiisBMqW96sQdIC65cg5IJ9asIHTecD2LuU"
	if ok, outdated, err := NewHasher(HasherConfig{}).Verify(t.Context(), encoded, sentence); !ok || outdated || err != nil {
		t.Errorf("got %v, outdated %v, %v; want right and of today", ok, outdated, err)
	}
}

func TestHashIsOfTodayAndItsOwn(t *testing.T) {
	hasher := NewHasher(HasherConfig{})
	for _, password := range []Password{"x", sentence, "a b", Password(strings.Repeat("한", 128)), "\t"} {
		first, err := hasher.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		second, err := hasher.Hash(t.Context(), password)
		if err != nil || first == second || !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("got %s and %s, %v; want two hashes of today's cost with salts of their own", first, second, err)
		}
		if ok, outdated, err := hasher.Verify(t.Context(), first, password); !ok || outdated || err != nil {
			t.Errorf("%q: got %v, outdated %v, %v; want right and of today", string(password), ok, outdated, err)
		}
		if ok, _, _ := hasher.Verify(t.Context(), first, password+"x"); ok {
			t.Errorf("%q and x: want wrong", string(password))
		}
	}
	if got := hasher.Computed(); got != 20 {
		t.Errorf("got %d hashes counted, want 20", got)
	}
}

// What a phone types and what a desktop types are one password: composed or not, any kind of space. What NFKC would
// confuse stays apart.
func TestSpellingsOfOnePassword(t *testing.T) {
	for _, pair := range [][2]Password{
		{"한글 비밀번호", "한글 비밀번호"}, {"café", "cafe\u0301"}, {"a b", "a\u3000b"}, {"a b", "a\u00a0b"},
	} {
		if a, b := pair[0].prepared(), pair[1].prepared(); a != b {
			t.Errorf("%q and %q: want one password", a, b)
		}
	}
	for _, pair := range [][2]Password{{"①", "1"}, {"Ａ", "A"}, {"ㅎㅏㄴ", "한"}, {"a", "A"}, {"a ", "a"}, {"a  b", "a b"}} {
		if a, b := pair[0].prepared(), pair[1].prepared(); a == b {
			t.Errorf("%q and %q: want two passwords", string(pair[0]), string(pair[1]))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		once := Password(text).prepared()
		if twice := Password(once).prepared(); twice != once {
			t.Fatalf("%q is prepared as %q and then as %q", text, once, twice)
		}
		if other := Password(norm.NFD.String(text)).prepared(); other != once {
			t.Fatalf("%q typed decomposed is prepared as %q, not as %q", text, other, once)
		}
	})
}

// bcrypt looks at 72 bytes: who knew a long password's beginning, or had a long login before it, would get in.
func TestNoLongPasswordPassesBcrypt(t *testing.T) {
	hasher := NewHasher(HasherConfig{})
	for _, length := range []int{72, 73, 100, 1000} {
		password := Password(strings.Repeat("a", length))
		encoded, err := bcrypt.GenerateFromPassword([]byte(password[:72]), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		for _, typed := range []Password{password, password + "x", password[:length-1] + "b"} {
			ok, _, err := hasher.Verify(t.Context(), string(encoded), typed)
			if want := len(typed) == 72 && typed == password; ok != want || err != nil {
				t.Errorf("%d bytes against a hash of %d: got %v, %v; want %v", len(typed), length, ok, err, want)
			}
		}
	}
	// Korean takes three bytes a letter.
	encoded, err := bcrypt.GenerateFromPassword([]byte(strings.Repeat("한", 24)), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := hasher.Verify(t.Context(), string(encoded), Password(strings.Repeat("한", 25))); ok {
		t.Error("25 Korean letters pass a hash of 24")
	}
}

func TestADummyIsOfTodayAndNobodys(t *testing.T) {
	hasher := NewHasher(HasherConfig{})
	for _, password := range []Password{"", "password", Password(hasher.Dummy())} {
		if ok, outdated, err := hasher.Verify(t.Context(), hasher.Dummy(), password); ok || outdated || err != nil {
			t.Errorf("got %v, outdated %v, %v; want wrong, of today's cost", ok, outdated, err)
		}
	}
	if hasher.Dummy() == NewHasher(HasherConfig{}).Dummy() {
		t.Error("two programs share a dummy")
	}
}

func TestWhatCannotBeAPassword(t *testing.T) {
	hasher := NewHasher(HasherConfig{})
	for _, password := range []Password{"", Password(strings.Repeat("x", MaxPasswordBytes+1)), "a\xffb", "ab\x00"} {
		if _, err := hasher.Hash(t.Context(), password); fault.CodeOf(err) != fault.RequestInvalid {
			t.Errorf("%d bytes: got %v, want request_invalid", len(password), err)
		}
		before := hasher.Computed()
		if ok, _, err := hasher.Verify(t.Context(), hasher.Dummy(), password); ok || err != nil || hasher.Computed() != before+1 {
			t.Errorf("%d bytes: got %v, %v, %d hashes; want wrong after one hash", len(password), ok, err, hasher.Computed()-before)
		}
	}
}

// A hash is data: none may ask for the machine.
func TestHostileHashesAreRefused(t *testing.T) {
	sum := "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	long := strings.Repeat("QUJD", 30)
	for name, encoded := range map[string]string{
		"nothing": "", "text": "password", "plain MD5": "5f4dcc3b5aa765d61d8327deb882cf99", "dollars": strings.Repeat("$", 1000),
		"argon2i":                     "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$" + sum,
		"argon2id of version 1.0":     "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$" + sum,
		"4 GiB":                       "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$" + sum,
		"a bit over the memory":       "$argon2id$v=19$m=262145,t=2,p=1$c29tZXNhbHQ$" + sum,
		"memory that overflows":       "$argon2id$v=19$m=4294967297,t=2,p=1$c29tZXNhbHQ$" + sum,
		"negative memory":             "$argon2id$v=19$m=-1,t=2,p=1$c29tZXNhbHQ$" + sum,
		"less memory than lanes need": "$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$" + sum,
		"no passes":                   "$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$" + sum,
		"many passes":                 "$argon2id$v=19$m=65536,t=17,p=1$c29tZXNhbHQ$" + sum,
		"no lanes":                    "$argon2id$v=19$m=65536,t=2,p=0$c29tZXNhbHQ$" + sum,
		"many lanes":                  "$argon2id$v=19$m=65536,t=2,p=257$c29tZXNhbHQ$" + sum,
		"another order":               "$argon2id$v=19$t=2,m=65536,p=1$c29tZXNhbHQ$" + sum,
		"a leading zero":              "$argon2id$v=19$m=065536,t=2,p=1$c29tZXNhbHQ$" + sum,
		"a member more":               "$argon2id$v=19$m=65536,t=2,p=1,keyid=x$c29tZXNhbHQ$" + sum,
		"no salt":                     "$argon2id$v=19$m=65536,t=2,p=1$$" + sum,
		"a long salt":                 "$argon2id$v=19$m=65536,t=2,p=1$" + long + "$" + sum,
		"no sum":                      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$",
		"a short sum":                 "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$QUJD",
		"a long sum":                  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$" + long,
		"padding":                     "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ=$" + sum,
		"a line break":                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$" + sum + "\n",
		"spare bits":                  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHR$" + sum,
		"bcrypt that takes hours":     "$2b$31$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS",
		"bcrypt of cost 16":           "$2b$16$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS",
		"bcrypt of cost 3":            "$2b$03$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS",
		"the broken bcrypt 2x":        "$2x$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS",
		"bcrypt cut short":            "$2b$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/M",
		"bcrypt of other letters":     "$2b$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/M=",
		"many rounds":                 "$pbkdf2-sha256$i=5000001,l=32$MDEyMzQ1Njc4OWFiY2RlZg$30jsbqIh0Qnl/GPoVOSNU4bE6nOn88dm185743UgV+s",
		"no rounds":                   "$pbkdf2-sha256$i=0,l=32$MDEyMzQ1Njc4OWFiY2RlZg$30jsbqIh0Qnl/GPoVOSNU4bE6nOn88dm185743UgV+s",
		"another length":              "$pbkdf2-sha256$i=1000,l=33$MDEyMzQ1Njc4OWFiY2RlZg$30jsbqIh0Qnl/GPoVOSNU4bE6nOn88dm185743UgV+s",
		"SHA-1":                       "$pbkdf2-sha1$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$30jsbqIh0Qnl/GPoVOSNU4bE6nOn88dm185743UgV+s",
		"Django's with many rounds":   "pbkdf2_sha256$5000001$seasalt$oBSd886ysm3AqYun62DOdin8YcfbU1z9cksZSuLP9r0=",
		"Django's with no sum":        "pbkdf2_sha256$20000$seasalt$",
		"Django's unusable password":  "!cVfl4Hh9aCqfLNb0rKX3ScnTTqoFB8",
		"Django's with SHA-1":         "pbkdf2_sha1$20000$seasalt$oBSd886ysm3AqYun62DOdin8YcfbU1z9cksZSuLP9r0=",
	} {
		if err := ValidHash(encoded); !errors.Is(err, errHash) {
			t.Errorf("%s: got %v, want refused", name, err)
		}
		ok, _, err := NewHasher(HasherConfig{}).Verify(t.Context(), encoded, "password")
		if ok || err == nil || fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: got %v, %v; want an error without a code", name, ok, err)
		}
	}
}

// Whatever the parser takes is within the bounds, and today's form comes back as it was.
func FuzzParseHash(f *testing.F) {
	for _, test := range foreign {
		f.Add(test.encoded)
	}
	f.Add(NewHasher(HasherConfig{}).Dummy())
	f.Fuzz(func(t *testing.T, encoded string) {
		parsed, err := parseHash(encoded)
		if err != nil {
			if !errors.Is(err, errHash) {
				t.Fatalf("got %v, want the one error", err)
			}
			return
		}
		switch h := parsed.(type) {
		case argon:
			if h.memory > maxMemory || h.memory < 8*h.lanes || h.passes-1 >= maxPasses || h.lanes-1 >= maxLanes || len(h.salt) > maxSalt || len(h.sum) < minSum || len(h.sum) > maxSum {
				t.Fatalf("%q is out of bounds", encoded)
			}
			if h.String() != encoded {
				t.Fatalf("%q comes back as %q: one hash has two spellings", encoded, h.String())
			}
		case bcrypted:
			if cost, err := bcrypt.Cost([]byte(h)); err != nil || cost > maxBcryptCost || len(h) != 60 {
				t.Fatalf("%q: cost %d, %v", encoded, cost, err)
			}
		case pbkdf2ed:
			if h.rounds < 1 || h.rounds > maxRounds || len(h.salt) < minSalt || len(h.salt) > maxSalt || len(h.sum) < minSum || len(h.sum) > maxSum {
				t.Fatalf("%q is out of bounds", encoded)
			}
		}
	})
}

// crew is a Hasher whose work is what a test says.
type crew struct {
	*Hasher
	works sync.Map // by password
}

func newCrew(config HasherConfig) *crew {
	c := new(crew)
	config.Compute = func(job HashJob) (HashResult, error) {
		if work, ok := c.works.Load(job.Password); ok {
			work.(func())()
		}
		return HashResult{}, nil
	}
	c.Hasher = NewHasher(config)
	return c
}

func (c *crew) do(t *testing.T, heavy bool, work func()) {
	t.Helper()
	name := string(random(16))
	c.works.Store(name, work)
	if _, err := c.compute(t.Context(), heavy, HashJob{Password: name}); err != nil {
		t.Error(err)
	}
}

// hold fills n slots of hasher until the returned function is called.
func hold(t *testing.T, hasher *crew, n int) (release func()) {
	t.Helper()
	gate := make(chan struct{})
	var group sync.WaitGroup
	for range n {
		group.Go(func() { hasher.do(t, false, func() { <-gate }) })
	}
	synctest.Wait()
	return func() {
		close(gate)
		group.Wait()
	}
}

func TestNoMoreAtOnceThanAgreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := newCrew(HasherConfig{Parallel: 3, Queue: 200})
		var mu sync.Mutex
		running, most := 0, 0
		var group sync.WaitGroup
		for range 200 {
			group.Go(func() {
				hasher.do(t, false, func() {
					mu.Lock()
					running++
					most = max(most, running)
					mu.Unlock()
					time.Sleep(time.Second)
					mu.Lock()
					running--
					mu.Unlock()
				})
			})
		}
		started := time.Now()
		group.Wait()
		if took := time.Since(started); most != 3 || took != 67*time.Second || hasher.Computed() != 200 || hasher.Waiting() != 0 {
			t.Errorf("got %d at once, %s, %d computed, %d left; want 3, 67 s, 200, 0", most, took, hasher.Computed(), hasher.Waiting())
		}
	})
}

func TestAFullQueueSaysWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := newCrew(HasherConfig{Parallel: 2, Queue: 3})
		hasher.do(t, false, func() { time.Sleep(2 * time.Second) })
		release := hold(t, hasher, 5)
		_, _, err := hasher.Verify(t.Context(), hasher.Dummy(), "x")
		full, ok := errors.AsType[*fault.Error](err)
		if !ok || full.Code != fault.TooManyAttempts || full.RetryAfter != 6*time.Second {
			t.Errorf("got %v, want too_many_attempts until the queue is worked off, 6 s", err)
		}
		if _, err := hasher.Hash(t.Context(), "x"); fault.CodeOf(err) != fault.TooManyAttempts {
			t.Errorf("got %v, want too_many_attempts", err)
		}
		release()
		if hasher.Computed() != 6 || hasher.Waiting() != 0 {
			t.Errorf("got %d computed, %d waiting; want 6 and none", hasher.Computed(), hasher.Waiting())
		}
	})
}

// A turn comes before the hash: as many have theirs as compute, and one more; who would wait too long is told at once.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := newCrew(HasherConfig{Parallel: 2, Queue: 3})
		var leave []func()
		for range 3 {
			done, err := hasher.Turn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, done)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if _, err := hasher.Turn(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want to have waited in vain", err)
				}
			})
		}
		synctest.Wait()
		if _, err := hasher.Turn(t.Context()); fault.CodeOf(err) != fault.TooManyAttempts {
			t.Errorf("got %v, want too_many_attempts", err)
		}
		if got := hasher.Waiting(); got != 2 {
			t.Errorf("%d wait, want 2", got)
		}
		if _, err := hasher.Hash(t.Context(), "somebody else's"); err != nil {
			t.Errorf("a hash without a turn: %v", err)
		}
		group.Wait()
		for _, done := range leave {
			done()
		}
		if done, err := hasher.Turn(t.Context()); err != nil || hasher.Waiting() != 0 {
			t.Errorf("afterwards: %v, %d waiting", err, hasher.Waiting())
		} else {
			done()
		}
	})
}

func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := newCrew(HasherConfig{Parallel: 1, Queue: 1})
		release := hold(t, hasher, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := hasher.Verify(ctx, hasher.Dummy(), "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the caller's deadline", err)
		}
		if hasher.Waiting() != 1 {
			t.Errorf("got %d places taken, want 1", hasher.Waiting())
		}
		release()
		for range 20 { // with a free slot there are two ways to go on
			if _, err := hasher.Hash(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) || hasher.Computed() != 1 {
				t.Errorf("got %v, %d computed; want nothing done for who is gone", err, hasher.Computed())
			}
		}
	})
}

// Heavy ones are let in one at a time, and those that wait for it leave the slots to others.
func TestHeavyHashesQueueAmongThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hasher := newCrew(HasherConfig{Parallel: 2, Queue: 10})
		started := time.Now()
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() { hasher.do(t, true, func() { time.Sleep(time.Second) }) })
		}
		synctest.Wait()
		hasher.do(t, false, func() { time.Sleep(time.Second) })
		if took := time.Since(started); took != time.Second {
			t.Errorf("a light one came after %s, want 1 s", took)
		}
		group.Wait()
		if took := time.Since(started); took != 3*time.Second {
			t.Errorf("three heavy ones took %s, want 3 s, one after the other", took)
		}
	})
	for encoded, want := range map[string]bool{
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": false,
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": true,
		"$argon2id$v=19$m=19456,t=2,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": true,
		"$2b$04$abcdefghijklmnopqrstuuyuTuENoB0X5QBqv9dvIXEA7P/dar/MS":                           false,
	} {
		parsed, err := parseHash(encoded)
		if err != nil || parsed.heavy() != want {
			t.Errorf("%s: %v, want heavy %v", encoded, err, want)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	hasher := NewHasher(HasherConfig{})
	for b.Loop() {
		if _, err := hasher.Hash(b.Context(), sentence); err != nil {
			b.Fatal(err)
		}
	}
}
