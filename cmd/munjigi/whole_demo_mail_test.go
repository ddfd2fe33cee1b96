package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/munjigi/munjigi/internal/demo/mailbox"
)

// Forgotten and sign-up in the demo, without an account anywhere: the letters are in its own mailbox.
func TestWholeDemoMail(t *testing.T) {
	t.Parallel()
	w, town := startDemo(t)
	b := w.browser()
	letters := func() ([]mailbox.Letter, error) {
		body, err := b.call(http.MethodGet, town.Mail+".json", "", nil)
		if err != nil {
			return nil, err
		}
		var answer struct{ Letters []mailbox.Letter }
		return answer.Letters, json.Unmarshal(body, &answer)
	}
	asked := []struct{ path, body, to string }{
		{"forgotten", `{"app":"shop","login":"seoa@mail.example"}`, "seoa@mail.example"},
		{"sign-up", `{"app":"shop","email":"new@mail.example","name":"New"}`, "new@mail.example"},
	}
	for _, ask := range asked {
		if _, err := b.call(http.MethodPost, w.url+"/sign-in/members/"+ask.path, ask.body, http.Header{"Munjigi-App": {"shop"}}); err != nil {
			t.Fatal(err)
		}
		var link string
		eventually(t, 20*time.Second, func() error {
			all, err := letters()
			for _, letter := range all {
				if _, rest, ok := strings.Cut(letter.Text, w.url+"/sign-in/members/password#"); ok && letter.To == ask.to {
					link, _, _ = strings.Cut(rest, "\n")
					return nil
				}
			}
			return fmt.Errorf("no link to %s: %v, %w", ask.to, all, err)
		})
		if _, err := b.call(http.MethodPut, w.url+"/sign-in/members/password", fmt.Sprintf(`{"link":%q,"password":%q}`, link, newPassword), nil); err != nil {
			t.Fatal(err)
		}
		if err := b.enters(ask.to, newPassword); err != nil {
			t.Error(err)
		}
	}
	page, err := b.call(http.MethodGet, town.Mail, "", http.Header{"Accept-Language": {"ko"}})
	if err != nil || !strings.Contains(string(page), "new@mail.example") || !strings.Contains(string(page), "데모 편지함") {
		t.Errorf("page: %v\n%s", err, page)
	}
}
