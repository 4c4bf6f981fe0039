import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { StepId } from '../../accounts/enrolment.ts'
import { handlers } from '../../interactions/steps/index.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { bodiesOf } from './bodies.ts'
import {
  aJourneyOf,
  aNewcomer,
  anOldHand,
  csrfOf,
  type Journey,
  NEW_PASSWORD,
  PAGE,
  theDate,
} from './support.ts'

/** The keys of a table whose type names them all. */
const STEP_IDS = Object.keys(handlers) as StepId[]

type Step = Readonly<{
  heading: string
  act: StepId
  /** A form that would be taken at this step. */
  fields: Readonly<Record<string, string>>
  /** Fields without which the form is incomplete. */
  needed: readonly string[]
}>

/** The first login's forms, in order. */
const STEPS: readonly Step[] = [
  {
    heading: PAGE.password,
    act: 'password',
    fields: { username: '23456-1', password: 'x' },
    needed: ['username', 'password'],
  },
  {
    heading: PAGE.birthdate,
    act: 'birthdate',
    fields: { era: 'seireki', year: '1985', month: '4', day: '1' },
    needed: ['era', 'year', 'month', 'day'],
  },
  { heading: PAGE.terms, act: 'terms', fields: { agree: 'yes' }, needed: ['agree'] },
  {
    heading: PAGE.email,
    act: 'email',
    fields: { email: 'anybody@example.jp' },
    needed: ['email'],
  },
  { heading: PAGE.emailWait, act: 'email', fields: { code: '000000' }, needed: ['code'] },
  {
    heading: PAGE.chooseFactor,
    act: 'chooseFactor',
    fields: { factor: 'emailCode' },
    needed: ['factor'],
  },
  {
    heading: PAGE.newPassword,
    act: 'newPassword',
    fields: { password: NEW_PASSWORD },
    needed: ['password'],
  },
]

/** The acts of one step's pages, its own first. */
const actsOf = (step: StepId): readonly string[] => [
  step,
  ...Object.keys(handlers[step].acts ?? {}),
]

/** Every act that any page of a sign-in posts to. */
const ACTS = [...new Set(STEP_IDS.flatMap(actsOf))]

const sameOrigin = (idp: Idp, url: URL) => ({
  Origin: idp.issuer,
  Referer: url.href,
  'Sec-Fetch-Site': 'same-origin',
})

