import { type InjectionKey, inject } from 'vue'
import type { Place } from './place'

export const placeKey: InjectionKey<Place> = Symbol('place')

/** Which session this page is about. */
export function usePlace(): Place {
  const place = inject(placeKey)
  if (!place) throw new Error('no place was provided')
  return place
}
