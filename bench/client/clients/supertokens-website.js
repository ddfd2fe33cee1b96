import SuperTokens from 'supertokens-website'

let left = false
SuperTokens.init({
  apiDomain: location.origin,
  apiBasePath: '/auth',
  tokenTransferMethod: 'cookie',
  onHandleEvent: ({ action }) => {
    if (action === 'UNAUTHORISED') left = true
  },
})

window.client = {
  enter: () => fetch('/login', { method: 'POST' }),
  call: (path, signal) => fetch(path, { signal }),
  out: () => left,
}
