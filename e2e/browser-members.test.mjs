// Members, as people meet our pages: real Chromium, the real program, a realm with passwords.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { password, startMembers } from './browser-members.mjs'
import { barriers, launch, overflow, picture, soak, visit } from './browser-page.mjs'
import { openSink } from './mail-sink.mjs'

/** @typedef {import('./browser-page.mjs').Visitor} Visitor */

/** @type {Awaited<ReturnType<typeof startMembers>>} */
let town
/** @type {Awaited<ReturnType<typeof openSink>>} */
let sink
/** @type {import('playwright-core').Browser} */
let browser
/** @type {Visitor[]} */
let visitors = []
/** @type {Record<string, any>} */
const texts = {}

before(async () => {
  for (const language of ['ko', 'en']) {
    const file = new URL(`../console/src/locales/${language}.json`, import.meta.url)
    texts[language] = JSON.parse(await readFile(file, 'utf8'))
  }
  sink = await openSink()
  town = await startMembers({
    mail: `mail: {smtp: "127.0.0.1:${sink.port}", from: "Shop <shop@shop.example>", tls: none}\n`,
  })
  browser = await launch()
})

afterEach(async () => {
  const all = visitors
  visitors = []
  for (const visitor of all) await visitor.close()
  assert.deepEqual(
    all.flatMap(({ complaints }) => complaints),
    [],
    'errors of script, or breaches of the content policy',
  )
})

after(async () => {
  await browser?.close()
  await town?.stop()
  sink?.close()
})

/** @param {Parameters<typeof visit>[1]} [look] */
async function arrive(look) {
  const visitor = await visit(browser, look)
  visitors.push(visitor)
  return visitor
}

const signInPage = (realm = 'members', app = 'shop', to = '/cart') =>
  `${town.url}/sign-in/${realm}?${new URLSearchParams({ app, return_to: town.shop + to })}`

/**
 * @param {Visitor} visitor
 * @param {string} login
 * @param {string} [word]
 */
async function enter({ page }, login, word = password) {
  await page.locator('input[name=login]').fill(login)
  await page.locator('input[name=password]').fill(word)
  await page.keyboard.press('Enter')
}

/**
 * Signs in to a realm, and waits to be at the shop.
 * @param {Visitor} visitor
 * @param {string} login
 */
async function signIn(visitor, login, realm = 'members', app = 'shop') {
  await visitor.page.goto(signInPage(realm, app))
  await enter(visitor, login)
  await visitor.page.waitForURL(`${town.shop}/cart`)
}

/** @param {Visitor} visitor */
const trouble = ({ page }) => page.locator('.sign-in-trouble p').first().innerText()

/** @param {Visitor} visitor */
const focused = ({ page }) => page.evaluate(() => document.activeElement?.getAttribute('name'))