describe('Whatever is posted', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const raw = async (journey: Journey, url: string, type: string, body: string) => {
    const cookie = await journey.visitor.jar.getCookieString(url)
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...sameOrigin(idp, journey.visitor.page.url), cookie, 'content-type': type },
      body,
    })
    return { status: response.status, headers: response.headers, body: await response.text() }
  }

  describe.each(STEPS)('at "$heading"', (step) => {
    test('the page is shown again with what to do, or the form is refused', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const page = await journey.walkTo(step.heading)
      const before = await idp.memberOf(journey.member)
      const url = `${page.url.href}/${step.act}`
      for (const { what, type, body, statuses } of bodiesOf(step, csrfOf(page))) {
        const answer = await raw(journey, url, type, body)
        expect([what, statuses.includes(answer.status), answer.status]).toEqual([
          what,
          true,
          answer.status,
        ])
        if (answer.status === 422) expect([what, answer.body]).toEqual([what, withHeading(step)])
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
      }
      expect(await idp.memberOf(journey.member)).toEqual(before)
      expect((await journey.visitor.visit(page.url)).heading).toBe(step.heading)
    })

    test('what belongs to another step leads back to this one and changes nothing', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const page = await journey.walkTo(step.heading)
      const before = await idp.memberOf(journey.member)
      const csrf = csrfOf(page)
      const every = Object.assign({}, ...STEPS.map(({ fields }) => fields))
      const own = actsOf(step.act)
      for (const act of ACTS.filter((name) => !own.includes(name))) {
        const shown = await journey.visitor.post(`${page.url.href}/${act}`, { ...every, csrf })
        expect([act, shown.hops[0]?.status, shown.heading]).toEqual([act, 303, step.heading])
      }
      expect(await idp.memberOf(journey.member)).toEqual(before)
    })

    test('from another site it is refused', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const page = await journey.walkTo(step.heading)
      const before = await idp.memberOf(journey.member)
      const cookie = await journey.visitor.jar.getCookieString(page.url.href)
      const send = (headers: Record<string, string>, token: string) =>
        fetch(`${page.url.href}/${step.act}`, {
          method: 'POST',
          redirect: 'manual',
          headers: { cookie, ...headers },
          body: new URLSearchParams({ ...step.fields, csrf: token }),
        })
      const csrf = csrfOf(page)
      for (const [headers, token] of [
        [{ 'Sec-Fetch-Site': 'cross-site' }, csrf],
        [{ 'Sec-Fetch-Site': 'same-site' }, csrf],
        [{ 'Sec-Fetch-Site': 'none' }, csrf],
        [{ Origin: 'https://evil.example' }, csrf],
        [{ Origin: 'null' }, csrf],
        [{ Origin: idp.issuer, 'Sec-Fetch-Site': 'cross-site' }, csrf],
        [{ Origin: `${idp.issuer}.evil.example` }, csrf],
        [{}, ''],
        [{ Origin: idp.issuer }, 'A'.repeat(43)],
      ] as const) {
        const response = await send(headers, token)
        expect([headers, response.status]).toEqual([headers, 403])
        expect(await response.text()).toContain(PAGE.forged)
      }
      expect(await idp.memberOf(journey.member)).toEqual(before)
    })
  })

  test.each([
    'nothing',
    'constructor',
    '__proto__',
    'toString',
    'show',
    'acts',
    'fields',
    '%2e%2e',
  ])('an act that does not exist (%s) leads back to the page', async (act) => {
    const journey = await aJourneyOf(idp, aNewcomer())
    const page = await journey.start()
    const answer = await journey.visitor.post(`${page.url.href}/${act}`, { csrf: csrfOf(page) })
    expect([200, 400, 404]).toContain(answer.status)
    expect(answer.heading).not.toBe('')
  })

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'the method %s does nothing',
    async (method) => {
      const journey = await aJourneyOf(idp, aNewcomer())
      const page = await journey.start()
      const cookie = await journey.visitor.jar.getCookieString(page.url.href)
      for (const path of ['', '/password', '/email-status', '/abort']) {
        const status = await statusOf(`${page.url.href}${path}`, method, cookie)
        expect([method, path, status]).toEqual([method, path, expect.any(Number)])
        expect(status).toBeLessThan(500)
        expect([301, 302, 303, 307, 308]).not.toContain(status)
      }
      expect((await journey.visitor.visit(page.url)).heading).toBe(PAGE.password)
    },
  )

  describe('twice', () => {
    test('the second form of a step leads to the page that is due', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      for (const step of STEPS.filter(({ act }) => act !== 'email')) {
        const page = await journey.walkTo(step.heading)
        const fields = {
          ...step.fields,
          ...(step.act === 'password' && {
            username: journey.member.loginId,
            password: journey.password,
          }),
          csrf: csrfOf(page),
        }
        const first = await journey.visitor.post(`${page.url.href}/${step.act}`, fields)
        expect(first.heading).not.toBe(step.heading)
        const again = await journey.visitor.post(`${page.url.href}/${step.act}`, fields)
        expect([step.act, again.status, again.heading]).toEqual([step.act, 200, first.heading])
      }
      expect(journey.visitor.page.heading).toBe(PAGE.done)
    })

    test('at the same moment the new password is set once and one mail tells of it', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const page = await journey.walkTo(PAGE.newPassword)
      const body = new URLSearchParams({ password: NEW_PASSWORD, csrf: csrfOf(page) }).toString()
      const form = 'application/x-www-form-urlencoded'
      const answers = await Promise.all(
        [1, 2, 3].map(() => raw(journey, `${page.url.href}/newPassword`, form, body)),
      )
      expect(answers.map(({ status }) => status)).toEqual([303, 303, 303])
      expect((await idp.memberOf(journey.member)).password.initial).toBeUndefined()
      const mails = idp.mails.mails.filter(
        ({ to, subject }) => to === journey.member.email?.address && subject.includes('パスワード'),
      )
      expect(mails.length).toBeLessThanOrEqual(1)
      expect((await journey.visitor.visit(page.url)).heading).toBe(PAGE.done)
    })
  })

  describe('in two tabs', () => {
    test('the tab left behind shows what is due when it is used', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const old = await journey.walkTo(PAGE.birthdate)
      await journey.walkTo(PAGE.chooseFactor)
      const late = await journey.visitor.post(`${old.url.href}/birthdate`, {
        csrf: csrfOf(old),
        era: 'seireki',
        year: '1999',
        month: '1',
        day: '1',
      })
      expect(late.heading).toBe(PAGE.chooseFactor)
    })

    test('two requests go on each by itself, and what one has done the other knows', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      const first = await journey.start()
      await journey.start()
      await journey.walkTo(PAGE.chooseFactor)
      const shown = await journey.visitor.visit(first.url)
      expect(shown.heading).toBe(PAGE.password)
      const due = await journey.visitor.submit('password', {
        username: journey.member.loginId,
        password: journey.password,
      })
      // The address was proven in the other request: its holder shows again that they are here.
      expect(due.heading).toBe(PAGE.emailCode)
    })

    test('after signing in, the back button’s form is answered by a page', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      const page = await journey.start()
      await journey.walkTo(PAGE.signedIn)
      const late = await journey.visitor.post(
        `${page.url.href}/verifyFactor`,
        { csrf: csrfOf(page), code: '123456' },
        sameOrigin(idp, page.url),
      )
      expect(late.status).toBe(400)
      expect(late.heading).toBe(PAGE.stale)
    })

    test('the way on that the engine gives works once', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start()
      const { hops } = await journey.walkTo(PAGE.signedIn)
      const resume = hops.find(({ url }) => /\/auth\/[^/?]+$/u.test(url))?.url ?? ''
      expect(resume).not.toBe('')
      const again = await journey.visitor.visit(resume)
      expect(again.status).toBe(400)
      expect(again.url.searchParams.get('code')).toBeNull()
      const stranger = await aVisitor().visit(resume)
      expect(stranger.status).toBe(400)
    })
  })
})

const withHeading = ({ heading }: Step) =>
  expect.stringMatching(new RegExp(`<h1[^>]*>.*${heading.slice(0, 2)}`, 'su'))

/** `fetch` knows no TRACE. */
const statusOf = async (url: string, method: string, cookie: string): Promise<number> => {
  const { request } = await import('node:http')
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { cookie }, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end()
  })
}
