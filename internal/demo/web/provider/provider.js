// The buttons of the provider's page. What is shown comes from the server after each press, and every two seconds:
// the demo page presses the same buttons.
const status = document.getElementById('status')

async function post(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: body ? JSON.stringify(body) : undefined,
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
}

async function refresh() {
  const [people, fault] = await Promise.all(
    ['/people', '/faults'].map(async (path) => (await fetch(path)).json()),
  )
  for (const person of people) {
    const row = document.querySelector(`li[data-email="${CSS.escape(person.email)}"]`)
    if (row) row.dataset.active = String(person.active)
  }
  for (const button of document.querySelectorAll('[data-mode]')) {
    button.setAttribute('aria-pressed', String(button.dataset.mode === fault.mode))
  }
  status.textContent = ''
}

function guarded(action) {
  return action().catch(() => {
    status.textContent = status.dataset.failed
  })
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button')
  if (!button) return
  const { post: path, mode } = button.dataset
  guarded(async () => {
    await (mode ? post('/faults', { mode }) : post(path))
    await refresh()
    if (path) button.closest('li').querySelector(`button:not([data-post="${CSS.escape(path)}"])`).focus()
  })
})

setInterval(() => guarded(refresh), 2000)
