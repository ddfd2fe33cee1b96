package account

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// kind is a kind of piece that somebody who guesses tries first.
type kind string

const (
	common   kind = "common"   // of the list of common passwords
	repeated kind = "repeated" // "aaaa", "abcabc"
	inARow   kind = "in a row" // "4567", "qwerty"
	own      kind = "own"      // the login or the name
	site     kind = "site"     // the site's name
)

// guesser finds the pieces of a password that can be foreseen.
type guesser struct {
	common, own, site map[string]bool // lower case
}

// judge counts the characters of a prepared password that are left when each piece that can be foreseen counts as one
// (a repetition: as what is repeated), and tells of which kind most of the rest was; "" when there is no such piece.
func (g guesser) judge(prepared string) (left int, worst kind) {
	lower := strings.ToLower(prepared)
	pieces := g.split([]rune(lower), []rune(disguises.Replace(lower)))
	if len(pieces) == 0 {
		return 0, ""
	}
	saved := map[kind]int{}
	for at := 0; at < len(pieces); at += pieces[at].length {
		p := pieces[at]
		if p.kind == "" {
			continue
		}
		saved[p.kind] += p.length - p.counts
		if worst == "" || saved[p.kind] > saved[worst] {
			worst = p.kind
		}
	}
	return pieces[0].left, worst
}

// piece is the beginning of a text: what it is, how long, what it counts, and what is left with all that follows.
type piece struct {
	kind                 kind // "" for one character that stands for itself
	length, counts, left int
}

// split finds, from the end, what each place of text begins with so that least is left. plain is text without
// disguises.
func (g guesser) split(text, plain []rune) []piece {
	pieces := make([]piece, len(text))
	after := func(at int) int {
		if at == len(text) {
			return 0
		}
		return pieces[at].left
	}
	for at := len(text) - 1; at >= 0; at-- {
		best := piece{"", 1, 1, 1 + after(at+1)}
		try := func(k kind, length, counts int) {
			if left := counts + after(at+length); length > counts && left < best.left {
				best = piece{k, length, counts, left}
			}
		}
		try(inARow, run(text[at:]), 1)
		if length, unit := repetition(text[at:]); unit > 0 {
			try(repeated, length, g.unit(text[at:at+unit], plain[at:at+unit]))
		}
		for _, from := range [][]rune{text[at:], plain[at:]} {
			try(common, longest(from, g.common), 1)
			try(own, longest(from, g.own), 1)
			try(site, longest(from, g.site), 1)
		}
		pieces[at] = best
	}
	return pieces
}

// unit is what a repeated text counts. A long one counts as it is: each level of repetitions inside repetitions would
// cost another round.
func (g guesser) unit(text, plain []rune) int {
	const limit = 16
	if len(text) > limit {
		return len(text)
	}
	return g.split(text, plain)[0].left
}

// disguises are the signs that people write for letters. Each is one character for one, so that places stay the same.
var disguises = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "5", "s", "$", "s", "7", "t")

// longest is the length of the longest of words with which text begins.
func longest(text []rune, words map[string]bool) int {
	const limit = 32 // whoever types more than that of a word has typed a password
	for l := min(len(text), limit); l > 1; l-- {
		if words[string(text[:l])] {
			return l
		}
	}
	return 0
}

// repetition is how much of the beginning of text is one unit, at least twice over and four characters long.
func repetition(text []rune) (length, unit int) {
	for u := 1; u <= len(text)/2; u++ {
		l := u
		for l < len(text) && text[l] == text[l-u] {
			l++
		}
		if l >= 2*u && l >= 4 && l-u > length-unit {
			length, unit = l, u
		}
	}
	return length, unit
}

// rows are what a finger runs along: the rows of a keyboard with Latin and Korean letters, its columns, and zigzags.
var rows = []string{
	"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "!@#$%^&*()_+",
	"ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ", "가나다라마바사아자차카타파하", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "qawsedrftgyhujikolp", "azsxdcfvgbhnjmk",
}

// run is how much of the beginning of text goes on in order, forwards or backwards, along a row or through the
// alphabet; 0 below four characters.
func run(text []rune) int {
	length := max(steps(text, 1), steps(text, -1))
	for _, row := range rows {
		if !strings.ContainsRune(row, text[0]) {
			continue
		}
		length = max(length, along([]rune(row), text, 1), along([]rune(row), text, -1))
	}
	if length < 4 {
		return 0
	}
	return length
}

func steps(text []rune, step rune) int {
	length := 1
	for length < len(text) && text[length] == text[length-1]+step && unicode.In(text[length], unicode.Letter, unicode.Digit) {
		length++
	}
	return length
}

func along(row, text []rune, step int) (longest int) {
	for start, first := range row {
		length := 0
		for at := start; first == text[0] && length < len(text) && at >= 0 && at < len(row) && row[at] == text[length]; at += step {
			length++
		}
		longest = max(longest, length)
	}
	return longest
}

// wordsOf are the words that a password must not be made of, in lower case: the texts, their parts, and what one
// types for them on a Latin keyboard if they are Korean. Parts of one or two Latin letters are in every sentence.
func wordsOf(texts ...string) map[string]bool {
	words := map[string]bool{}
	add := func(word string) {
		word = strings.ToLower(Password(word).prepared())
		if length := utf8.RuneCountInString(word); length > 2 || length == 2 && len(word) > 2 {
			words[word] = true
			words[keystrokes(word)] = true
		}
	}
	for _, text := range texts {
		add(text)
		parts := strings.FieldsFunc(text, func(r rune) bool { return !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Digit) })
		add(strings.Join(parts, ""))
		for _, part := range parts {
			add(part)
		}
	}
	return words
}

//go:embed common.txt.gz
var commonList []byte

// koreans are words that Koreans choose; a Latin keyboard types them as letters that look like chance.
const koreans = "비밀번호 비번 사랑해 사랑해요 사랑합니다 안녕 안녕하세요 감사합니다 고맙습니다 행복 행복하자 우리가족 가족사랑 대한민국 한국 서울 " +
	"부산 관리자 사용자 회원 아이디 로그인 쇼핑 엄마 아빠 천사 바보 화이팅 파이팅 부자되자 대박 하나님 예수님 할렐루야 강아지 고양이 토끼 호랑이"

// commonPasswords are the common ones of eight characters and more, read once: shorter ones are too short anyway.
var commonPasswords = sync.OnceValue(func() map[string]bool {
	words := wordsOf(strings.Fields(koreans)...)
	reader, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		panic("account: common.txt.gz: " + err.Error())
	}
	list, err := io.ReadAll(reader)
	if err != nil {
		panic("account: common.txt.gz: " + err.Error())
	}
	for word := range strings.Lines(string(list)) {
		words[strings.TrimSuffix(word, "\n")] = true
	}
	return words
})
