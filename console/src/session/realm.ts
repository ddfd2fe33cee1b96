const storageKey = 'munjigi-console-realm'

/** The console's realm as the last session told it: which hint cookie is ours. Storage may be forbidden. */
export function rememberedRealm(): string | null {
  try {
    return localStorage.getItem(storageKey)
  } catch {
    return null
  }
}

export function rememberRealm(realm: string): void {
  try {
    localStorage.setItem(storageKey, realm)
  } catch {
    // Then any hint is taken for ours, and the renewal decides.
  }
}
