// As much of a browser as a sign-in needs: cookies for each origin, redirects followed by hand.

/** A browser with an empty cookie jar. */
export class Browser {
  /** @type {Map<string, Map<string, string>>} */
  #jar = new Map()

  /** @param {{ userAgent?: string }} [options] */
  constructor({
    userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  } = {}) {
    this.userAgent = userAgent
  }

  /** Another browser with a copy of the cookies, as a thief of the profile has it. */
  clone() {
    const copy = new Browser({ userAgent: this.userAgent })
    for (const [origin, cookies] of this.#jar) {
      copy.#jar.set(origin, new Map(cookies))
    }
    return copy
  }

  /** The cookies that an origin has set. */
  cookies(origin) {
    return Object.fromEntries(this.#jar.get(origin) ?? [])
  }

  /** One request; redirects are not followed. */
  async fetch(address, init = {}) {
    const { origin } = new URL(address)
    const cookies = [...(this.#jar.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { 'user-agent': this.userAgent, ...(cookies && { cookie: cookies }), ...init.headers }
    const response = await fetch(address, { ...init, headers, redirect: 'manual' })
    this.#keep(origin, response.headers.getSetCookie())
    return response
  }

  #keep(origin, lines) {
    const jar = this.#jar.get(origin) ?? new Map()
    this.#jar.set(origin, jar)
    for (const line of lines) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim())
      const at = pair.indexOf('=')
      const expired = attributes.some(
        (a) => /^max-age=(0|-\d+)$/i.test(a) || (/^expires=/i.test(a) && Date.parse(a.slice(8)) < Date.now()),
      )
      if (expired) {
        jar.delete(pair.slice(0, at))
      } else {
        jar.set(pair.slice(0, at), pair.slice(at + 1))
      }
    }
  }

  /**
   * Follows redirects until there is none, or until `stop` says so of the next address.
   * @returns the last response and the address it came from; with stop, the address that was not visited
   */
  async follow(address, stop = (_address) => false) {
    let next = address
    for (let hops = 0; hops < 20; hops++) {
      if (stop(next)) {
        return { address: next, response: undefined }
      }
      const response = await this.fetch(next)
      const location = response.headers.get('location')
      if (!location) {
        return { address: next, response }
      }
      await response.body?.cancel()
      next = new URL(location, next).href
    }
    throw new Error(`too many redirects, the last to ${next}`)
  }
}
