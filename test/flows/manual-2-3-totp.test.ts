import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import jsqr from 'jsqr'
import { PNG } from 'pngjs'
import type { Member } from '../../accounts/member.ts'
import { countersOf } from '../../cli/counters.ts'
import { appCode } from '../support/authenticator-app.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { holding, secretOf, typedKeyOn } from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  aRegistrant,
  type Journey,
  mailsTo,
  PAGE,
  postAtOnce,
  settled,
  theDate,
} from './support.ts'

const WRONG = '数字が違います'
const USED = 'この数字は使用済みです'
const SKEW = '端末の時刻がずれています'
const MANY = '回数が多いため'
const RESTART = '「健康ポータルへ戻る」を押して、もう一度ログイン'

const fullWidth = (digits: string): string =>
  digits.replace(/\d/gu, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))

/** Six digits that are no code of the secret's near that time. */
const notACode = (secret: Buffer, now: number, by = 1): string => {
  const near = Array.from({ length: 61 }, (_, step) => appCode(secret, now + (step - 30) * 30))
  let code = Number(near[30]) + by
  while (near.includes(String(code % 1_000_000).padStart(6, '0'))) code += 7
  return String(code % 1_000_000).padStart(6, '0')
}

const uriOn = ({ root }: Page): string =>
  root.querySelector('main a[href^="otpauth:"]')?.getAttribute('href') ?? ''

/** What a camera reads off the page's picture. */
const qrOn = ({ root }: Page): string | undefined => {
  const source = root.querySelector('img.qr')?.getAttribute('src') ?? ''
  const { data, width, height } = PNG.sync.read(Buffer.from(source.split(',')[1] ?? '', 'base64'))
  const pixels = new Uint8ClampedArray(data)
  return jsqr.default(pixels, width, height, { inversionAttempts: 'dontInvert' })?.data
}

