// To make one of these takes longer than to use it a hundred times, and a list has hundreds of values.
const numbers = new Map<string, Intl.NumberFormat>()
const times = new Map<string, Intl.DateTimeFormat>()

export function numberFormat(language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return kept(numbers, language, options, () => new Intl.NumberFormat(language, options))
}

export function timeFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return kept(times, language, options, () => new Intl.DateTimeFormat(language, options))
}

function kept<T>(all: Map<string, T>, language: string, options: object, make: () => T): T {
  const key = language + JSON.stringify(options)
  const known = all.get(key)
  if (known) return known
  const made = make()
  all.set(key, made)
  return made
}