describe('signing in', () => {
  test('leads to where one wanted to go, by keyboard alone', async () => {
    const visitor = await arrive()
    const { page } = visitor
    await page.goto(signInPage())
    await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'login')
    assert.match(await page.locator('.gate-head').innerText(), new RegExp(new URL(town.shop).host))
    await page.keyboard.type('KIM ') // one login in all spellings
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await page.waitForURL(`${town.shop}/cart`)
    const kept = await page.context().storageState()
    assert.doesNotMatch(JSON.stringify(kept.origins), /eyJ|mjr_|horse/)
  })

  test('who is signed in already goes on at once', async () => {
    const visitor = await arrive()
    await signIn(visitor, 'park')
    await visitor.page.goto(signInPage('members', 'shop', '/other'))
    await visitor.page.waitForURL(`${town.shop}/other`)
  })

  test('with a wrong password, an unknown login or nothing at all: the same, at the field, and heard', async () => {
    const visitor = await arrive()
    const { page } = visitor
    await page.goto(signInPage())
    await page.locator('button[type=submit]').click()
    await page.locator('.field-error', { hasText: texts.en.field.loginMissing }).waitFor()
    assert.equal(await focused(visitor), 'login')
    for (const login of ['choi', 'nobody']) {
      await enter(visitor, login, 'wrong')
      await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'password')
      assert.equal(await trouble(visitor), texts.en.code.credentials_wrong)
      assert.equal(await page.locator('[role=alert] .sign-in-trouble').count(), 1)
    }
    assert.equal(await page.locator('input[name=login]').inputValue(), 'nobody')
  })

  test('a password can be shown, and caps lock is noticed', async () => {
    const { page } = await arrive({ language: 'ko' })
    await page.goto(signInPage())
    const field = page.locator('input[name=password]')
    await field.fill('secret')
    await page.getByRole('button', { name: texts.ko.field.show }).click()
    assert.equal(await field.getAttribute('type'), 'text')
    await page.getByRole('button', { name: texts.ko.field.hide }).click()
    assert.equal(await field.getAttribute('type'), 'password')
    await field.evaluate((input) =>
      input.dispatchEvent(new KeyboardEvent('keydown', { key: 'A', modifierCapsLock: true, bubbles: true })),
    )
    await page.getByText(texts.ko.field.capsLock).waitFor()
  })

  test('out of reach of the server nothing is lost', async () => {
    const visitor = await arrive()
    const { page } = visitor
    await page.goto(signInPage())
    await page.locator('input[name=login]').waitFor()
    await page.route('**/sign-in/members', (route) => route.abort('connectionrefused'))
    await enter(visitor, 'choi')
    await page.locator('.sign-in-trouble').waitFor()
    assert.equal(await trouble(visitor), texts.en.password.away)
    await page.unroute('**/sign-in/members')
    await page.locator('button[type=submit]').click()
    await page.waitForURL(`${town.shop}/cart`)
  })

  test('after too many guesses the right password is of no use, and the sentence says what to do', async () => {
    const visitor = await arrive({ language: 'ko' })
    const { page } = visitor
    await page.goto(signInPage())
    await page.locator('input[name=login]').waitFor()
    await page.evaluate(async () => {
      const body = JSON.stringify({ app: 'shop', login: 'lee', password: 'wrong' })
      const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }
      await Promise.all(Array.from({ length: 10 }, () => fetch('/sign-in/members', init)))
    })
    await enter(visitor, 'lee')
    await page.locator('.sign-in-trouble').waitFor()
    assert.equal(await trouble(visitor), texts.ko.code.credentials_wrong)
  })

  test('a network that has to wait is told how long, and nothing is sent before', async () => {
    const visitor = await arrive()
    const { page } = visitor
    let asked = 0
    await page.route('**/sign-in/members', (route) => {
      if (route.request().method() === 'GET') return route.continue()
      asked++
      const body = JSON.stringify({ status: 429, code: 'too_many_attempts' })
      return asked > 1
        ? route.continue()
        : route.fulfill({ status: 429, contentType: 'application/problem+json', headers: { 'Retry-After': '2' }, body })
    })
    await page.goto(signInPage())
    await enter(visitor, 'choi')
    await page.locator('.sign-in-clock').waitFor()
    assert.match(await page.locator('.sign-in-clock').innerText(), /^0:0[12]$/)
    assert.equal(await page.locator('button[type=submit]').getAttribute('aria-disabled'), 'true')
    await page.keyboard.press('Enter')
    assert.equal(asked, 1)
    await page.getByText(texts.en.password.waitOver).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(`${town.shop}/cart`)
  })

  test('a way back to another site is refused before anything is typed', async () => {
    const { page } = await arrive()
    await page.goto(`${town.url}/sign-in/members?app=shop&return_to=https://evil.example/`)
    await page.locator('.state', { hasText: texts.en.password.wrongLinkTitle }).waitFor()
    assert.equal(await page.locator('form').count(), 0)
  })

  test("the staff's own realm may have passwords, too; other realms are listed", async () => {
    const visitor = await arrive()
    const { page } = visitor
    await page.goto(`${town.url}/people`)
    await page.locator('.sign-in-other', { hasText: 'members' }).waitFor()
    await page.locator('.sign-in-way', { hasText: texts.en.signIn.withPassword }).click()
    await enter(visitor, 'boss')
    await page.waitForURL(`${town.url}/people`)
    await page.locator('.person', { hasText: 'Boss' }).waitFor()
  })

  test('the first load is small', async () => {
    const { page } = await arrive()
    const bodies = /** @type {Promise<Buffer>[]} */ ([])
    page.on('response', (response) => {
      if (response.ok()) bodies.push(response.body())
    })
    await page.goto(signInPage())
    await page.locator('input[name=login]').waitFor()
    const size = (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0)
    assert.ok(size <= 170_000, `${size} bytes, compressed`)
  })
})