describe('The manual’s chapters 2-3 to 2-5, the authenticator app', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** At the page that registers the app, at the end of a first login. */
  const registering = async (member = aRegistrant(idp.clock.now(), 'totp')): Promise<Journey> => {
    const journey = await aJourneyOf(idp, member, { method: 'totp' })
    await journey.start()
    await journey.walkTo(PAGE.registerTotp)
    return journey
  }
  const type = (journey: Journey, code: string) =>
    journey.visitor.submit('registerFactor', { code })

  /** A member with an app, past the password. */
  const asked = async (): Promise<Journey & { readonly secret: Buffer }> => {
    const { member, keys } = await holding(idp, ['totp'], anOldHand(idp.clock.now()))
    const journey = await aJourneyOf(idp, member, { keys })
    await journey.start()
    await journey.walkTo(PAGE.verifyTotp)
    return Object.assign(journey, { secret: keys.appSecret ?? Buffer.alloc(0) })
  }
  const verify = (journey: Journey, code: string) =>
    journey.visitor.submit('verifyFactor', { code })

  const appsOf = async ({ member }: Journey) =>
    (await idp.memberOf(member)).credentials.filter(({ factor }) => factor === 'totp')
  const provenBy = ({ member }: Journey) =>
    idp.log.filter(({ msg, memberId }) => msg === 'second step proven' && memberId === member.id)

  describe('registered', () => {
    test('by QR, by link or by typing: one secret on one page, and everything an app asks for', async () => {
      const journey = await registering()
      const { page } = journey.visitor
      const uri = new URL(uriOn(page))
      expect(qrOn(page)).toBe(uri.href)
      const typed = typedKeyOn(page)
      expect(typed).toMatch(/^(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}$/u)
      expect(uri.searchParams.get('secret')).toBe(typed.replaceAll(' ', ''))
      expect(Object.fromEntries(uri.searchParams)).toMatchObject({
        issuer: 'さくら健康保険組合',
        algorithm: 'SHA1',
        digits: '6',
        period: '30',
      })
      const { loginId } = journey.member
      expect(decodeURIComponent(uri.pathname)).toContain(`さくら健康保険組合:${loginId}`)
      expect(page.text).toContain(loginId)
      const saved = page.root.querySelector('a[download$=".png"]')
      expect(saved?.getAttribute('href')).toBe(
        page.root.querySelector('img.qr')?.getAttribute('src'),
      )
      expect(page.headers['cache-control']).toContain('no-store')
    })

    test('by one code: recovery codes, all is set, and the portal is told mfa', async () => {
      const journey = await registering(aNewcomer())
      const secret = secretOf(typedKeyOn(journey.visitor.page))
      const page = await type(journey, appCode(secret, idp.clock.now()))
      expect(page.heading).toBe(PAGE.recoveryCodes)
      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe('https://refeds.org/profile/mfa')
      expect(claims?.amr).toEqual(['pwd', 'otp', 'mfa'])
      expect(await appsOf(journey)).toHaveLength(1)
      await settled(idp)
      const told = mailsTo(idp, journey.member.email?.address ?? '').filter(({ subject }) =>
        subject.includes('追加'),
      )
      expect(told).toHaveLength(2)
    })

    test('with the same secret through wrong codes, reloads and a second tab', async () => {
      const journey = await registering()
      const { visitor } = journey
      const key = typedKeyOn(visitor.page)
      const secret = secretOf(key)
      const wrong = await type(journey, notACode(secret, idp.clock.now()))
      expect(wrong.status).toBe(422)
      expect(wrong.faults.join()).toContain(WRONG)
      expect(wrong.faults.join()).toContain('あと4回')
      const shown = [wrong, await visitor.visit(wrong.url), await visitor.visit(wrong.url)]
      for (const page of shown) {
        expect(typedKeyOn(page)).toBe(key)
        expect(qrOn(page)).toBe(uriOn(shown[0] as Page))
      }
      expect((await type(journey, appCode(secret, idp.clock.now()))).heading).toBe(
        PAGE.recoveryCodes,
      )
    })

    test.each([
      ['full-width digits', fullWidth],
      ['a space between', (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`],
      ['an ideographic space around', (code: string) => `　${code}　`],
      ['a hyphen', (code: string) => `${code.slice(0, 3)}-${code.slice(3)}`],
    ])('by a code in %s', async (_how, spell) => {
      const journey = await registering()
      const secret = secretOf(typedKeyOn(journey.visitor.page))
      const page = await type(journey, spell(appCode(secret, idp.clock.now())))
      expect(page.heading).toBe(PAGE.recoveryCodes)
    })

    test.each([-1, 0, 1])(
      'by the code of the step %i from now, and of none further',
      async (step) => {
        const journey = await registering()
        const secret = secretOf(typedKeyOn(journey.visitor.page))
        const far = await type(journey, appCode(secret, idp.clock.now() + (step < 0 ? -60 : 60)))
        expect(far.faults.join()).toContain(SKEW)
        const page = await type(journey, appCode(secret, idp.clock.now() + 30 * step))
        expect(page.heading).toBe(PAGE.recoveryCodes)
      },
    )

    test.each(['', '12345', '1234567', 'abcdef', '+12345', '39xxxx'])(
      'never by %j, which costs no try',
      async (typed) => {
        const journey = await registering()
        const secret = secretOf(typedKeyOn(journey.visitor.page))
        const page = await type(journey, typed)
        expect(page.status).toBe(422)
        expect(page.faults).toHaveLength(1)
        const wrong = await type(journey, notACode(secret, idp.clock.now()))
        expect(wrong.faults.join()).toContain('あと4回')
        expect(await appsOf(journey)).toEqual([])
      },
    )

    test('with five tries; then even the right code needs another request, to which a button leads', async () => {
      const journey = await registering()
      const secret = secretOf(typedKeyOn(journey.visitor.page))
      for (let tries = 1; tries <= 5; tries += 1) {
        const page = await type(journey, notACode(secret, idp.clock.now(), tries))
        expect(page.faults.join()).toContain(tries < 5 ? `あと${5 - tries}回` : RESTART)
      }
      const page = await type(journey, appCode(secret, idp.clock.now()))
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(RESTART)
      expect(page.root.querySelector('.sum button[form="form-abort"]')).not.toBeNull()
      expect(await appsOf(journey)).toEqual([])
    })

    test('twenty times at once: one app', async () => {
      for (let round = 0; round < 3; round += 1) {
        const journey = await registering()
        const { url } = journey.visitor.page
        const secret = secretOf(typedKeyOn(journey.visitor.page))
        const code = appCode(secret, idp.clock.now())
        for (const status of await postAtOnce([journey], 'registerFactor', { code })) {
          expect([303, 422]).toContain(status)
        }
        expect(await appsOf(journey)).toHaveLength(1)
        expect((await journey.visitor.visit(url)).heading).toBe(PAGE.recoveryCodes)
      }
    })

    test('in two requests: each has its own secret, and one app is registered', async () => {
      const journey = await registering()
      await idp.clock.advance(61) // one mail a minute
      const other = await aJourney(idp, journey.member, {
        password: journey.password,
        method: 'totp',
      })
      await other.start()
      await other.walkTo(PAGE.registerTotp)
      const first = typedKeyOn(journey.visitor.page)
      const second = typedKeyOn(other.visitor.page)
      expect(second).not.toBe(first)
      await type(journey, appCode(secretOf(first), idp.clock.now()))
      const late = await type(other, appCode(secretOf(second), idp.clock.now()))
      expect(late.heading).not.toBe(PAGE.recoveryCodes)
      expect(await appsOf(journey)).toHaveLength(1)
    })

    test('and its code is not good for the next sign-in', async () => {
      const journey = await registering()
      await journey.finish()
      const later = await aJourney(idp, journey.member, {
        password: journey.password,
        keys: journey.keys,
      })
      await later.start()
      await later.walkTo(PAGE.verifyTotp)
      const secret = journey.keys.appSecret ?? Buffer.alloc(0)
      const replayed = await verify(later, appCode(secret, idp.clock.now()))
      expect(replayed.status).toBe(422)
      expect(replayed.faults.join()).toContain(USED)
      await idp.clock.advance(30)
      expect((await verify(later, appCode(secret, idp.clock.now()))).heading).toBe(PAGE.signedIn)
    })
  })

  describe('at a sign-in', () => {
    test('a code leads to the portal, which is told mfa', async () => {
      const journey = await asked()
      const code = appCode(journey.secret, idp.clock.now())
      const page = await verify(journey, ` ${fullWidth(code.slice(0, 3))}　${code.slice(3)}`)
      expect(page.heading).toBe(PAGE.signedIn)
      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe('https://refeds.org/profile/mfa')
      expect(claims?.amr).toEqual(['pwd', 'otp', 'mfa'])
    })

    test('a code is good once, and no older one after it', async () => {
      const journey = await asked()
      const now = idp.clock.now()
      expect((await verify(journey, appCode(journey.secret, now))).heading).toBe(PAGE.signedIn)
      const other = await aJourney(idp, journey.member)
      await other.start()
      await other.walkTo(PAGE.verifyTotp)
      for (const at of [now, now - 30]) {
        const page = await verify(other, appCode(journey.secret, at))
        expect(page.status).toBe(422)
        expect(page.faults.join()).toContain(USED)
      }
      expect((await verify(other, appCode(journey.secret, now + 30))).heading).toBe(PAGE.signedIn)
    })

    test('twenty posts of one code over two requests at once sign one of them in', async () => {
      for (let round = 0; round < 5; round += 1) {
        const journey = await asked()
        const other = await aJourney(idp, journey.member)
        await other.start()
        await other.walkTo(PAGE.verifyTotp)
        const both = [journey, other]
        const urls = both.map(({ visitor }) => visitor.page.url)
        const code = appCode(journey.secret, idp.clock.now())
        for (const status of await postAtOnce(both, 'verifyFactor', { code })) {
          expect([303, 422]).toContain(status)
        }
        const headings: string[] = []
        for (const [index, { visitor }] of both.entries()) {
          headings.push((await visitor.visit(urls[index] as URL)).heading)
        }
        expect(headings.sort()).toEqual([PAGE.signedIn, PAGE.verifyTotp].sort())
      }
    })

    test('a slow clock is told, a fast one is not: it would name a code to come', async () => {
      const journey = await asked()
      const now = idp.clock.now()
      const slow = await verify(journey, appCode(journey.secret, now - 150))
      expect(slow.faults.join()).toContain(SKEW)
      const fast = await verify(journey, appCode(journey.secret, now + 150))
      expect(fast.faults.join()).toContain(WRONG)
      expect(fast.faults.join()).toContain('時刻')
      expect(provenBy(journey)).toEqual([])
    })

    test.each([
      ['a pause', () => idp.clock.advance(1801)],
      [
        'the desk',
        async (member: Member) => {
          const { settings, throttle } = idp.services
          for (const [limit, key] of countersOf(settings, member)) await throttle.forget(limit, key)
        },
      ],
    ])(
      'five wrong codes end the request’s tries, ten the member’s, and %s mends it',
      async (_, mend) => {
        const journey = await asked()
        const wrongs = async (one: Journey, then: string) => {
          for (let tries = 1; tries <= 5; tries += 1) {
            const page = await verify(one, notACode(journey.secret, idp.clock.now(), tries))
            expect(page.faults.join()).toContain(tries < 5 ? WRONG : then)
          }
          const page = await verify(one, appCode(journey.secret, idp.clock.now()))
          expect(page.status).toBe(422)
          expect(page.faults.join()).toContain(then)
        }
        await wrongs(journey, RESTART)
        const other = await aJourney(idp, journey.member)
        await other.start()
        await other.walkTo(PAGE.verifyTotp)
        await wrongs(other, MANY)
        const third = await aJourney(idp, journey.member)
        await third.start()
        await third.walkTo(PAGE.verifyTotp)
        const paused = await verify(third, appCode(journey.secret, idp.clock.now()))
        expect(paused.faults.join()).toContain(MANY)
        await mend(journey.member)
        expect((await verify(third, appCode(journey.secret, idp.clock.now()))).heading).toBe(
          PAGE.signedIn,
        )
      },
    )

    test('another member’s code is wrong', async () => {
      const journey = await asked()
      const other = await asked()
      const page = await verify(journey, appCode(other.secret, idp.clock.now()))
      expect(page.status).toBe(422)
      expect(provenBy(journey)).toEqual([])
    })
  })

  test('the secret is on no later page, in no log line and nowhere at rest', async () => {
    const journey = await registering()
    const { visitor } = journey
    const key = typedKeyOn(visitor.page)
    const secret = secretOf(key)
    journey.keys.appSecret = secret
    const spellings = [
      ...[key, key.replaceAll(' ', ''), key.replaceAll(' ', '').toLowerCase()],
      ...[secret.toString('hex'), secret.toString('base64'), secret.toString('base64url')],
    ]
    const atRest = async () => Object.values(await idp.stores.atRest()).join()
    const isIn = (text: string) =>
      [...spellings, secret.toString('latin1')].filter((one) => text.includes(one))
    expect(isIn(visitor.page.body)).not.toEqual([])
    expect(isIn(await atRest())).toEqual([])

    const registered = await type(journey, appCode(secret, idp.clock.now()))
    const pages = [registered, await visitor.submit('recoveryCodes', { saved: true })]
    pages.push(await visitor.submit('done'))
    const { page } = visitor
    pages.push(await visitor.visit(registered.url))
    pages.push(await visitor.visit(`${registered.url.href}/registerFactor`))
    pages.push(await visitor.visit(`${idp.issuer}/account/sakura`))
    const later = await aJourney(idp, journey.member, {
      password: journey.password,
      keys: journey.keys,
    })
    await idp.clock.advance(30)
    await later.start()
    pages.push(await later.walkTo(PAGE.verifyTotp))
    pages.push(await later.walkTo(PAGE.signedIn))
    for (const one of pages) expect([one.heading, isIn(one.body)]).toEqual([one.heading, []])
    expect(page.url.href).toContain('code=')
    expect(isIn(await atRest())).toEqual([])
    await settled(idp)
    for (const mail of idp.mails.mails) expect(isIn(JSON.stringify(mail))).toEqual([])
    for (const line of idp.log) expect(isIn(JSON.stringify(line))).toEqual([])
  })
})
