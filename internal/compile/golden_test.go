package compile

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files of the screens anew")

// documents are those that the golden files are made of: the demo's, and those in testdata.
func documents(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	names, err := filepath.Glob("testdata/*.openapi.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "../demo/market/openapi.json", "../demo/wishlist/openapi.json") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		short, _, _ := strings.Cut(filepath.Base(name), ".")
		if short == "openapi" {
			short = filepath.Base(filepath.Dir(name))
		}
		all[short] = text
	}
	return all
}

// The screens of every example, byte for byte. See what changed before writing them anew.
func TestScreensOfExamples(t *testing.T) {
	for name, text := range documents(t) {
		t.Run(name, func(t *testing.T) {
			service, err := Service(name, text, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(service, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".screens.json")
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Errorf("the screens changed (-want +got):\n%s", diff)
			}
		})
	}
}
