// What is measured: each case gets a page of a client with a token that has run out, and says what was seen.

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** n calls at once in a page: how they ended, and in how many milliseconds. `most` ends the watching. */
const calls = (tab, n, most = 12_000) =>
  tab.evaluate(
    async ([count, limit]) => {
      const begun = performance.now()
      const ends = { good: 0, bad: 0 }
      const one = (i) =>
        client.call(`/api/${i}`).then(
          ({ status }) => ends[status === 200 ? 'good' : 'bad']++,
          () => ends.bad++,
        )
      const all = Promise.all(Array.from({ length: count }, (_, i) => one(i))).then(() => true)
      const over = await Promise.race([all, new Promise((resolve) => setTimeout(resolve, limit, false))])
      return { ...ends, over, ms: Math.round(performance.now() - begun) }
    },
    [n, most],
  )

const time = ({ over, ms }) => (over ? `${(ms / 1000).toFixed(1)} s` : `> ${(ms / 1000).toFixed(0)} s`)
const plural = (n) => `${n} session call${n === 1 ? '' : 's'}`
const out = async (tab) => ((await tab.evaluate('client.out()')) ? 'signed out' : 'still signed in')

async function failing(server, tab, mode) {
  server.state.mode = mode
  const ends = await calls(tab, 100)
  return [
    plural(server.state.renewals),
    `${ends.bad + (ends.over ? 0 : 100 - ends.bad - ends.good)} calls fail`,
    time(ends),
    await out(tab),
  ]
}

export const cases = {
  '100 parallel calls, expired': async ({ server, tab }) => {
    const ends = await calls(tab, 100)
    return [plural(server.state.renewals), ends.good === 100 ? 'all succeed' : `${100 - ends.good} calls reject`]
  },
  'the renewal answers 500': ({ server, tab }) => failing(server, tab, '500'),
  'the renewal answers 429': ({ server, tab }) => failing(server, tab, '429'),
  'the renewal hangs': ({ server, tab }) => failing(server, tab, 'hang'),
  'reload ×6 while renewing': async ({ server, tab }) => {
    for (let n = 0; n < 6; n++) {
      const before = server.state.renewals
      await tab.evaluate('void client.call("/api/1").catch(() => {})')
      for (let left = 200; left && server.state.renewals === before; left--) await sleep(5)
      await tab.reload()
    }
    const { good } = await calls(tab, 20)
    const { renewals, again } = server.state
    return [
      plural(renewals),
      good === 20 ? 'then all succeed' : `then ${20 - good} of 20 reject`,
      again ? 'an old token came back' : 'no old token',
    ]
  },
  '5 tabs × 20 calls': async ({ server, tab, open, expire }) => {
    const tabs = [tab, ...(await Promise.all([1, 2, 3, 4].map(open)))]
    // Each has a token of its own page by now, and then none is good.
    await Promise.all(tabs.map((it) => calls(it, 1)))
    await expire(tabs)
    const ends = await Promise.all(tabs.map((it) => calls(it, 20)))
    const good = ends.reduce((sum, it) => sum + it.good, 0)
    return [plural(server.state.renewals), good === 100 ? 'all succeed' : `${100 - good} calls reject`]
  },
  'abort while waiting': async ({ server, tab }) => {
    server.state.mode = 'hang'
    const ms = await tab.evaluate(async () => {
      const stop = new AbortController()
      const call = client.call('/api/1', stop.signal).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 300))
      const begun = performance.now()
      stop.abort()
      await Promise.race([call, new Promise((resolve) => setTimeout(resolve, 3000))])
      return performance.now() - begun
    })
    return [ms > 2900 ? '> 3 s' : ms < 50 ? '< 50 ms' : `${Math.round(ms)} ms`]
  },
}
