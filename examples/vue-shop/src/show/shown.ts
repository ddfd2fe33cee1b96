// Everything in this folder is for the eyes only: it counts, draws and hurries what a shop would just do.

import type { Config } from '@munjigi/client'
import { ref } from 'vue'
import { settings } from '../settings'
import { lines } from './lines'
import { tally } from './tally'

const held = 900 // how long slow motion holds a session call
const key = 'clock put forward'

/** Whether a session call is held for a moment, so that one can see everything wait for it. */
export const slow = ref(new URLSearchParams(location.search).get('slow') !== '0')

// Milliseconds by which the clock of this shop's pages was put forward: the same in all tabs. A token runs out by the
// clock of the page, so that is how one does at once.
let ahead = Number(localStorage.getItem(key))
const clock = Date.now.bind(Date)
Date.now = () => clock() + ahead

addEventListener('storage', (event) => {
  if (event.key === key) ahead = Number(event.newValue)
})

export function putClockForward(milliseconds: number): void {
  ahead += milliseconds
  localStorage.setItem(key, String(ahead))
}

/** What the client calls in place of the browser's own fetch: the same, seen. */
async function seen(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  const { href, origin } = new URL(input instanceof Request ? input.url : input, location.href)
  const renewal = href === `${settings.munjigi}/session` && init?.method === 'POST'
  if (!renewal && !Object.values(settings.services).includes(origin)) return fetch(input, init)
  if (renewal) tally.renew()
  const line = lines.add(renewal)
  try {
    if (renewal && slow.value) await new Promise((resolve) => setTimeout(resolve, held))
    const answer = await fetch(input, init)
    line.good = answer.ok
    return answer
  } finally {
    line.done = performance.now()
  }
}

export const shown = { fetch: seen } satisfies Partial<Config>
