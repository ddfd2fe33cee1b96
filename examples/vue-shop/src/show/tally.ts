import { computed, reactive, shallowReactive } from 'vue'
import { settings } from '../settings'

interface Counts {
  parts: number
  renewals: number
  errors: number
}

interface Message {
  tab: string
  counts?: Counts
  /** Load the page in every tab, with so many components. */
  load?: number
  gone?: true
}

const none: Counts = { parts: 0, renewals: 0, errors: 0 }
const tab = crypto.randomUUID()
const channel = new BroadcastChannel(`watch ${settings.app}`)
const mine = reactive({ ...none })
const others = shallowReactive(new Map<string, Counts>())
const listeners = new Set<(size: number) => void>()

channel.onmessage = ({ data }: MessageEvent<Message>) => {
  if (data.gone) others.delete(data.tab)
  else if (data.load) for (const listener of listeners) listener(data.load)
  else {
    const known = others.has(data.tab)
    if (data.counts) others.set(data.tab, data.counts)
    if (!known) tell({ counts: { ...mine } }) // a new tab, which does not know of this one
  }
}

function tell(message: Omit<Message, 'tab'>): void {
  channel.postMessage({ tab, ...message })
}

function count(change: () => void): void {
  change()
  tell({ counts: { ...mine } })
}

/** What was seen since the token ran out last, in this tab and in all. */
export const tally = {
  mine,
  tabs: computed(() => others.size + 1),
  all: computed(() => {
    const sum = { ...mine }
    for (const one of others.values()) {
      sum.parts += one.parts
      sum.renewals += one.renewals
      sum.errors += one.errors
    }
    return sum
  }),
  part: (good: boolean) => {
    mine.parts++
    if (!good) mine.errors++
    later()
  },
  renew: () => count(() => mine.renewals++),
  restart: () => count(() => Object.assign(mine, none)),
  loadEverywhere: (size: number) => tell({ load: size }),
  onLoad(listener: (size: number) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
}

// A thousand parts are told of once.
let waiting = false
function later(): void {
  if (waiting) return
  waiting = true
  setTimeout(() => {
    waiting = false
    count(() => {})
  }, 50)
}

addEventListener('pagehide', () => tell({ gone: true }))
tell({ counts: { ...mine } })
