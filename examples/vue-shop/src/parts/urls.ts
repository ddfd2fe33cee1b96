import { settings } from '../settings'

export type Kind = 'group' | 'product' | 'creative' | 'point' | 'wanted'

const { market, wishlist } = settings.services

/** The kinds of parts on the page of this front end. */
export const kinds: Kind[] = ['group', 'product', 'creative', wishlist ? 'wanted' : 'point']

/** What the n-th part of a kind asks for. */
export function urlOf(kind: Kind, n = 0): string {
  return `${kind === 'wanted' ? wishlist : market}/member/${kind}?n=${n}`
}
