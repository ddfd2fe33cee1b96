import { createCalls } from './calls.js'
import { fill, texts } from './texts.js'

const $ = (id) => document.getElementById(id)
const promised = 6 // recheck.every + 1 s, the length of the gauge
const faults = ['ok', 'down', '500', '429', 'slow', 'invalid_client', 'html']

let language = localStorage.getItem('language') ?? (navigator.language.startsWith('ko') ? 'ko' : 'en')
const say = (key, values = {}) => fill(texts[language][key], values)

const config = await (await fetch('config.json')).json()
const calls = createCalls(config, () => language)

// phase: anonymous → active → leaving → cut; ended is any other end of the session.
const state = {
  phase: 'anonymous', account: null, claims: null, problem: null,
  people: [], fault: 'ok', broken: null, mended: null, leaving: null, seconds: 0,
  log: [], unreachable: false, note: '', danger: '',
}

const signedIn = () => state.phase === 'active' || state.phase === 'leaving'

// ---- what happens ----

async function start() {
  fillChoices()
  await look()
  if (calls.hasSession()) entered(await calls.renew())
  draw()
  tick()
  setInterval(async () => { await look(); draw() }, 3000)
  setInterval(() => { if (state.phase === 'leaving') { stopwatch(); drawWatch() } }, 100)
}

function entered(answer) {
  if (answer.ok) Object.assign(state, { phase: 'active', account: answer.ok.account, problem: null })
  else if (answer.ended && answer.ended.code !== 'session_missing') ended(answer.ended)
}

function ended(problem) {
  const cut = problem.code === 'session_cut_off'
  if (state.phase === 'leaving') stopwatch()
  Object.assign(state, { phase: cut ? 'cut' : 'ended', problem, leaving: null, mended: null })
}

// tick calls the service once a second, for as long as somebody is signed in; never two calls at a time.
async function tick() {
  const begun = performance.now()
  if (signedIn()) {
    take(await calls.call('wishlist', '/me'))
    if (state.mended) await listen()
    draw()
  }
  setTimeout(tick, Math.max(0, 1000 - (performance.now() - begun)))
}

function take(answer) {
  const kind = answer.ok ? 'good' : answer.none ? 'none' : 'bad'
  state.log.push(kind)
  state.unreachable = kind === 'none'
  if (state.broken) {
    state.broken.calls += 1
    if (kind === 'bad') state.broken.bad += 1
  }
  if (answer.ok) state.claims = answer.ok
  if (answer.ended && signedIn()) ended(answer.ended)
}

// look asks the provider who is there and how it feels.
async function look() {
  const [people, fault] = await Promise.all([calls.people(), calls.fault()])
  if (people) state.people = people
  if (fault && fault !== state.fault) setBroken(fault)
}

// listen waits for the first clear answer after the provider was mended. Before that a "no" does not count: it may only
// mean that an answer with a new refresh token was lost in the trouble.
async function listen() {
  const checkedAt = await calls.checkedAt()
  if (checkedAt > state.mended) state.mended = null
}

function setBroken(mode) {
  if (state.broken && mode === 'ok') state.mended = Math.floor(Date.now() / 1000)
  state.fault = mode
  state.broken = mode === 'ok' ? null : { since: performance.now(), calls: 0, bad: 0 }
}

function stopwatch() {
  state.seconds = (performance.now() - state.leaving) / 1000
}

async function leave() {
  const pressed = performance.now()
  if (!await calls.move(state.account.email, 'leave')) {
    state.note = 'leave_failed'
  } else {
    Object.assign(state, { phase: 'leaving', leaving: pressed, seconds: 0, note: '' })
  }
  await look()
  draw()
}

async function comeBack() {
  if (state.account && !await calls.move(state.account.email, 'return')) state.note = 'leave_failed'
  else if (state.phase === 'leaving') Object.assign(state, { phase: 'active', leaving: null, seconds: 0 })
  else Object.assign(state, { phase: 'anonymous', problem: null, seconds: 0, log: [], claims: null, note: '' })
  await look()
  draw()
  if (state.phase === 'anonymous') $('sign-in').focus()
}

async function signOut() {
  if (await calls.signOut()) Object.assign(state, { phase: 'anonymous', account: null, claims: null, log: [], leaving: null, mended: null, seconds: 0 })
  draw()
}

async function danger() {
  state.danger = ''
  if (!signedIn()) {
    state.danger = say('danger_out')
    return draw()
  }
  const answer = await calls.call('market', '/shops/s4/suspend', 'POST')
  if (answer.ok && answer.fresh) state.danger = say('danger_fresh')
  else if (answer.ok) state.danger = say('danger_done', { age: Math.max(0, Math.round(Date.now() / 1000 - state.claims.checked_at)) })
  else if (answer.refused ?? answer.ended) state.danger = (answer.refused ?? answer.ended).title
  else state.danger = say('danger_failed')
  if (answer.ended && signedIn()) ended(answer.ended)
  draw()
}

// ---- what is shown ----

function draw() {
  const name = state.account?.name ?? ''
  for (const element of document.querySelectorAll('.when-in')) element.hidden = !signedIn()
  for (const element of document.querySelectorAll('.when-out')) element.hidden = signedIn()
  $('who').textContent = `${name} · ${state.account?.email ?? ''}`
  $('roles').textContent = state.account?.roles.join(', ') ?? ''
  $('leave').disabled = state.phase !== 'active' || Boolean(state.mended)
  $('return').disabled = !['leaving', 'cut'].includes(state.phase)
  $('leave-note').textContent = leaveNote()
  setText('reason', state.problem ? `${state.problem.title} (${state.problem.code})` : '')
  setText('bubble', bubble(name))
  setText('danger-note', state.danger)
  drawSteps()
  drawPeople()
  drawCalls()
  drawFaults()
  drawWatch()
  Object.assign($('stage').dataset, {
    phase: state.phase, provider: state.fault === 'ok' ? 'ok' : 'broken', beat: String(state.log.length % 2),
  })
}

