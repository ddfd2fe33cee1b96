import { shallowReactive } from 'vue'
import { session } from '../session'
import { putClockForward } from './shown'
import { tally } from './tally'

/** How long the access token lives, as this page sees it, in seconds. */
export const life = shallowReactive({ total: 0, left: 0, expired: true })

let until = 0

session.subscribe(async ({ status }) => {
  if (status !== 'active') return
  // Just renewed, so this asks nobody.
  const [, payload = ''] = (await session.getToken())?.split('.') ?? []
  if (!payload) return
  const { iat, exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')))
  life.total = exp - iat
  // By this page's clock. Having renewed, the client knows how far that is from the server's.
  until = Date.now() + (exp - iat) * 1000
  look()
})

/** Looks at the clock; when the token has just run out, counting begins anew. */
export function look(): void {
  life.left = Math.max(0, (until - Date.now()) / 1000)
  const expired = life.left === 0
  if (expired && !life.expired) tally.restart()
  life.expired = expired
}

/** Puts the clock forward until the token is over, in all tabs. */
export function expireNow(): void {
  look()
  putClockForward(Math.ceil(life.left + 1) * 1000)
  look()
}

setInterval(look, 250)
addEventListener('storage', look)
