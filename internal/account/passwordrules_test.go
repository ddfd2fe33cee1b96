package account

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/munjigi/munjigi/internal/fault"
)

func TestPasswordRules(t *testing.T) {
	rules := PasswordRules{Site: []string{"shop.example.com", "Dongdaemun Market"}}
	const login, name = "kim.minsu@example.com", "김민수"
	for want, passwords := range map[string][]Password{
		"": {
			"correct horse battery", "tr0ub4dor&3 blue", "차갑고 맑은 하늘 아래 문", "ㅎㅏㄴ글 열쇠 꾸러미 셋", "x7#Kp2!vQz9w", "my shop sells 40 hats", "김민수의 낡은 자전거 두 대",
			"a dongdaemun market cat, twice", "🐈 sleeps on 🌋 twice", "1234 sheep sleep well", Password(strings.Repeat("열 사람이 문을 지킨다. ", 9)),
		},
		"at least 12 characters":    {"", "short", "한글로 열한 글자입", "x7#Kp2!vQz9", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"},
		"at most 128 characters":    {Password(strings.Repeat("x7#Kp2!v", 16) + "x"), Password(strings.Repeat("x7#Kp2!v", 1000))},
		"control characters":        {"correct horse\nbattery", "correct\thorse battery", "correct horse\x00battery", "correct horse\u2028battery", "\ufeffcorrect horse battery", "correct horse \xff battery", "correct\u0085horse battery"},
		"most common passwords":     {"password2024!!", "Password1234", "P@ssw0rd!!!!", "iloveyou_2025", "1234password", "qlalfqjsgh12", "비밀번호비번사랑해!!!!", "tkfkdgody1004", "superman&superman"},
		"characters over and over":  {"aaaaaaaaaaaa", "abcabcabcabcabc", "!!!!!!!!!!!!!!!!", "한한한한한한한한한한한한", "x7#Kp2x7#Kp2x7#Kp2", "김민수김민수김민수김민수", "            "},
		"characters in their order": {"123456789012", "abcdefghijklmn", "zyxwvutsrqpo", "asdfghjkl;'1", "1q2w3e4r5t6y", "가나다라마바사아자차카타", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹ", "qwertyuiopasdfghjkl", "1qaz2wsx3edc", "890-=poiuyt[]"},
		"your login or your name":   {"kim.minsu@example.com", "KimMinsu2024!", "kim.minsu-kim.minsu", "김민수♥김민수★김민수!", "rlaalstn12345", "Rlaalstn!2024", "k1mm1nsu-2024"},
		"the name of this site":     {"shop.example.com", "DongdaemunMarket1!", "dongdaemun-market", "d0ngdaemun.2024"},
	} {
		for _, password := range passwords {
			err := rules.Check(password, login, name)
			if want == "" {
				if err != nil {
					t.Errorf("%q: got %v, want it admitted", string(password), err)
				}
				continue
			}
			refused, ok := errors.AsType[*fault.Error](err)
			if !ok || refused.Code != fault.RequestInvalid || len(refused.Fields) != 1 || !strings.Contains(refused.Fields[0].Detail, want) || refused.Detail != refused.Fields[0].Detail || refused.Fields[0].Pointer != "/password" {
				t.Errorf("%q: got %v, want refused: %s", string(password), err, want)
			}
		}
	}
}

func TestPasswordRulesAreOnesOwn(t *testing.T) {
	err := PasswordRules{MinLength: 15, Pointer: "/new"}.Check("x7#Kp2!vQz9wR", "kim", "")
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok || refused.Fields[0].Pointer != "/new" || !strings.Contains(refused.Fields[0].Detail, "15") || !strings.Contains(refused.Fields[0].Korean, "15자") {
		t.Errorf("got %+v, want /new refused below 15 characters, in both languages", err)
	}
	if err := (PasswordRules{MinLength: 8}).Check("x7#Kp2!v", "kim", ""); err != nil {
		t.Errorf("got %v, want eight characters admitted where eight are asked for", err)
	}
	// A name in parts is one word as well.
	if err := (PasswordRules{}).Check("rlaalstn!2024", "shop-17", "김 민수"); err == nil {
		t.Error("a name without its space, typed on a Latin keyboard, is admitted")
	}
	// A common password stays one, however short the rules let it be.
	for _, password := range []Password{"password", "trustno1", "12345678"} {
		if err := (PasswordRules{MinLength: 8}).Check(password, "kim", ""); err == nil {
			t.Errorf("%q is admitted", string(password))
		}
	}
}

func TestReasonsAreInBothLanguagesAndTellNothing(t *testing.T) {
	for what, reason := range guessable {
		if !strings.HasSuffix(reason.en, ".") || !strings.HasSuffix(reason.ko, ".") || !strings.ContainsFunc(reason.ko, func(r rune) bool { return r >= '가' && r <= '힣' }) {
			t.Errorf("%s: got %q and %q, want whole sentences in English and Korean", what, reason.en, reason.ko)
		}
	}
	for _, password := range []Password{"hunter2", "hunter2 hunter2\n", "hunter2hunter2hunter2", Password(strings.Repeat("hunter2", 30))} {
		if err := (PasswordRules{}).Check(password, "kim", ""); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("got %v, want a reason without the password", err)
		}
	}
}

func TestTheListOfCommonPasswords(t *testing.T) {
	words := commonPasswords()
	if len(words) < 11_000 {
		t.Errorf("got %d words, want some thousand", len(words))
	}
	for word := range words {
		if word != strings.ToLower(word) || word != strings.TrimSpace(word) || !norm.NFC.IsNormalString(word) || word == "" {
			t.Errorf("%q never matches: passwords are compared in lower case and NFC", word)
		}
	}
	for _, word := range []string{"qwertyuiop", "password1", "sunshine", "1q2w3e4r5t", "비밀번호", "qlalfqjsgh", "dkssudgktpdy"} {
		if !words[word] {
			t.Errorf("%q is not in the list", word)
		}
	}
}

func TestKeystrokes(t *testing.T) {
	for text, want := range map[string]string{
		"비밀번호": "qlalfqjsgh", "안녕하세요": "dkssudgktpdy", "사랑해": "tkfkdgo", "닭값 앉다": "ekfrrkqt dkswek", "ㄳㅢ힣": "rtmlglg", "왜 쌍": "dho tkd", "kim": "kim",
	} {
		if got := keystrokes(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// Whatever somebody types: no panic, no piece counts more than it is long, and every spelling is judged alike.
func TestPasswordRulesOfAnything(t *testing.T) {
	rules := PasswordRules{Site: []string{"shop.example.com"}}
	part := rapid.OneOf(
		rapid.String(), rapid.SampledFrom([]string{"password", "1234", "qwerty", "kim", "김민수", "한한한한", "shop", " ", "é", "ab"}),
		rapid.StringMatching(`[a-z0-9]{1,8}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(part, 1, 8).Draw(t, "parts"), "")
		login, name := part.Draw(t, "login"), part.Draw(t, "name")
		composed := rules.check(Password(norm.NFC.String(text)), login, name)
		if decomposed := rules.check(Password(norm.NFD.String(text)), norm.NFD.String(login), name); decomposed != composed {
			t.Fatalf("%q is judged %q decomposed and %q composed", text, decomposed.en, composed.en)
		}
		g := guesser{common: commonPasswords(), own: wordsOf(login, name)}
		prepared := Password(text).prepared()
		left, worst := g.judge(prepared)
		if length := utf8.RuneCountInString(prepared); left > length || (worst == "") != (left == length) || length > 0 && left == 0 {
			t.Fatalf("%q of %d characters has %d left, worst %q", prepared, length, left, worst)
		}
	})
}

// Somebody else's word inside makes nothing better: what is admitted with nobody's words is only ever refused more.
func TestMoreWordsNeverAdmitMore(t *testing.T) {
	letters := rapid.StringMatching(`[a-z]{3,10}`)
	rapid.Check(t, func(t *rapid.T) {
		login := letters.Draw(t, "login")
		password := Password(login + login + rapid.StringMatching(`[a-z0-9]{0,5}`).Draw(t, "rest"))
		if err := (PasswordRules{}).Check(password, login, ""); err == nil {
			t.Fatalf("%q is admitted for %q", string(password), login)
		}
	})
}

// The worst that fits takes no longer than a hash of it would.
func BenchmarkPasswordRules(b *testing.B) {
	unit := strings.Repeat("x7#k", 3) + "password"
	for b.Loop() {
		_ = PasswordRules{}.Check(Password(strings.Repeat(unit, 6)), "kim@example.com", "김민수")
	}
}
