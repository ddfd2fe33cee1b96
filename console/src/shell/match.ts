const initials = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'

// Hangul syllables in order of their first consonants, 588 to each: 주문 is found by ㅈㅁ.
function initialsOf(text: string): string {
  return [...text]
    .map((letter) => {
      const place = letter.charCodeAt(0) - 0xac00
      return place >= 0 && place < 11_172 ? (initials[Math.floor(place / 588)] ?? letter) : letter
    })
    .join('')
}

/** Whether every word of a query is somewhere in a text, in letters or in the initials of Hangul. */
export function matches(text: string, query: string): boolean {
  const hay = text.toLowerCase().normalize('NFC')
  const first = initialsOf(hay)
  return query
    .toLowerCase()
    .normalize('NFC')
    .split(/\s+/)
    .every((word) => hay.includes(word) || first.includes(word))
}
