import { createSession } from '@munjigi/client'

const session = createSession({ url: location.origin, app: 'bench', realm: 'staff', hint: false })
window.client = {
  enter: () => fetch('/login', { method: 'POST' }).then(() => session.ready()),
  call: (path, signal) => session.fetch(path, { signal }),
  out: () => session.state.status === 'anonymous',
}
