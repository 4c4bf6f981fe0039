import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { LIMITS, type LimitId } from '../../accounts/throttle.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { holding } from './keys.ts'
import { passFor } from './recovery-support.ts'
import {
  aJourneyOf,
  aNewcomer,
  anOldHand,
  aRegistrant,
  type Journey,
  NEW_PASSWORD,
  PAGE,
  theDate,
} from './support.ts'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({ clock: theDate() })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

type Fields = Readonly<Record<string, string>>

/** A form with a secret: what is none at all, and one that is another's. */
type Form = Readonly<{
  where: string
  reach: () => Promise<Journey>
  act: string
  shapeless: readonly Fields[]
  wrong: Fields
  limit: LimitId
}>

const newcomerAt = async (heading: string): Promise<Journey> => {
  const journey = await aJourneyOf(idp, aNewcomer())
  await journey.start()
  await journey.walkTo(heading)
  return journey
}

const holderAt = async (
  heading: string,
  methods: Parameters<typeof holding>[1],
  over: Partial<Member> = {},
): Promise<Journey> => {
  const { member, keys } = await holding(idp, methods, anOldHand(idp.clock.now(), over))
  const journey = await aJourneyOf(idp, member, { keys })
  await journey.start()
  await journey.walkTo(heading)
  return journey
}

/** At the account page's own place, signed in a moment ago. */
const atAccount = async (place: string, press?: readonly [string, Fields]): Promise<Journey> => {
  const journey = await holderAt(PAGE.signedIn, [])
  const { visitor } = journey
  await idp.clock.advance(61) // one mail a minute
  await visitor.visit(`${idp.issuer}/account/sakura/${place}`)
  if (press) await visitor.submit(...press)
  return journey
}

const atResetCode = async (): Promise<Journey> => {
  const journey = await holderAt(PAGE.password, [])
  const { visitor, member } = journey
  const [year = '', month = '', day = ''] = member.birthdate.split('-')
  await visitor.submit('forgot-password')
  await visitor.submit('reset-request', {
    username: member.loginId,
    era: 'seireki',
    year,
    month,
    day,
  })
  return journey
}

/** Six digits that no mail has, nor any app for long. */
const CODE = {
  shapeless: [{ code: '' }, { code: ' ' }, { code: '12345' }, { code: '1234567' }, { code: 'abc' }],
  wrong: { code: '000000' },
} as const
const PASS = {
  shapeless: [{ pass: '' }, { pass: '7K2M-9QXD' }, { pass: '番号です' }],
  wrong: { pass: '7K2M-9QXD-4TAE' },
  limit: 'deskPass',
} as const

