/**
 * The hint cookie, `munjigi-{realm}-hint = sid.generation`, tells without a call whether there is a session at all and
 * which one. It is never more than a hint: only a renewal says whether that session lives.
 */
export interface Hint {
  sid: string
  generation: number
}

/** The hint of one realm, or of any realm while the console's is not known yet; null = there is no session. */
export function readHint(cookies: string, realm: string | null): Hint | null {
  for (const pair of cookies.split(';')) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at).trim()
    const wanted = realm ? name === `munjigi-${realm}-hint` : /^munjigi-.+-hint$/.test(name)
    if (!wanted) continue
    const match = /^([^.]+)\.(\d+)$/.exec(pair.slice(at + 1).trim())
    if (match?.[1]) return { sid: match[1], generation: Number(match[2]) }
  }
  return null
}
