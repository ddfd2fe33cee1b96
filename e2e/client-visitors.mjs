// What every file of the browser client's tests begins with: a town, a browser, and people who visit.

import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { launch, rounds, startTown, visit } from './client-town.mjs'

/** @typedef {Awaited<ReturnType<typeof visit>>} Visitor */
/** @typedef {(visitor: Visitor) => Promise<void>} Work */

/** A town and a browser for the tests of a file; `town` and `browser` are there once its tests run. */
export function visitors() {
  const here = {
    town: /** @type {Awaited<ReturnType<typeof startTown>>} */ (/** @type {unknown} */ (undefined)),
    browser: /** @type {Awaited<ReturnType<typeof launch>>} */ (/** @type {unknown} */ (undefined)),
    visiting,
    atEase,
    again,
  }
  let regular = /** @type {Visitor | undefined} */ (undefined)

  before(async () => {
    here.town = await startTown()
    here.browser = await launch()
  })

  after(async () => {
    await here.browser?.close()
    await here.town?.stop()
  })

  /** One visitor for a test, gone afterwards. @param {Work} work */
  function visiting(work) {
    return async () => {
      const visitor = await visit(here.town, here.browser)
      try {
        await work(visitor)
      } finally {
        await visitor.close()
      }
    }
  }

  /** A new page of somebody who is there already: signing in takes longer than most tests. @param {Work} work */
  function atEase(work) {
    return async () => {
      regular ??= await visit(here.town, here.browser)
      Object.assign(regular.seen, { answer: undefined, api: undefined })
      await regular.tab.goto(here.town.shop)
      try {
        await work(regular)
      } finally {
        for (const tab of regular.context.pages()) if (tab !== regular.tab) await tab.close()
      }
    }
  }

  /** The same so many times, three at once. @param {Work} work */
  function again(work) {
    return async () => {
      for (let left = rounds; left > 0; left -= 3) {
        const results = await Promise.allSettled(Array.from({ length: Math.min(left, 3) }, visiting(work)))
        for (const it of results) if (it.status === 'rejected') throw it.reason
      }
    }
  }

  return here
}

/** Until `condition` holds; what the servers saw is not the page's to tell. @param {() => unknown} condition */
export async function seenUntil(condition) {
  for (let left = 3000; !condition(); left--) {
    assert.ok(left, 'not in time')
    await sleep(5)
  }
}
