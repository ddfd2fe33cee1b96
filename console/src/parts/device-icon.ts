import type { IconName } from './icons'

/** The picture of a device class such as "Chrome on Android". */
export function deviceIcon(device: string): IconName {
  if (/android|iphone|ipad|ios|mobile/i.test(device)) return 'phone'
  if (/windows|mac|linux|chrome ?os/i.test(device)) return 'laptop'
  if (/curl|cli|go-http|command/i.test(device)) return 'terminal'
  return 'globe'
}
