// The buttons of a service's own page: each makes the service fail in one way, for whoever calls it.
const status = document.getElementById('status')

function show(mode) {
  for (const button of document.querySelectorAll('[data-mode]')) {
    button.setAttribute('aria-pressed', String(button.dataset.mode === mode))
  }
  status.textContent = ''
}

async function set(mode) {
  const answer = await fetch('/faults', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ mode }),
  })
  if (!answer.ok) throw new Error(String(answer.status))
  show((await answer.json()).mode)
}

document.addEventListener('click', (event) => {
  const mode = event.target.closest('button')?.dataset.mode
  if (mode) set(mode).catch(() => { status.textContent = status.dataset.failed })
})
