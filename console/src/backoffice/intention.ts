/**
 * The Idempotency-Key of what somebody means to do: the same for each try of it, another one as soon as it is known
 * that nothing was done, or something else is meant. Without that a try after a refusal would be answered by the refusal.
 */
export function createIntention(random: () => string = () => crypto.randomUUID()) {
  let meant: string | null = null
  let key = ''
  return {
    keyFor(request: string): string {
      if (request !== meant) {
        meant = request
        key = random()
      }
      return key
    },
    settle(): void {
      meant = null
    },
  }
}