describe('as many devices as may be', () => {
  test('one is given up for this one, with one click, and told why', async () => {
    const [first, second, third] = [await arrive(), await arrive(), await arrive()]
    await signIn(first, 'han')
    await signIn(second, 'han')
    await first.page.goto(`${town.url}/account/members`)
    await first.page.locator('.device.current').waitFor()
    await third.page.goto(signInPage())
    await enter(third, 'han')
    const { page } = third
    await page.locator('.limit h2').waitFor()
    assert.equal(await page.locator('.limit-one').count(), 2)
    assert.match(await page.locator('.limit-time').innerText(), /0:\d\d|1:00/)
    await page.locator('.limit button[type=submit]').click() // the oldest is chosen
    await page.waitForURL(`${town.shop}/cart`)
    await first.page.waitForURL((url) => url.searchParams.get('reason') === 'session_replaced', { timeout: 25_000 })
    const reason = first.page.locator('.sign-in-reason')
    await reason.locator('time').waitFor()
    assert.match(await reason.innerText(), /Chrome on Linux/)
    assert.ok((await reason.innerText()).startsWith(texts.en.code.session_replaced))
  })
})

describe('displaced', () => {
  test('by a sign-in elsewhere: the sign-in page knows when and by what, whoever leads there', async () => {
    const [first, second] = [await arrive(), await arrive()]
    await signIn(first, 'store', 'shared', 'till')
    await signIn(second, 'store', 'shared', 'till')
    // As the shop's own page leads there: with the reason alone.
    await first.page.goto(`${signInPage('shared', 'till')}&reason=session_replaced`)
    const reason = first.page.locator('.sign-in-reason')
    await reason.locator('time').waitFor()
    assert.match(await reason.innerText(), /Chrome on Linux/)
    await enter(first, 'store')
    await first.page.waitForURL(`${town.shop}/cart`)
  })

  test('nothing that an address says is shown', async () => {
    const { page } = await arrive()
    for (const reason of ['you won <b>a prize</b>', 'constructor', 'Session_revoked']) {
      await page.goto(`${signInPage()}&reason=${encodeURIComponent(reason)}`)
      await page.locator('input[name=login]').waitFor()
      assert.equal(await page.locator('.sign-in-reason').count(), 0)
    }
  })
})

describe('my account', () => {
  test('who is not signed in signs in first, and comes back', async () => {
    const visitor = await arrive()
    await visitor.page.goto(`${town.url}/account/shared`)
    await visitor.page.waitForURL((url) => url.pathname === '/sign-in/shared')
    await enter(visitor, 'store')
    await visitor.page.waitForURL(`${town.url}/account/shared`)
    await visitor.page.locator('.device.current').waitFor()
    assert.equal(await visitor.page.locator('.side, .drawer, .header-menu').count(), 0) // nothing of the console
    await visitor.page.locator('.account-button').click()
    await visitor.page.getByRole('menuitem', { name: texts.en.menu.signOut }).click()
    await visitor.page.waitForURL((url) => url.pathname === '/sign-in/shared')
    assert.doesNotMatch(await visitor.page.evaluate(() => document.cookie), /munjigi-shared-hint/)
  })
})

/** The link of a letter. */
const linkIn = (/** @type {string} */ letter) =>
  /http:\/\/localhost:\d+\/sign-in\/members\/password#[\w.~-]+/.exec(letter)?.[0] ?? assert.fail(letter)

describe('a letter', () => {
  const chosen = 'nine cranes over the rice fields'

  test('leads who forgot the password to a new one, once', async () => {
    const visitor = await arrive({ language: 'ko' })
    const { page } = visitor
    await page.goto(signInPage())
    await page.getByRole('link', { name: texts.ko.password.forgotten }).click()
    await page.locator('h1', { hasText: texts.ko.forgotten.title }).waitFor() // the page before has such a field too
    await page.locator('input[name=login]').fill('oh')
    await page.keyboard.press('Enter')
    await page.locator('.state', { hasText: texts.ko.mail.title }).waitFor()
    const link = linkIn(await sink.letterTo('oh@shop.example'))
    await page.goto(link)
    const field = page.locator('input[name=password]')
    await field.fill('short')
    await page.keyboard.press('Enter')
    await page.locator('.field-error', { hasText: '12자' }).waitFor()
    await field.fill(chosen)
    await page.keyboard.press('Enter')
    await page.locator('.state', { hasText: texts.ko.newPassword.doneTitle }).waitFor()
    assert.equal(new URL(page.url()).hash, '')
    await page.locator('.sign-in-way').click()
    await enter(visitor, 'oh', chosen)
    await page.waitForURL((url) => url.pathname !== '/sign-in/members')

    const again = await arrive({ language: 'ko' })
    await again.page.goto(link)
    await again.page.locator('input[name=password]').fill(`${chosen}!`)
    await again.page.keyboard.press('Enter')
    await again.page.locator('.state', { hasText: texts.ko.newPassword.deadTitle }).waitFor()
    await again.page.getByRole('link', { name: texts.ko.newPassword.again }).waitFor()
  })

  test('makes the account of who signs up', async () => {
    const visitor = await arrive()
    const { page } = visitor
    await page.goto(signInPage())
    await page.getByRole('link', { name: texts.en.password.signUp }).click()
    await page.locator('input[name=name]').fill('Yoon')
    await page.locator('input[name=email]').fill('yoon')
    await page.keyboard.press('Enter')
    await page.locator('.field-error', { hasText: texts.en.wrong.email }).waitFor()
    await page.locator('input[name=email]').fill('yoon@shop.example')
    await page.keyboard.press('Enter')
    await page.locator('.state', { hasText: texts.en.mail.title }).waitFor()
    await page.goto(linkIn(await sink.letterTo('yoon@shop.example')))
    await page.locator('input[name=password]').fill(chosen)
    await page.keyboard.press('Enter')
    await page.locator('.sign-in-way').click()
    await enter(visitor, 'yoon@shop.example', chosen)
    await page.waitForURL((url) => url.pathname !== '/sign-in/members')
  })
})