function leaveNote() {
  if (state.note) return say(state.note)
  if (state.phase === 'leaving' && state.broken) return say('leave_fault')
  return state.phase === 'active' && state.mended ? say('leave_mended') : ''
}

// setText leaves a live region alone unless it has news, so that screen readers are not told twice.
function setText(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text
}

function bubble(name) {
  if (state.phase === 'cut') return say('say_cut', { name })
  if (state.phase === 'ended') return `${say('say_ended')} ${state.problem.title}`
  if (state.broken && signedIn()) return say('say_fault')
  if (state.unreachable && signedIn()) return say('say_unreachable')
  return say(`say_${state.phase}`, { name })
}

function drawSteps() {
  const at = { anonymous: 0, ended: 0, active: state.log.length ? 2 : 1, leaving: 3, cut: 4 }[state.phase]
  for (const [index, step] of [...$('steps').children].entries()) {
    step.dataset.state = index < at ? 'done' : index === at ? 'now' : 'later'
    if (index === at) step.setAttribute('aria-current', 'step')
    else step.removeAttribute('aria-current')
  }
}

function drawPeople() {
  const select = $('person')
  const wanted = select.dataset.shown ? select.value : state.account?.email
  const label = (person) => {
    const name = person.active ? person.name : say('in_left', { name: person.name })
    return `${name} · ${person.email}${person.roles.length ? ` · ${person.roles.join(', ')}` : ''}`
  }
  const next = state.people.map((person) => [person.email, label(person), person.active])
  if (JSON.stringify(next) === select.dataset.shown) return
  select.dataset.shown = JSON.stringify(next)
  select.replaceChildren(...next.map(([email, text, active]) => {
    const option = new Option(text, email)
    option.disabled = !active
    return option
  }))
  if (state.people.some((person) => person.email === wanted && person.active)) select.value = wanted
}

function drawCalls() {
  const count = (list, kind) => list.filter((one) => one === kind).length
  const sum = (list) => ({ good: count(list, 'good'), bad: count(list, 'bad'), none: count(list, 'none') })
  const last = state.log.slice(-30)
  $('tally').textContent = say('call_tally', sum(state.log))
  $('pulse').setAttribute('aria-label', say('call_pulse', sum(last)))
  $('pulse').replaceChildren(...last.map((kind) => {
    const beat = document.createElement('span')
    beat.className = kind
    return beat
  }))
  document.querySelector('.when-known').hidden = !state.claims
  $('claims').replaceChildren(...Object.entries(state.claims ?? {}).map(([claim, value]) => {
    const row = document.createElement('div')
    row.append(
      Object.assign(document.createElement('dt'), { textContent: claim }),
      Object.assign(document.createElement('dd'), { textContent: claimText(claim, value) }),
    )
    return row
  }))
}

function claimText(claim, value) {
  if (!['iat', 'exp', 'auth_time', 'checked_at'].includes(claim)) return Array.isArray(value) ? value.join(', ') : String(value)
  return `${value} (${new Date(value * 1000).toLocaleTimeString(language)})`
}

function drawFaults() {
  for (const button of $('faults').children) button.setAttribute('aria-pressed', String(button.dataset.mode === state.fault))
  const seconds = state.broken && Math.round((performance.now() - state.broken.since) / 1000)
  $('fault-note').textContent = !state.broken ? '' : signedIn() ? say('fault_note', { seconds, ...state.broken }) : say('fault_note_out')
}

function drawWatch() {
  $('seconds').textContent = state.seconds.toFixed(1)
  $('gauge').style.width = `${Math.min(100, (state.seconds / promised) * 100)}%`
}

function drawTexts() {
  document.documentElement.lang = language
  document.title = say('page_title')
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = say(element.dataset.text)
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', say(element.dataset.label))
  for (const button of document.querySelectorAll('[data-language]')) button.setAttribute('aria-pressed', String(button.dataset.language === language))
  for (const button of $('faults').children) button.textContent = say(`fault_${button.dataset.mode}`)
}

function fillChoices() {
  $('faults').replaceChildren(...faults.map((mode) => {
    const button = document.createElement('button')
    Object.assign(button, { type: 'button', className: mode === 'ok' ? 'calm' : 'warn' })
    button.dataset.mode = mode
    return button
  }))
  for (const [name, address] of Object.entries({ provider: config.provider, munjigi: config.url, ...config.services })) {
    const { hostname, port } = new URL(address)
    $(`host-${name}`).replaceChildren(`${hostname}:`, document.createElement('wbr'), port)
  }
  $('link-provider').href = config.provider
  $('link-shop').href = config.shop
  drawTexts()
}

// ---- buttons ----

const presses = { 'sign-in': () => calls.signIn($('person').value), 'sign-out': signOut, leave, return: comeBack, danger }

document.addEventListener('click', async (event) => {
  const button = event.target.closest('button')
  if (!button) return
  if (button.dataset.language) {
    language = button.dataset.language
    localStorage.setItem('language', language)
    drawTexts()
    draw()
  } else if (button.dataset.mode) {
    if (await calls.setFault(button.dataset.mode)) setBroken(button.dataset.mode)
    draw()
  } else {
    presses[button.id]?.()
  }
})

start()
