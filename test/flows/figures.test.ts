import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { LIMITS } from '../../accounts/throttle.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { holding } from './keys.ts'
import { aJourneyOf, anOldHand, PAGE, theDate } from './support.ts'

describe('What the operator sees of sign-ins in the figures', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp?.close()
    jest.useRealTimers()
  })

  /** The sum of a figure's series with all these labels. */
  const figure = async (name: string, ...labels: readonly string[]): Promise<number> =>
    (await idp.figures())
      .split('\n')
      .filter((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)

  const refused = (method: string) =>
    figure('idp_login_total{', `method="${method}"`, 'result="refused"')

  test('passwords being guessed show as lockouts, which the alarm asks for', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { password: 'a wrong one' })
    await journey.start()
    for (let tries = 0; tries < LIMITS.password.points; tries += 1) await journey.answer()
    expect(await figure('idp_lockout_total')).toBe(0)
    await journey.answer()
    await journey.answer()
    expect(await figure('idp_lockout_total')).toBe(2)
    expect(await figure('idp_rate_limited_total{', 'rule="password"')).toBeGreaterThanOrEqual(2)
    expect(await refused('password')).toBe(LIMITS.password.points)
  })

  test('a mailed code counts under one name, refused or taken', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    await journey.walkTo(PAGE.emailCode)
    const right = await journey.newestCode()
    const wrong = right === '123456' ? '654321' : '123456'
    for (const code of [wrong, '12345', 'abcdef']) {
      await journey.visitor.submit('verifyFactor', { code })
    }
    await journey.finish()
    expect(await refused('emailCode')).toBe(3)
    expect(await figure('idp_login_total{', 'method="emailCode"', 'result="ok"')).toBe(1)
  })

  test('an app’s code counts as the app’s, whatever is wrong about it', async () => {
    const { member, keys } = await holding(idp, ['totp'], anOldHand(idp.clock.now()))
    const journey = await aJourneyOf(idp, member, { keys })
    const mailed = await refused('emailCode')
    await journey.start()
    await journey.walkTo(PAGE.verifyTotp)
    const { visitor } = journey
    for (const code of ['12345', 'abcdef', '']) await visitor.submit('verifyFactor', { code })
    const sixDigits = LIMITS.totpPerRequest.points + 1
    for (let tries = 0; tries < sixDigits; tries += 1) {
      await visitor.submit('verifyFactor', { code: '000000' })
    }
    expect(visitor.page.status).toBe(422)
    expect(await refused('totp')).toBe(3 + sixDigits)
    expect(await refused('emailCode')).toBe(mailed)
    expect(await figure('idp_rate_limited_total{', 'rule="totpPerRequest"')).toBeGreaterThan(0)
    expect(await idp.figures()).not.toMatch(/rule="[^"]*\+/u)
    expect(await idp.figures()).not.toContain('method="code"')
  })
})
