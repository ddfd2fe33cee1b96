/**
 * The way back after signing in, if it stays on this origin; else `fallback`. A browser reads `//host`, `/\host` and
 * `/<tab>/host` as another host, so the text is judged as the browser would resolve it.
 */
export function safeReturnPath(text: unknown, fallback = '/'): string {
  if (typeof text !== 'string' || !/^\/(?![/\\])/.test(text)) return fallback
  const base = 'https://origin.invalid'
  const url = URL.canParse(text, base) ? new URL(text, base) : null
  if (url?.origin !== base || url.pathname.startsWith('//') || isSignIn(url.pathname)) return fallback
  return url.pathname + url.search + url.hash
}

// Back to the sign-in page would be a circle.
function isSignIn(path: string): boolean {
  return path === '/sign-in' || path.startsWith('/sign-in/')
}