describe('a change of the password', () => {
  test('is refused with the reason at the field, and ends the other browsers, which learn why', async () => {
    const [first, second] = [await arrive({ language: 'ko' }), await arrive({ language: 'ko' })]
    await signIn(first, 'jung')
    await signIn(second, 'jung')
    for (const { page } of [first, second]) {
      await page.goto(`${town.url}/account/members`)
      await page.locator('.device.current').waitFor()
    }
    const { page } = first
    const form = page.locator('.change-form')
    const [old, next] = [page.locator('input[name=old]'), page.locator('input[name=new]')]

    await old.fill(password)
    await next.fill('password1234')
    await page.keyboard.press('Enter')
    await form.locator('.field-error').waitFor()
    assert.match(await form.locator('.field-error').innerText(), /흔히 쓰이는/)
    assert.equal(await focused(first), 'new')

    await old.fill('not this one')
    await next.fill('a river under seven bridges')
    await page.keyboard.press('Enter')
    await form.locator('.note', { hasText: texts.ko.change.wrong }).waitFor()

    await old.fill(password)
    await page.keyboard.press('Enter')
    await form.locator('.note', { hasText: texts.ko.change.done }).waitFor()
    assert.deepEqual([await old.inputValue(), await next.inputValue()], ['', ''])

    await second.page.waitForURL((url) => url.pathname === '/sign-in/members', { timeout: 25_000 })
    assert.equal(await second.page.locator('.sign-in-reason p').first().innerText(), texts.ko.member.session_revoked)
    await enter(second, 'jung')
    await second.page.locator('.sign-in-trouble').waitFor() // the old one
    await enter(second, 'jung', 'a river under seven bridges')
    await second.page.waitForURL(`${town.url}/account/members`)
  })
})

/** @type {{ screen: string, at: () => string, ready: string, act?: (page: import('playwright-core').Page, visitor: Visitor) => Promise<void> }[]} */
const screens = [
  { screen: 'sign-in', at: () => signInPage(), ready: 'input[name=login]' },
  {
    screen: 'wrong',
    at: () => signInPage(),
    ready: '.sign-in-trouble',
    act: async (page, visitor) => {
      await page.route('**/sign-in/members', (route) => refuse(route, 401, { code: 'credentials_wrong' }))
      await enter(visitor, 'kim', 'wrong')
    },
  },
  {
    screen: 'wait',
    at: () => signInPage(),
    ready: '.sign-in-clock',
    act: async (page, visitor) => {
      const problem = { code: 'too_many_attempts', retry_after: 600 }
      await page.route('**/sign-in/members', (route) => refuse(route, 429, problem))
      await enter(visitor, 'kim', 'wrong')
    },
  },
  {
    screen: 'limit',
    at: () => signInPage(),
    ready: '.limit-one',
    act: async (page, visitor) => {
      const now = Math.floor(Date.now() / 1000)
      const sessions = [
        { id: 'a', device: 'Chrome on Windows', started_at: now - 3 * 86_400 },
        { id: 'b', device: 'Safari on iPhone', started_at: now - 5400 },
      ]
      const problem = { code: 'session_limit', ticket: 't', sessions }
      await page.route('**/sign-in/members', (route) => refuse(route, 409, problem))
      await enter(visitor, 'kim')
    },
  },
  {
    screen: 'replaced',
    at: () => `${signInPage()}&reason=session_replaced`,
    ready: '.sign-in-reason time',
    act: async () => {},
  },
  { screen: 'forgotten', at: () => `${town.url}/sign-in/members/forgotten?app=shop`, ready: 'input[name=login]' },
  {
    screen: 'forgotten-sent',
    at: () => `${town.url}/sign-in/members/forgotten?app=shop`,
    ready: '.state',
    act: async (page) => {
      await page.route('**/forgotten', (route) => route.fulfill({ status: 202 }))
      await page.locator('input[name=login]').fill('kim@shop.example')
      await page.keyboard.press('Enter')
    },
  },
  { screen: 'sign-up', at: () => `${town.url}/sign-in/members/sign-up?app=shop`, ready: 'input[name=email]' },
  {
    screen: 'sign-up-sent',
    at: () => `${town.url}/sign-in/members/sign-up?app=shop`,
    ready: '.state',
    act: async (page) => {
      await page.route('**/sign-up', (route) => route.fulfill({ status: 202 }))
      await page.locator('input[name=name]').fill('김민수')
      await page.locator('input[name=email]').fill('kim@shop.example')
      await page.keyboard.press('Enter')
    },
  },
  { screen: 'new-password', at: () => `${town.url}/sign-in/members/password#LINK`, ready: 'input[name=password]' },
  {
    screen: 'new-password-dead',
    at: () => `${town.url}/sign-in/members/password#LINK`,
    ready: '.state',
    act: async (page) => {
      await page.route('**/password', (route) => refuse(route, 401, { code: 'session_unknown' }))
      await page.locator('input[name=password]').fill(password)
      await page.keyboard.press('Enter')
    },
  },
]

