package demo

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/munjigi/munjigi/internal/demo/members"
)

func sites() Sites {
	return Sites{
		URL: "http://localhost:8080", Provider: "http://localhost:8081",
		Services: map[string]string{"wishlist": "http://localhost:8082", "market": "http://localhost:8083"},
		Shop:     "http://localhost:8084", Wholesale: "http://localhost:8085",
	}
}

func fetch(t *testing.T, handler http.Handler, path string) (*http.Response, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
	answer := recorder.Result()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestDemoPageMayCallOnlyTheDemo(t *testing.T) {
	answer, _ := fetch(t, NewPage(sites(), http.NotFoundHandler()), "/demo/")
	want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' " +
		"http://localhost:8082 http://localhost:8083 http://localhost:8081; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	got := strings.Fields(answer.Header.Get("Content-Security-Policy"))
	wanted := strings.Fields(want)
	slices.Sort(got)
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("policy, words sorted (-want +got):\n%s", diff)
	}
}

func TestDemoPageIsWhole(t *testing.T) {
	page := NewPage(sites(), http.NotFoundHandler())
	_, body := fetch(t, page, "/demo/")
	for _, name := range regexp.MustCompile(`(?:src|href)="([^"#/:]+)"`).FindAllStringSubmatch(body, -1) {
		if answer, _ := fetch(t, page, "/demo/"+name[1]); answer.StatusCode != 200 {
			t.Errorf("%s: %d, want 200", name[1], answer.StatusCode)
		}
	}
	_, app := fetch(t, page, "/demo/app.js")
	for _, name := range regexp.MustCompile(`from '\./([^']+)'`).FindAllStringSubmatch(app, -1) {
		if answer, _ := fetch(t, page, "/demo/"+name[1]); answer.StatusCode != 200 || !strings.Contains(answer.Header.Get("Content-Type"), "javascript") {
			t.Errorf("%s: %d %s", name[1], answer.StatusCode, answer.Header.Get("Content-Type"))
		}
	}
	var got Sites
	_, config := fetch(t, page, "/demo/config.json")
	if err := json.Unmarshal([]byte(config), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sites(), got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if answer, _ := fetch(t, page, "/demo/index.html"); answer.StatusCode != 404 {
		t.Errorf("index.html: %d, want 404", answer.StatusCode)
	}
}

// What the policy would block must not be there.
func TestPagesHaveNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|<script(?:>|\s+[^>]*>[^<])|javascript:`)
	err := fs.WalkDir(web, "web", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".html") {
			return err
		}
		text, err := web.ReadFile(path)
		if found := inline.Find(text); found != nil {
			t.Errorf("%s: %q", path, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !inline.MatchString(`<p style="color: red">`) || !inline.MatchString(`<script>alert(1)</script>`) {
		t.Error("the check finds nothing")
	}
}

// Each sentence of the page exists in both languages, with the same things to fill in.
func TestDemoPageSpeaksBothLanguages(t *testing.T) {
	text, err := web.ReadFile("web/demo/texts.js")
	if err != nil {
		t.Fatal(err)
	}
	english, korean, ok := strings.Cut(string(text), "\n  ko: {")
	if !ok {
		t.Fatal("no Korean part")
	}
	keys := [2]map[string][]string{}
	for i, part := range []string{english, korean} {
		keys[i] = map[string][]string{}
		for _, line := range regexp.MustCompile(`(?m)^    (\w+): '(.+)',$`).FindAllStringSubmatch(part, -1) {
			fills := regexp.MustCompile(`\{\w+\}`).FindAllString(line[2], -1)
			slices.Sort(fills)
			keys[i][line[1]] = fills
		}
	}
	if diff := cmp.Diff(keys[0], keys[1]); diff != "" {
		t.Errorf("sentences (-en +ko):\n%s", diff)
	}
	_, page := fetch(t, NewPage(sites(), http.NotFoundHandler()), "/demo/")
	for _, found := range regexp.MustCompile(`data-(?:text|label)="(\w+)"`).FindAllStringSubmatch(page, -1) {
		if _, ok := keys[0][found[1]]; !ok {
			t.Errorf("the page wants the sentence %s, which does not exist", found[1])
		}
	}
}

func TestProviderSpeaksBothLanguages(t *testing.T) {
	all, err := pageTexts("web/provider/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	for key := range all["en"] {
		if all["ko"][key] == "" {
			t.Errorf("no Korean for %s", key)
		}
	}
	if len(all["ko"]) != len(all["en"]) {
		t.Errorf("%d sentences in Korean, %d in English", len(all["ko"]), len(all["en"]))
	}
	provider, err := NewProvider(ProviderConfig{Issuer: "http://localhost:8081", Dir: t.TempDir(), ClientID: "demo", ClientSecret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ path, accept, want string }{
		{"/", "ko-KR,ko;q=0.9,en;q=0.8", "회사 사람들"},
		{"/", "en-US,en;q=0.9,ko;q=0.8", "The company&#39;s people"},
		{"/", "fr", "The company&#39;s people"},
		{"/?lang=ko", "en", "회사 사람들"},
		{"/authorize?lang=ko", "en", "로그인을 계속할 수 없습니다"},
	} {
		request := httptest.NewRequest("GET", row.path, nil)
		request.Header.Set("Accept-Language", row.accept)
		recorder := httptest.NewRecorder()
		provider.ServeHTTP(recorder, request)
		if !strings.Contains(recorder.Body.String(), row.want) || strings.Contains(recorder.Body.String(), "no value") {
			t.Errorf("%s for %s lacks %q", row.path, row.accept, row.want)
		}
	}
}

// Each shop may call Munjigi and the services that its tokens are for, and says so to the browser.
func TestShopsMayCallOnlyTheirServices(t *testing.T) {
	retail, wholesale := sites().shop(members.Retail, "market"), sites().shop(members.Wholesale, "market", "wishlist")
	for _, row := range []struct {
		got, want members.ShopConfig
		connect   string
	}{
		{retail, members.ShopConfig{
			App: "shop", Origin: "http://localhost:8084", Other: "http://localhost:8085", Munjigi: "http://localhost:8080",
			Services: map[string]string{"market": "http://localhost:8083"},
		}, "connect-src 'self' http://localhost:8080 http://localhost:8083;"},
		{wholesale, members.ShopConfig{
			App: "wholesale", Origin: "http://localhost:8085", Other: "http://localhost:8084", Munjigi: "http://localhost:8080",
			Services: map[string]string{"market": "http://localhost:8083", "wishlist": "http://localhost:8082"},
		}, "connect-src 'self' http://localhost:8080 http://localhost:8083 http://localhost:8082;"},
	} {
		if !strings.Contains(row.got.Policy, row.connect) {
			t.Errorf("%s: policy %s, want %s", row.got.App, row.got.Policy, row.connect)
		}
		row.want.Policy = row.got.Policy
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.got.App, diff)
		}
	}
}
