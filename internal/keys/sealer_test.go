package keys_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/munjigi/munjigi/internal/keys"
)

func TestSealer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "munjigi.key")
	created, err := keys.CreateSealer(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := created.Seal([]byte("a secret"), []byte("grant 1"))
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Fatalf("seal: %q, %v", sealed, err)
	}
	opened, err := keys.OpenSealer(path)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := opened.Open(sealed, []byte("grant 1")); err != nil || string(plain) != "a secret" {
		t.Errorf("open: %q, %v", plain, err)
	}
	if _, err := opened.Open(sealed, []byte("grant 2")); !errors.Is(err, keys.ErrSeal) {
		t.Errorf("in another row: got %v, want ErrSeal", err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := opened.Open(sealed, []byte("grant 1")); !errors.Is(err, keys.ErrSeal) {
		t.Errorf("changed: got %v, want ErrSeal", err)
	}
}

func TestSealerOfAnotherFileOpensNothing(t *testing.T) {
	dir := t.TempDir()
	one, err := keys.CreateSealer(filepath.Join(dir, "one.key"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := keys.CreateSealer(filepath.Join(dir, "two.key"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := one.Seal([]byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := two.Open(sealed, nil); !errors.Is(err, keys.ErrSeal) {
		t.Errorf("got %v, want ErrSeal", err)
	}
}

// A seal key that is overwritten is a database that nobody can read any more.
func TestCreateSealerNeverOverwrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "munjigi.key")
	if _, err := keys.CreateSealer(path); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	if _, err := keys.CreateSealer(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want fs.ErrExist", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode: got %o, want 600", info.Mode().Perm())
	}
}

func TestOpenSealerRefusals(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.key")
	if _, err := keys.CreateSealer(good); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(good)
	for name, test := range map[string]struct {
		text []byte
		mode os.FileMode
		want string
	}{
		"group may read":  {text, 0o640, "chmod 600"},
		"world may read":  {text, 0o604, "chmod 600"},
		"empty":           {nil, 0o600, "not a keyset"},
		"not a keyset":    {[]byte("hunter2\n"), 0o600, "not a keyset"},
		"without any key": {[]byte(`{"primaryKeyId":1,"key":[]}`), 0o600, "not a keyset"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "munjigi.key")
			if err := os.WriteFile(path, test.text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			if _, err := keys.OpenSealer(path); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := keys.OpenSealer(filepath.Join(dir, "none.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if _, err := keys.OpenSealer(dir); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("a directory: got %v", err)
	}
}
