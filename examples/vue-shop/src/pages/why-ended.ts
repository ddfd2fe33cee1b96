import type { End } from '@munjigi/client'
import { clock, fill, language, sentence, texts } from '../texts'

/** The one sentence that says why the last session ended; empty when none did. */
export function whyEnded(end: End | null, asked: unknown): string {
  const reason = end?.reason ?? asked
  if (typeof reason !== 'string' || !/^session_/.test(reason)) return ''
  if (reason !== 'session_replaced' || !end?.replacedBy || !end.replacedAt) return sentence(reason)
  return fill(texts().code.session_replaced_by, { device: device(end.replacedBy), time: clock(end.replacedAt) })
}

/** "Chrome on Windows", in the page's language. */
export function device(name: string): string {
  const [browser, system] = name.split(' on ')
  return browser && system && language.value === 'ko' ? fill(texts().device, { browser, system }) : name
}