/**
 * @param {import('playwright-core').Route} route
 * @param {number} status
 * @param {object} problem
 */
function refuse(route, status, problem) {
  if (route.request().method() === 'GET') return route.continue()
  return route.fulfill({
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify({ status, ...problem }),
  })
}

for (const language of /** @type {const} */ (['ko', 'en'])) {
  // Each language, theme and width once; all of them together take long.
  const themes = /** @type {('light' | 'dark')[]} */ (
    soak ? ['light', 'dark'] : language === 'ko' ? ['dark'] : ['light']
  )
  const widths = soak ? [1440, 360] : language === 'ko' ? [360] : [1440]
  describe(`nothing stands in anybody's way: ${language}`, () => {
    /** @param {Visitor} visitor @param {string} screen @param {string} ready */
    async function judge({ page }, screen, ready) {
      await page.locator(ready).first().waitFor()
      for (const theme of themes)
        for (const width of widths) {
          await page.emulateMedia({ colorScheme: theme })
          await page.setViewportSize({ width, height: width < 600 ? 780 : 900 })
          await page.waitForFunction(
            (dark) => document.documentElement.classList.contains('dark') === dark,
            theme === 'dark',
          )
          await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished.catch(() => {}))))
          await picture(page, `members-${screen}-${language}-${theme}-${width}`)
          assert.ok((await overflow(page)) <= 0, `${screen} is wider than the screen`)
          if (width === 360 || !soak) assert.deepEqual(await barriers(page), [], `${screen}, ${theme}`)
        }
    }

    for (const { screen, at, ready, act } of screens) {
      test(screen, async () => {
        const visitor = await arrive({ language })
        const { page } = visitor
        if (screen === 'replaced') await displaced(visitor)
        await page.goto(at())
        if (act && screen !== 'replaced') {
          await page.locator('form input').first().waitFor()
          await act(page, visitor)
        }
        await judge(visitor, screen, ready)
      })
    }

    test('account', async () => {
      const visitor = await arrive({ language })
      await signIn(visitor, 'store', 'shared', 'till')
      await visitor.page.goto(`${town.url}/account/shared?app=till&return_to=${town.shop}/`)
      await visitor.page.locator('.device').first().waitFor()
      await judge(visitor, 'account', '.change')
    })

    test('console-sign-in', async () => {
      const visitor = await arrive({ language })
      await visitor.page.goto(`${town.url}/sign-in`)
      await judge(visitor, 'console-sign-in', '.sign-in-other')
    })
  })
}

/** The page has a session that the server says was displaced.
 * @param {Visitor} visitor */
async function displaced({ page }) {
  const { hostname } = new URL(town.url)
  await page.context().addCookies([{ name: 'munjigi-members-hint', value: 'sid.1', domain: hostname, path: '/' }])
  const at = Math.floor(Date.now() / 1000) - 180
  const problem = { code: 'session_replaced', replaced_at: at, replaced_by: 'Chrome on Windows' }
  await page.route('**/session', (route) => refuse(route, 401, problem))
}
