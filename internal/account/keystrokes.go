package account

import "strings"

// The keys of the usual Korean keyboard (KS X 5002, two sets) for the letters of a syllable, in Unicode's order
// (The Unicode Standard §3.12).
var (
	initials = strings.Fields("r R s e E f a q Q t T d w W c z x v g")
	vowels   = strings.Fields("k o i O j p u P h hk ho hl y n nj np nl b m ml l")
	finals   = strings.Fields("- r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g")
	// letters are the single ones from ㄱ on.
	letters = strings.Fields("r R rt s sw sg e E f fr fa fq ft fx fv fg a q Q qt t T d w W c z x v g k o i O j p u P h hk ho hl y n nj np nl b m ml l")
)

// keystrokes is what a Latin keyboard gives for Korean text, in lower case: many choose a Korean word and type it so.
func keystrokes(text string) string {
	var keys strings.Builder
	for _, r := range text {
		switch {
		case r >= '가' && r <= '힣':
			syllable := int(r - '가')
			keys.WriteString(initials[syllable/588] + vowels[syllable%588/28])
			if final := syllable % 28; final > 0 {
				keys.WriteString(finals[final])
			}
		case r >= 'ㄱ' && r <= 'ㅣ':
			keys.WriteString(letters[r-'ㄱ'])
		default:
			keys.WriteRune(r)
		}
	}
	return strings.ToLower(keys.String())
}
