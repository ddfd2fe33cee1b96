import { listPath } from '../../backoffice/address'
import type { Entry } from '../../backoffice/types'
import type { IconName } from '../../parts/icons'

/** The address of what an entry of the menu leads to. */
export function entryPath(service: string, { kind, key }: Entry): string {
  if (kind === 'resource') return listPath(service, key)
  return `/s/${encodeURIComponent(service)}/-/${kind}/${encodeURIComponent(key)}`
}

export function entryIcon({ kind }: Entry): IconName {
  const icons = { resource: 'table', report: 'chart', settings: 'settings', run: 'play' } as const
  return icons[kind] ?? 'table'
}
