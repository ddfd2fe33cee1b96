import { ref } from 'vue'
import { session } from '../session'
import { settings } from '../settings'

/** How long the market took to know that another device is signed in, in seconds; null = it was not tried. */
export const knownAfter = ref<number | null>(null)

const patience = 5000
const between = 100

/** Signs the same member in with another browser (the demo's server plays it), and calls until this one is refused. */
export async function signInElsewhere(): Promise<boolean> {
  const account = session.state.account
  const member = settings.members.find(({ login, name }) => login === account?.email || name === account?.name)
  knownAfter.value = null
  const answer = await fetch('/elsewhere', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ login: member?.login }),
  })
  if (!answer.ok) return false
  const began = performance.now()
  const stop = session.on('signed-out', () => {
    knownAfter.value = (performance.now() - began) / 1000
  })
  while (knownAfter.value === null && performance.now() - began < patience) {
    await session.fetch(`${settings.services.market}/member/product`).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, between))
  }
  stop()
  return true
}
