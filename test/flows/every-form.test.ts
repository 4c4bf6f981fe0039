import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { StepId } from '../../accounts/enrolment.ts'
import type { Member } from '../../accounts/member.ts'
import { linkTokenOf } from '../../factors/email-code.ts'
import { accountPages } from '../../interactions/account/index.ts'
import type { Fields } from '../../interactions/form.ts'
import { handlers } from '../../interactions/steps/index.ts'
import { ask, type Visitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { type Body, fieldBodies, unsignedBodies } from './bodies.ts'
import { holding, requestOptionsOn } from './keys.ts'
import { passFor } from './recovery-support.ts'
import {
  aJourneyOf,
  aNewcomer,
  anOldHand,
  aRegistrant,
  csrfOf,
  type Journey,
  PAGE,
  sampled,
  theDate,
} from './support.ts'

/** A member at a page of a sign-in. */
type Place = Readonly<{ what: string; step: StepId; reach: (idp: Idp) => Promise<Journey> }>

const newcomerAt =
  (heading: string, options: Parameters<typeof aJourneyOf>[2] = {}, over: Partial<Member> = {}) =>
  async (idp: Idp): Promise<Journey> => {
    const journey = await aJourneyOf(idp, aNewcomer(over), options)
    await journey.start()
    await journey.walkTo(heading)
    return journey
  }

const registrantAt =
  (heading: string, method: 'passkey' | 'totp') =>
  async (idp: Idp): Promise<Journey> => {
    const journey = await aJourneyOf(idp, aRegistrant(idp.clock.now(), method), { method })
    await journey.start()
    await journey.walkTo(heading)
    return journey
  }

const holderAt =
  (
    heading: string,
    methods: Parameters<typeof holding>[1],
    press: readonly (readonly [string, Readonly<Record<string, string>>?])[] = [],
    over: (now: number) => Partial<Member> = () => ({}),
  ) =>
  async (idp: Idp): Promise<Journey> => {
    const now = idp.clock.now()
    const { member, keys } = await holding(idp, methods, anOldHand(now, over(now)))
    const journey = await aJourneyOf(idp, member, { keys })
    await journey.start()
    if (heading !== PAGE.password && press[0]?.[0] !== 'forgot-password') await journey.answer()
    for (const [act, fields] of press) await journey.visitor.submit(act, fields)
    expect(journey.visitor.page.heading).toBe(heading)
    return journey
  }

const forgotten = {
  page: 'パスワードを忘れたとき',
  code: '届いたコードを入力してください',
  newPassword: 'パスワードを新しくします',
  loginId: 'ユーザIDがわからないとき',
} as const

/** At the page that waits for a forgotten password's code. */
const askedForReset = async (idp: Idp): Promise<Journey> => {
  const journey = await holderAt(forgotten.page, ['totp'], [['forgot-password']])(idp)
  const [year = '', month = '', day = ''] = journey.member.birthdate.split('-')
  const claim = { username: journey.member.loginId, era: 'seireki', year, month, day }
  await journey.visitor.submit('reset-request', claim)
  return journey
}

const stopped = (now: number): Partial<Member> => ({
  blocked: { reason: 'emailChangeUndone', since: now },
})

const PLACES: readonly Place[] = [
  { what: PAGE.password, step: 'password', reach: holderAt(PAGE.password, ['passkey']) },
  {
    what: forgotten.page,
    step: 'password',
    reach: holderAt(forgotten.page, ['totp'], [['forgot-password']]),
  },
  { what: forgotten.code, step: 'password', reach: askedForReset },
  {
    what: forgotten.newPassword,
    step: 'password',
    async reach(idp) {
      const journey = await askedForReset(idp)
      await journey.visitor.submit('reset-code', { code: await journey.newestCode() })
      return journey
    },
  },
  {
    what: forgotten.loginId,
    step: 'password',
    async reach(idp) {
      const journey = await holderAt(PAGE.password, [])(idp)
      await journey.visitor.submit('forgot-id')
      return journey
    },
  },
  {
    what: 'the desk’s pass of a member who is stopped',
    step: 'deskPass',
    async reach(idp) {
      const journey = await holderAt(PAGE.stopped, ['totp'], [], stopped)(idp)
      await passFor(idp, journey.member)
      await journey.visitor.visit(journey.visitor.page.url)
      return journey
    },
  },
  {
    what: PAGE.enrolled,
    step: 'enrolled',
    reach: newcomerAt(PAGE.enrolled, {}, { societyId: 'minato' }),
  },
  {
    what: PAGE.verifyPasskey,
    step: 'verifyFactor',
    reach: holderAt(PAGE.verifyPasskey, ['passkey', 'totp', 'recoveryCode']),
  },
  {
    what: PAGE.verifyTotp,
    step: 'verifyFactor',
    reach: holderAt(PAGE.verifyTotp, ['totp', 'passkey', 'recoveryCode']),
  },
  {
    what: PAGE.verifyRecoveryCode,
    step: 'verifyFactor',
    reach: holderAt(
      PAGE.verifyRecoveryCode,
      ['totp', 'recoveryCode'],
      [['use-method', { method: 'recoveryCode' }]],
    ),
  },
  { what: PAGE.emailCode, step: 'verifyFactor', reach: holderAt(PAGE.emailCode, []) },
  {
    what: PAGE.lostFactor,
    step: 'verifyFactor',
    reach: holderAt(PAGE.lostFactor, ['totp', 'recoveryCode'], [['lost-factor']]),
  },
  { what: PAGE.birthdate, step: 'birthdate', reach: newcomerAt(PAGE.birthdate) },
  { what: PAGE.terms, step: 'terms', reach: newcomerAt(PAGE.terms) },
  { what: PAGE.email, step: 'email', reach: newcomerAt(PAGE.email) },
  { what: PAGE.emailWait, step: 'email', reach: newcomerAt(PAGE.emailWait) },
  { what: PAGE.choosePlace, step: 'chooseFactor', reach: newcomerAt(PAGE.choosePlace) },
  { what: PAGE.chooseFactor, step: 'chooseFactor', reach: newcomerAt(PAGE.chooseFactor) },
  { what: PAGE.newPassword, step: 'newPassword', reach: newcomerAt(PAGE.newPassword) },
  {
    what: PAGE.registerPasskey,
    step: 'registerFactor',
    reach: registrantAt(PAGE.registerPasskey, 'passkey'),
  },
  {
    what: PAGE.registerTotp,
    step: 'registerFactor',
    reach: registrantAt(PAGE.registerTotp, 'totp'),
  },
  {
    what: PAGE.recoveryCodes,
    step: 'recoveryCodes',
    reach: registrantAt(PAGE.recoveryCodes, 'totp'),
  },
  {
    what: 'the offer to register this device too',
    step: 'addDevice',
    async reach(idp) {
      const journey = await holderAt(PAGE.verifyPasskey, ['passkey', 'recoveryCode'])(idp)
      const response = journey.keys.passkey?.authenticate(requestOptionsOn(journey.visitor.page), {
        json: (one) => ({ ...one, authenticatorAttachment: 'cross-platform' }),
      })
      await journey.visitor.submit('verifyFactor', { response: response ?? '' })
      return journey
    },
  },
  { what: PAGE.done, step: 'done', reach: registrantAt(PAGE.done, 'totp') },
  {
    what: 'one more method at the end',
    step: 'done',
    async reach(idp) {
      const journey = await registrantAt(PAGE.done, 'totp')(idp)
      await journey.visitor.submit('register-another')
      await journey.visitor.submit('another-method')
      return journey
    },
  },
]

/** The fields that a page has for an act whose own depend on the method asked for. */
const OF_METHODS: Fields = {
  code: { max: 100 },
  response: { max: 16_384, optional: true },
  failure: { max: 40, optional: true },
  label: { max: 200, optional: true },
}
const fieldsOn = ({ root }: Page): Fields =>
  Object.fromEntries(
    Object.entries(OF_METHODS).filter(([name]) => root.querySelector(`[name=${name}]`)),
  )

const shapeOf = (fields: Fields) => ({
  fields: Object.fromEntries(Object.keys(fields).map((name) => [name, '1'])),
  needed: Object.entries(fields).flatMap(([name, { optional }]) => (optional ? [] : [name])),
  longest: Object.fromEntries(Object.entries(fields).map(([name, { max }]) => [name, max])),
})

/** Each act of the step's pages with its fields. */
const actsOf = (step: StepId, page: Page): readonly (readonly [string, Fields])[] =>
  // What a handler's acts have in common is all that is looked at.
  Object.entries({ [step]: handlers[step], ...handlers[step].acts }).map(([name, { fields }]) => [
    name,
    typeof fields === 'function' ? fieldsOn(page) : fields,
  ])

/** The acts that the page's own forms post to. */
const postedBy = ({ root, url }: Page): readonly string[] => {
  const base = `${url.pathname}/`
  const targets = root
    .querySelectorAll('form[method=post], button[formaction]')
    .map((form) => form.getAttribute('formaction') ?? form.getAttribute('action') ?? '')
  return [
    ...new Set(targets.filter((to) => to.startsWith(base)).map((to) => to.slice(base.length))),
  ]
}

/** One POST by the visitor's browser, from the page in front of them; redirects not followed. */
const send = async ({ jar, page }: Visitor, url: string, type: string, body: string) => {
  const answer = await ask(new URL(url), {
    method: 'POST',
    headers: {
      Cookie: jar.getCookieStringSync(url),
      'Sec-Fetch-Site': 'same-origin',
      Origin: page.url.origin,
      'Content-Type': type,
    },
    body,
  })
  return {
    status: answer.status,
    heading: /<h1[^>]*>(.*?)<\/h1>/su.exec(answer.body)?.[1]?.trim() ?? '',
  }
}

/**
 * Posts the bad bodies of these forms of the page in front of the visitor, what has no token to the
 * first; returns what is answered otherwise than it may be, or by another page.
 */
const misanswered = async (
  { visitor, base }: Readonly<{ visitor: Visitor; base: string }>,
  acts: readonly (readonly [string, Fields])[],
  also: readonly number[] = [],
): Promise<readonly unknown[]> => {
  const { page } = visitor
  const csrf = csrfOf(page)
  const found: unknown[] = []
  for (const [index, [act, fields]] of acts.entries()) {
    const shape = shapeOf(fields)
    const unsigned = unsignedBodies(new URLSearchParams(shape.fields).toString(), csrf)
    const bodies: readonly Body[] = [
      ...(index === 0 ? unsigned : unsigned.slice(0, 1)),
      ...fieldBodies(shape, csrf, [303]),
    ]
    for (const { what, type, body, statuses } of sampled(bodies)) {
      const answer = await send(visitor, `${base}/${act}`, type, body)
      const allowed = [...statuses, ...also].includes(answer.status)
      const samePage = answer.status !== 422 || answer.heading === page.heading
      if (!allowed || (!samePage && also.length === 0)) found.push({ act, what, ...answer })
    }
  }
  return found
}

describe('Whatever is posted to any form of ours', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  test('every step of a sign-in is among the places tried', () => {
    expect([...new Set(PLACES.map(({ step }) => step))].sort()).toEqual(
      Object.keys(handlers).sort(),
    )
  })

  test.each(PLACES)('at “$what”: the same page with what to do, never a fault', async (place) => {
    const journey = await place.reach(idp)
    const { visitor } = journey
    const { heading, url } = visitor.page
    const acts = actsOf(place.step, visitor.page)
    const names = acts.map(([name]) => name)
    expect(postedBy(visitor.page).filter((name) => ![...names, 'abort'].includes(name))).toEqual([])
    const before = await idp.memberOf(journey.member)
    expect(await misanswered({ visitor, base: url.href }, acts)).toEqual([])
    expect(await idp.memberOf(journey.member)).toEqual(before)
    const after = await visitor.visit(url)
    expect([after.status < 500, after.heading]).toEqual([true, heading])
  })

  describe('of the account page', () => {
    /** Signed in by passkey a moment ago, with every method. */
    const atAccount = async (): Promise<Journey> => {
      const over = { credentials: [] }
      const methods = ['passkey', 'totp', 'recoveryCode'] as const
      const { member, keys } = await holding(idp, methods, anOldHand(idp.clock.now(), over))
      const journey = await aJourneyOf(idp, member, { keys })
      await journey.start()
      await journey.walkTo(PAGE.signedIn)
      return journey
    }
    const PAGES = [...accountPages.keys()].map((page) => ({ page }))

    test.each(PAGES)('“$page”: the same page with what to do, never a fault', async ({ page }) => {
      const journey = await atAccount()
      const { visitor, member } = journey
      const before = await idp.memberOf(member)
      const passkey = before.credentials.find(({ factor }) => factor === 'passkey')
      const root = `${idp.issuer}/account/sakura`
      const acts = Object.entries(accountPages.get(page)?.acts ?? {}).map(
        ([name, { fields }]) => [name, fields] as const,
      )
      for (const place of [page, `${page}/${passkey?.id}`, `${page}/nothing-such`]) {
        const base = `${root}/${place}`
        const shown = await visitor.visit(base)
        expect(shown.status).toBeLessThan(500)
        if (shown.url.href === base) {
          expect(await misanswered({ visitor, base }, acts)).toEqual([])
          break
        }
        // What has no page of its own here leads to the overview, and so do its forms.
        await visitor.visit(root)
        expect(await misanswered({ visitor, base }, acts, [303, 404])).toEqual([])
      }
      expect(await idp.memberOf(member)).toEqual(before)
    })

    test('without a session nothing is looked at', async () => {
      const journey = await atAccount()
      const { visitor } = journey
      await visitor.visit(`${idp.issuer}/account/sakura/email`)
      visitor.jar.removeAllCookiesSync()
      for (const [page, { acts }] of accountPages) {
        for (const name of Object.keys(acts)) {
          for (const { what, type, body } of unsignedBodies('', 'x'.repeat(43))) {
            const url = `${idp.issuer}/account/sakura/${page}/${name}`
            const { status } = await send(visitor, url, type, body)
            expect([what, [303, 403, 413].includes(status), status]).toEqual([what, true, status])
          }
        }
      }
    })
  })

  describe('of a mailed link', () => {
    const tokens = (key: Buffer) => ({
      'is nobody’s': linkTokenOf(key, 'nothing-such'),
      'is an undo link’s': linkTokenOf(key, 'undo-nothing-such'),
      'is no token': 'x',
      'is too long': 'A'.repeat(6000),
      'names an object': '__proto__',
      'is encoded oddly': '%00%0a',
      'is not Latin': encodeURIComponent('確認'),
    })

    test.each(['email', 'email-undo'])('/%s: a page that says so, never a fault', async (path) => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start()
      for (const [what, token] of Object.entries(tokens(idp.services.settings.codeKey))) {
        const url = `${idp.issuer}/${path}/${token}`
        const shown = await journey.visitor.visit(url)
        expect([what, [400, 404, 410].includes(shown.status), shown.status]).toEqual([
          what,
          true,
          shown.status,
        ])
        expect(shown.heading).not.toBe('')
        for (const { what: sent, type, body } of unsignedBodies('', 'x'.repeat(43))) {
          const { status } = await send(journey.visitor, url, type, body)
          const expected = [303, 400, 403, 404, 410, 413]
          expect([what, sent, expected.includes(status), status]).toEqual([
            what,
            sent,
            true,
            status,
          ])
        }
      }
    })
  })
})
