import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { holding, requestOptionsOn } from './keys.ts'
import { aJourneyOf, anOldHand, type Journey, PAGE, theDate } from './support.ts'

const NETWORK = 'さくら電機の社内ネットワーク'
const ONLY_MAIL = `${NETWORK}では、メールのコードだけ使えます`
/** An address in the company, and one outside. */
const OFFICE = '127.0.5.7'
const HOME = '127.0.9.7'
const MFA = 'https://refeds.org/profile/mfa'

describe('A network whose rule permits mail alone is named to the member who signs in there', () => {
  let idp: Idp
  beforeAll(async () => {
    const name = { ja: NETWORK, en: 'Sakura Electric office network' }
    const networks = [{ name, cidrs: ['127.0.5.0/24'], factors: ['emailCode'] }]
    idp = await startIdp({
      clock: theDate(),
      societies: [{ id: 'sakura', networks }],
      clients: [
        {
          client_id: 'strict-portal',
          client_name: '厳しいポータル',
          application_type: 'native',
          token_endpoint_auth_method: 'none',
          policy: { society: 'sakura', requiredAcr: MFA },
        },
      ],
    })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const from = async (
    address: string,
    methods: Parameters<typeof holding>[1],
    { clientId, language }: Readonly<{ clientId?: string; language?: string }> = {},
  ): Promise<Journey> => {
    const { member, keys } = await holding(idp, methods, anOldHand(idp.clock.now()))
    const visitor = aVisitor({ from: address, ...(language && { language }) })
    const journey = await aJourneyOf(idp, member, { keys, visitor, ...(clientId && { clientId }) })
    await journey.start()
    return journey
  }

  test('at the password page, as the reason why there is no passkey button', async () => {
    const { visitor } = await from(OFFICE, ['passkey'])
    expect(visitor.page.heading).toBe(PAGE.password)
    expect(visitor.page.root.querySelector('#passkey-options')).toBeNull()
    expect(visitor.page.text).toContain(`${NETWORK}では、組合の決まりにより、パスキーで`)
    const { visitor: atHome } = await from(HOME, ['passkey'])
    expect(requestOptionsOn(atHome.page).challenge).toBeTruthy()
    expect(atHome.page.text).not.toContain(NETWORK)
  })

  test.each([[['passkey']], [['totp', 'passkey']], [['totp', 'recoveryCode']]] as const)(
    'at the code by mail that stands in for %j',
    async (methods) => {
      const journey = await from(OFFICE, methods)
      const page = await journey.walkTo(PAGE.emailCode)
      expect(page.text).toContain(ONLY_MAIL)
      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe('urn:kenpo-id:acr:email')
    },
  )

  test('in the member’s language', async () => {
    const { visitor, member, password } = await from(OFFICE, ['passkey'], { language: 'en' })
    expect(visitor.page.text).toContain('On this network (Sakura Electric office network)')
    await visitor.submit('password', { username: member.loginId, password })
    expect(visitor.page.text).toContain(
      'On this network (Sakura Electric office network) you can use only: a code by email.',
    )
  })

  test('not to one whose own method is the mail', async () => {
    const journey = await from(OFFICE, [])
    expect((await journey.walkTo(PAGE.emailCode)).text).not.toContain(NETWORK)
  })

  test('where no code is enough for the application, with what to do', async () => {
    const journey = await from(OFFICE, ['passkey'], { clientId: 'strict-portal' })
    const page = await journey.walkTo(PAGE.stopped)
    expect(page.status).toBe(403)
    expect(page.text).toContain(`${NETWORK}で使える認証方法では、このサービスにログインできません`)
    expect(page.text).toContain('ほかのネットワークから、もう一度ログインしてください')

    const home = await from(HOME, ['passkey'], { clientId: 'strict-portal' })
    await home.walkTo(PAGE.verifyPasskey)
    expect((await home.finish()).claims()?.acr).toBe('phr')
  })
})
