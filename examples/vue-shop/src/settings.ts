/** Where everything is. Whoever serves this page says so, so that one build fits every address. */
export interface Settings {
  /** Munjigi's address. */
  munjigi: string
  /** The name of this front end in Munjigi's configuration. */
  app: 'shop' | 'wholesale'
  services: { market: string; wishlist?: string }
  /** For show: the other front end, and who may sign in. */
  other: string
  members: { login: string; password: string; name: string }[]
}

const answer = await fetch('/settings.json')

export const settings: Settings = await answer.json()
