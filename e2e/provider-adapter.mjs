// The provider's own memory keeps a thousand things and forgets the oldest, which signs people out of a company of two
// hundred. This one forgets nothing but what has expired.

/** @returns a class of adapters over one memory of their own, as oidc-provider wants it. */
export function memoryAdapter() {
  /** @type {Map<string, { payload: any, until: number }>} */
  const rows = new Map()
  /** @type {Map<string, Set<string>>} */
  const byGrant = new Map()

  const read = (key) => {
    const row = rows.get(key)
    if (row && row.until <= Date.now()) {
      rows.delete(key)
      return undefined
    }
    return row?.payload
  }

  return class MemoryAdapter {
    constructor(model) {
      this.model = model
    }

    #key(id) {
      return `${this.model}:${id}`
    }

    async upsert(id, payload, expiresIn) {
      const key = this.#key(id)
      rows.set(key, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Number.POSITIVE_INFINITY })
      if (payload.uid) {
        rows.set(`uid:${payload.uid}`, { payload: id, until: Number.POSITIVE_INFINITY })
      }
      if (payload.grantId) {
        byGrant.set(payload.grantId, (byGrant.get(payload.grantId) ?? new Set()).add(key))
      }
    }

    async find(id) {
      return read(this.#key(id))
    }

    async findByUid(uid) {
      const id = read(`uid:${uid}`)
      return id && this.find(id)
    }

    async findByUserCode() {
      return undefined
    }

    async destroy(id) {
      rows.delete(this.#key(id))
    }

    async revokeByGrantId(grantId) {
      for (const key of byGrant.get(grantId) ?? []) {
        rows.delete(key)
      }
      byGrant.delete(grantId)
    }

    async consume(id) {
      const payload = read(this.#key(id))
      if (payload) {
        payload.consumed = Math.floor(Date.now() / 1000)
      }
    }
  }
}