const FORMS: readonly Form[] = [
  {
    where: 'the password page',
    reach: () => holderAt(PAGE.password, []),
    act: 'password',
    shapeless: [
      { username: 'nobody-1', password: '' },
      { username: 'nobody-1', password: 'x'.repeat(129) },
      { username: '', password: A_PASSWORD },
    ],
    wrong: { username: 'nobody-1', password: 'a-wrong-one' },
    limit: 'password',
  },
  {
    where: 'the birth date',
    reach: () => newcomerAt(PAGE.birthdate),
    act: 'birthdate',
    shapeless: [
      { era: '', year: '', month: '', day: '' },
      { era: 'seireki', year: '1985', month: '13', day: '1' },
      { era: 'showa', year: '64', month: '2', day: '1' },
    ],
    wrong: { era: 'seireki', year: '1911', month: '1', day: '1' },
    limit: 'birthdate',
  },
  {
    where: 'the code to a new address',
    reach: () => newcomerAt(PAGE.emailWait),
    act: 'email',
    ...CODE,
    limit: 'emailCode',
  },
  {
    where: 'the code of a sign-in',
    reach: () => holderAt(PAGE.emailCode, []),
    act: 'verifyFactor',
    ...CODE,
    limit: 'emailCode',
  },
  {
    where: 'the digits of an app',
    reach: () => holderAt(PAGE.verifyTotp, ['totp']),
    act: 'verifyFactor',
    ...CODE,
    limit: 'totpPerRequest',
  },
  {
    where: 'the digits of a new app',
    async reach() {
      const journey = await aJourneyOf(idp, aRegistrant(idp.clock.now(), 'totp'))
      await journey.start()
      await journey.walkTo(PAGE.registerTotp)
      return journey
    },
    act: 'registerFactor',
    ...CODE,
    limit: 'totpPerRequest',
  },
  {
    where: 'a recovery code',
    async reach() {
      const journey = await holderAt(PAGE.verifyTotp, ['totp', 'recoveryCode'])
      await journey.visitor.submit('use-method', { method: 'recoveryCode' })
      return journey
    },
    act: 'verifyFactor',
    shapeless: [{ code: '' }, { code: '7K2M' }, { code: '回復コード' }],
    wrong: { code: '7K2M-9QXD' },
    limit: 'recoveryCode',
  },
  {
    where: 'the desk’s pass in place of a lost phone',
    async reach() {
      const journey = await holderAt(PAGE.verifyTotp, ['totp'])
      await passFor(idp, journey.member)
      await journey.visitor.submit('lost-factor')
      return journey
    },
    act: 'desk-pass',
    ...PASS,
  },
  {
    where: 'the desk’s pass of a member who is stopped',
    async reach() {
      const blocked = { reason: 'emailChangeUndone', since: idp.clock.now() } as const
      const journey = await holderAt(PAGE.stopped, ['totp'], { blocked })
      await passFor(idp, journey.member)
      await journey.visitor.visit(journey.visitor.page.url)
      return journey
    },
    act: 'deskPass',
    ...PASS,
  },
  {
    where: 'the code of a forgotten password',
    reach: atResetCode,
    act: 'reset-code',
    ...CODE,
    limit: 'emailCode',
  },
  {
    where: 'the desk’s pass beside a new password',
    async reach() {
      const journey = await atResetCode()
      await passFor(idp, journey.member)
      await journey.visitor.submit('reset-code', { code: await journey.newestCode() })
      return journey
    },
    act: 'reset-password',
    shapeless: PASS.shapeless.map((fields) => ({ ...fields, password: NEW_PASSWORD })),
    wrong: { ...PASS.wrong, password: NEW_PASSWORD },
    limit: 'deskPass',
  },
  {
    where: 'the present password at the account page',
    reach: () => atAccount('password'),
    act: 'change',
    shapeless: [
      { current: '', password: NEW_PASSWORD },
      { current: 'x'.repeat(129), password: NEW_PASSWORD },
    ],
    wrong: { current: 'a-wrong-one', password: NEW_PASSWORD },
    limit: 'password',
  },
  {
    where: 'the code to the address on file, before it changes',
    reach: () => atAccount('email', ['change', { email: 'another@example.jp' }]),
    act: 'email',
    ...CODE,
    limit: 'emailCode',
  },
  {
    where: 'the code to a second address',
    reach: () => atAccount('second-email', ['add', { email: 'second@example.jp' }]),
    act: 'email',
    ...CODE,
    limit: 'emailCode',
  },
  {
    where: 'the digits of an app that is added',
    reach: () => atAccount('add-app'),
    act: 'registerFactor',
    ...CODE,
    limit: 'totpPerRequest',
  },
]

describe('What is no secret at all costs no try', () => {
  test.each(FORMS)('at $where', async ({ reach, act, shapeless, wrong, limit }) => {
    const { points } = LIMITS[limit]
    const { visitor } = await reach()
    const { heading } = visitor.page
    for (let tries = 0; tries < points; tries += 1) {
      const page = await visitor.submit(act, shapeless[tries % shapeless.length])
      expect([page.status, page.heading]).toEqual([422, heading])
      expect(page.faults).not.toEqual([])
      expect(page.faults.join()).not.toMatch(/あと\d+回/u)
    }
    const page = await visitor.submit(act, wrong)
    expect([page.status, page.heading]).toEqual([422, heading])
    expect(page.faults.join()).toContain(`あと${points - 1}回`)
  })
})
