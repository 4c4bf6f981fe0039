import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { holding, recoveryCodesOn } from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  anOldHand,
  aRegistrant,
  csrfOf,
  type Journey,
  mailsTo,
  PAGE,
  postAtOnce,
  settled,
  theDate,
} from './support.ts'

const WRONG = 'コードが違うか、使用済みです'
const MANY = '回数が多いため'

const fullWidth = (text: string): string =>
  text.replace(/[0-9A-Z-]/gu, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0))

describe('Recovery codes', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate(), env: { IDP_TRUSTED_PROXY_HOPS: '1' } })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  type Holder = Readonly<{ member: Member; codes: readonly string[] }>

  /** A member with an app and so many of their ten codes. */
  const aHolder = async (left = 10): Promise<Holder> => {
    const base = anOldHand(idp.clock.now())
    const { member, keys } = await holding(idp, ['totp', 'recoveryCode'], base)
    const credentials = member.credentials.map((credential) => {
      if (credential.factor !== 'recoveryCode') return credential
      // As the factor stores them, in the order shown.
      const data = credential.data as Readonly<{ hashes: readonly string[] }>
      return { ...credential, data: { ...data, hashes: data.hashes.slice(0, left) } }
    })
    const stored = await idp.services.members.save({ ...member, credentials })
    return { member: stored, codes: (keys.recoveryCodes ?? []).slice(0, left) }
  }

  /** The member at the page that asks for a recovery code. */
  const asked = async ({ member }: Holder, headers = {}): Promise<Journey> => {
    const journey = await aJourney(idp, member, { visitor: aVisitor({ headers }) })
    await journey.start()
    await journey.walkTo(PAGE.verifyTotp)
    const page = await journey.visitor.submit('use-method', { method: 'recoveryCode' })
    expect(page.heading).toBe(PAGE.verifyRecoveryCode)
    return journey
  }
  const type = ({ visitor }: Journey, code: string): Promise<Page> =>
    visitor.submit('verifyFactor', { code })
  const signInBy = async (holder: Holder, code: string): Promise<Page> =>
    type(await asked(holder), code)
  const proofsOf = ({ member }: Holder) =>
    idp.log.filter(({ msg, memberId }) => msg === 'second step proven' && memberId === member.id)
  const codeAt = ({ codes }: Holder, index: number): string => codes.at(index) ?? ''

  test('are ten, each another, to be printed, copied or saved, and shown until they are saved', async () => {
    const journey = await aJourneyOf(idp, aRegistrant(idp.clock.now(), 'totp'), { method: 'totp' })
    await journey.start()
    const page = await journey.walkTo(PAGE.recoveryCodes)
    expect(page.text).toContain('このコードは、まだ使えません')
    for (const none of ['前の回復コード', '前にこの画面で', '切り替える']) {
      expect(page.text).not.toContain(none)
    }
    const codes = recoveryCodesOn(page)
    expect(new Set(codes).size).toBe(10)
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/u)
    const file = page.root.querySelector('a[download]')?.getAttribute('href') ?? ''
    const text = decodeURIComponent(file)
    for (const code of codes) expect(text).toContain(code)
    expect(page.headers['cache-control']).toContain('no-store')
    expect(recoveryCodesOn(await journey.visitor.visit(page.url))).toEqual(codes)
    const done = await journey.visitor.submit('recoveryCodes', { saved: true })
    const later = [done, await journey.visitor.visit(page.url)]
    later.push(await journey.visitor.submit('done'))
    later.push(await journey.visitor.visit(`${idp.issuer}/account/sakura`))
    for (const one of later) {
      expect(codes.filter((code) => one.body.includes(code))).toEqual([])
    }
    const atRest = Object.values(await idp.stores.atRest()).join()
    for (const code of codes) {
      const bare = code.replace('-', '')
      expect([code, bare].filter((one) => atRest.includes(one))).toEqual([])
      expect(idp.log.filter((line) => JSON.stringify(line).includes(code))).toEqual([])
    }
  })

  test('stand for the app, in any order, each once, until three are left and ten new ones come', async () => {
    const holder = await aHolder()
    const order = [9, 0, 4, 7, 2, 5]
    for (const index of order) {
      const journey = await asked(holder)
      expect((await type(journey, codeAt(holder, index))).heading).toBe(PAGE.signedIn)
      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe('https://refeds.org/profile/mfa')
      expect(claims?.amr).toEqual(['pwd', 'otp', 'mfa'])
    }
    for (const index of order.slice(0, 3)) {
      const page = await signInBy(holder, codeAt(holder, index))
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(WRONG)
    }
    const journey = await asked(holder)
    expect(journey.visitor.page.text).toContain('4')
    const renewal = await type(journey, codeAt(holder, 1))
    expect(renewal.heading).toBe(PAGE.recoveryCodes)
    const fresh = recoveryCodesOn(renewal)
    expect(fresh).toHaveLength(10)
    expect(fresh.filter((code) => holder.codes.includes(code))).toEqual([])
    const saved = await journey.visitor.submit('recoveryCodes', { saved: true })
    expect(saved.heading).toBe(PAGE.signedIn)
    expect((await signInBy(holder, codeAt(holder, 3))).faults.join()).toContain(WRONG)
    expect((await signInBy(holder, fresh[5] ?? '')).heading).toBe(PAGE.signedIn)
  })

  test('new ones can wait: “later” goes on, the old still work, and the next sign-in offers again', async () => {
    const holder = await aHolder(4)
    const journey = await asked(holder)
    const { visitor } = journey
    const page = await type(journey, codeAt(holder, 0))
    expect(page.heading).toBe(PAGE.recoveryCodes)
    expect(page.text).toContain('あと3個')
    const offered = recoveryCodesOn(page)
    expect((await visitor.submit('codes-later')).heading).toBe(PAGE.signedIn)
    expect((await journey.finish()).claims()?.amr).toEqual(['pwd', 'otp', 'mfa'])

    // This session is not asked again, and no application learns of it.
    expect((await journey.start()).heading).toBe(PAGE.signedIn)
    const silent = await journey.start({ prompt: 'none' })
    expect(silent.url.searchParams.has('code')).toBe(true)

    await idp.clock.advance(61)
    const later = await asked(holder)
    expect((await type(later, offered[0] ?? '')).faults.join()).toContain(WRONG)
    const again = await type(later, codeAt(holder, 1))
    expect(again.heading).toBe(PAGE.recoveryCodes)
    expect(again.text).toContain('あと2個')
    expect(recoveryCodesOn(again)).not.toEqual(offered)
    await later.visitor.submit('recoveryCodes', { saved: true })
    expect(later.visitor.page.heading).toBe(PAGE.signedIn)
    expect((await signInBy(holder, codeAt(holder, 2))).faults.join()).toContain(WRONG)
  })

  test('the first ones cannot wait: a method without any may be lost for good', async () => {
    const base = anOldHand(idp.clock.now(), { recoveryCodesDue: true })
    const { member, keys } = await holding(idp, ['totp'], base)
    const journey = await aJourneyOf(idp, member, { keys })
    await journey.start()
    const page = await journey.walkTo(PAGE.recoveryCodes)
    expect(page.root.querySelector('form[action$="codes-later"]')).toBeNull()
    const { visitor } = journey
    const forced = await visitor.post(`${page.url.href}/codes-later`, { csrf: csrfOf(page) })
    expect(forced.heading).toBe(PAGE.recoveryCodes)
    expect(recoveryCodesOn(forced)).toEqual(recoveryCodesOn(page))
  })

  test('new ones that were not saved are asked about again at the next sign-in, and the old still work', async () => {
    const holder = await aHolder(4)
    const journey = await asked(holder)
    expect((await type(journey, codeAt(holder, 0))).heading).toBe(PAGE.recoveryCodes)
    expect(journey.visitor.page.text).toContain('それまでは、前の回復コードが使えます')
    expect(journey.visitor.page.text).not.toContain('前にこの画面で別のコード')
    // The member closes the page; three old codes are left.
    const later = await asked(holder)
    const page = await type(later, codeAt(holder, 1))
    expect(page.heading).toBe(PAGE.recoveryCodes)
    expect(page.text).toContain(
      '前にこの画面で別のコードを印刷・保存したときは、そのコードは使えません',
    )
    expect(page.text).toContain('このコードに切り替える')
    expect((await later.visitor.submit('recoveryCodes', { saved: true })).heading).toBe(
      PAGE.signedIn,
    )
  })

  test('the last one works, and is followed by ten new ones', async () => {
    const holder = await aHolder(1)
    const journey = await asked(holder)
    const page = await type(journey, codeAt(holder, 0))
    expect(page.heading).toBe(PAGE.recoveryCodes)
    expect(recoveryCodesOn(page)).toHaveLength(10)
    expect((await journey.finish()).claims()?.amr).toEqual(['pwd', 'otp', 'mfa'])
    expect((await signInBy(holder, codeAt(holder, 0))).faults.join()).toContain(WRONG)
  })

  test('the use of one is told by mail, with how many are left', async () => {
    const holder = await aHolder()
    await signInBy(holder, codeAt(holder, 6))
    await settled(idp)
    const told = mailsTo(idp, holder.member.email?.address ?? '').filter(({ subject }) =>
      subject.includes('回復コード'),
    )
    expect(told).toHaveLength(1)
    expect(told[0]?.text).toContain('9')
    for (const code of holder.codes) expect(told[0]?.text).not.toContain(code)
  })

  test.each([
    ['small letters', (code: string) => code.toLowerCase()],
    ['no hyphen', (code: string) => code.replace('-', '')],
    ['spaces', (code: string) => ` ${code.slice(0, 4)} ${code.slice(5)} `],
    ['full width', fullWidth],
    ['a long dash', (code: string) => code.replace('-', 'ー')],
  ])('may be typed with %s', async (_how, spell) => {
    const holder = await aHolder()
    expect((await signInBy(holder, spell(codeAt(holder, 2)))).heading).toBe(PAGE.signedIn)
  })

  test.each(['', '7K2M', '7K2M-9QXD-7K2M', '000000', '<b>-9QXD', 'UUUU-IIII'])(
    '%j is none, and is told so',
    async (typed) => {
      const holder = await aHolder()
      const page = await signInBy(holder, typed)
      expect(page.status).toBe(422)
      expect(page.faults).toHaveLength(1)
      expect(proofsOf(holder)).toEqual([])
    },
  )

  test('another member’s are wrong', async () => {
    const [holder, other] = [await aHolder(), await aHolder()]
    expect((await signInBy(holder, codeAt(other, 0))).faults.join()).toContain(WRONG)
    expect((await signInBy(other, codeAt(other, 0))).heading).toBe(PAGE.signedIn)
  })

  test('twenty posts of one over two requests at once sign one of them in', async () => {
    for (let round = 0; round < 5; round += 1) {
      const holder = await aHolder()
      const both = [await asked(holder), await asked(holder)]
      const urls = both.map(({ visitor }) => visitor.page.url)
      const code = codeAt(holder, round)
      for (const status of await postAtOnce(both, 'verifyFactor', { code })) {
        expect([303, 422]).toContain(status)
      }
      const headings: string[] = []
      for (const [index, { visitor }] of both.entries()) {
        headings.push((await visitor.visit(urls[index] as URL)).heading)
      }
      expect(headings.sort()).toEqual([PAGE.signedIn, PAGE.verifyRecoveryCode].sort())
    }
  })

  test('five wrong ones are followed by a pause, which no new request lifts', async () => {
    const holder = await aHolder()
    const journey = await asked(holder)
    for (let tries = 1; tries <= 5; tries += 1) {
      const page = await type(journey, `ZZZZ-ZZZ${tries}`)
      expect(page.faults.join()).toContain(tries < 5 ? WRONG : MANY)
      expect(page.faults.join()).toContain(tries < 5 ? `あと${5 - tries}回` : '過ぎてから')
    }
    for (const one of [journey, await asked(holder)]) {
      const page = await type(one, codeAt(holder, 0))
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(MANY)
    }
    expect(proofsOf(holder)).toEqual([])
    await idp.clock.advance(901)
    expect((await signInBy(holder, codeAt(holder, 0))).heading).toBe(PAGE.signedIn)
  })

  test('are no way round a network that permits e-mail codes only', async () => {
    const holder = await aHolder()
    const visitor = aVisitor({ headers: { 'X-Forwarded-For': '192.0.2.9' } })
    const journey = await aJourney(idp, holder.member, { visitor })
    await journey.start()
    const page = await journey.walkTo(PAGE.emailCode)
    expect(page.root.querySelector('input[value="recoveryCode"]')).toBeNull()
    const csrf = page.root.querySelector('[name=csrf]')?.getAttribute('value') ?? ''
    await visitor.post(`${page.url.href}/use-method`, { csrf, method: 'recoveryCode' })
    expect(visitor.page.heading).toBe(PAGE.emailCode)
    const typed = await visitor.post(`${page.url.href}/verifyFactor`, {
      csrf,
      code: codeAt(holder, 0),
    })
    expect(typed.heading).toBe(PAGE.emailCode)
    expect(proofsOf(holder)).toEqual([])
  })
})
