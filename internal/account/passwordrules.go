package account

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/munjigi/munjigi/internal/fault"
)

// MaxPasswordLength is the longest password that can be set, in characters.
const MaxPasswordLength = 128

// defaultMinLength: NIST 800-63B-4 §3.1.1.2 asks for 15 where the password is all there is.
const defaultMinLength = 12

// PasswordRules say which passwords may be set. They ask for nothing of the kind "a digit and a sign": that makes
// people predictable (NIST 800-63B-4 §3.1.1.2).
type PasswordRules struct {
	// MinLength is in characters; 0 means 12.
	MinLength int
	// Site holds names of the place that somebody would guess first: its host, its realm, the company.
	Site []string
	// Pointer is where the password stands in the request; "" means "/password".
	Pointer string
}

// Check tells whether p may become the password of somebody with this login and name. If not, the fault is a
// request_invalid whose one field says why, for people, in English and Korean; neither holds any of p.
func (r PasswordRules) Check(p Password, login, name string) error {
	refused := r.check(p, login, name)
	if refused == (reason{}) {
		return nil
	}
	pointer := r.Pointer
	if pointer == "" {
		pointer = "/password"
	}
	return &fault.Error{
		Code: fault.RequestInvalid, Detail: refused.en,
		Fields: []fault.Field{{Pointer: pointer, Detail: refused.en, Korean: refused.ko}},
	}
}

// reason is why a password is refused, as people read it; the zero value is none.
type reason struct{ en, ko string }

func (r PasswordRules) check(p Password, login, name string) reason {
	least := r.MinLength
	if least <= 0 {
		least = defaultMinLength
	}
	prepared := p.prepared()
	switch length := utf8.RuneCountInString(prepared); {
	case !utf8.ValidString(prepared) || strings.ContainsFunc(prepared, control):
		return reason{
			"The password may hold letters, digits, signs and spaces, but no line breaks, tabs or other control characters.",
			"비밀번호에는 글자, 숫자, 기호, 빈칸만 쓸 수 있습니다. 줄바꿈, 탭 같은 제어 문자는 쓸 수 없습니다.",
		}
	case length < least:
		return reason{
			fmt.Sprintf("The password needs at least %d characters. A few words that do not belong together are easy to remember.", least),
			fmt.Sprintf("비밀번호는 %d자 이상이어야 합니다. 서로 관계없는 낱말 몇 개를 이으면 기억하기 쉽습니다.", least),
		}
	case length > MaxPasswordLength || len(prepared) > MaxPasswordBytes:
		return reason{
			fmt.Sprintf("The password may have at most %d characters.", MaxPasswordLength),
			fmt.Sprintf("비밀번호는 %d자까지 쓸 수 있습니다.", MaxPasswordLength),
		}
	}
	g := guesser{common: commonPasswords(), own: wordsOf(login, name), site: wordsOf(r.Site...)}
	left, worst := g.judge(prepared)
	// What cannot be foreseen has to be two thirds of what is asked for: eight characters of twelve. So "password2024!!"
	// is refused, and a sentence that happens to hold somebody's name is not.
	if worst == "" || 3*left >= 2*least {
		return reason{}
	}
	return guessable[worst]
}

// control are the characters that no keyboard types into a password field and that a screen does not show: they get
// in by copying, and the next device cannot repeat them.
func control(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == utf8.RuneError || r == '\ufeff'
}

// guessable are the reasons for kinds of pieces.
var guessable = map[kind]reason{
	common: {
		"This is one of the most common passwords, or little more than one. Choose another.",
		"가장 흔히 쓰이는 비밀번호이거나 거기에 조금 덧붙인 것입니다. 다른 비밀번호를 고르세요.",
	},
	repeated: {
		"This is little more than the same characters over and over. Choose another.",
		"같은 글자를 되풀이한 것에 가깝습니다. 다른 비밀번호를 고르세요.",
	},
	inARow: {
		"This is little more than characters in their order, of the alphabet or of the keyboard. Choose another.",
		"숫자나 글자, 자판을 차례대로 누른 것에 가깝습니다. 다른 비밀번호를 고르세요.",
	},
	own: {
		"This is little more than your login or your name. Choose another.",
		"아이디나 이름을 거의 그대로 쓴 것입니다. 다른 비밀번호를 고르세요.",
	},
	site: {
		"This is little more than the name of this site. Choose another.",
		"이 사이트의 이름을 거의 그대로 쓴 것입니다. 다른 비밀번호를 고르세요.",
	},
}
