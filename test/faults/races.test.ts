import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { holding, type Keyring, requestOptionsOn } from '../flows/keys.ts'
import { passFor } from '../flows/recovery-support.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  type Journey,
  NEW_PASSWORD,
  newestMail,
  PAGE,
  postAtOnce,
} from '../flows/support.ts'
import { appCode } from '../support/authenticator-app.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { linkIn } from '../support/smtp-sink.ts'

/** Ten take a minute and a half; fifty are for `KENPO_TEST_ROUNDS=50 npm test -- test/faults/races`. */
const ROUNDS = Number(process.env.KENPO_TEST_ROUNDS ?? 10)
const AT_ONCE = 20
const TIMEOUT_MS = 30_000 + ROUNDS * 10_000

/** Every single-use thing, sent twenty times at once to two instances on Redis and MongoDB. */
describe('Of twenty at once, over and over', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ store: 'redis+mongo', instances: 2 })
  }, 90_000)
  afterAll(() => idp.close())

  /** A member with these methods, asked for them in so many browsers. */
  const asked = async (
    methods: Parameters<typeof holding>[1],
    heading: string,
    browsers = 2,
  ): Promise<readonly Journey[]> => {
    const { member: unsaved, keys } = await holding(idp, methods, anOldHand(idp.clock.now()))
    const member = await idp.services.members.save(unsaved)
    const journeys: Journey[] = []
    for (let browser = 0; browser < browsers; browser += 1) {
      const journey = await aJourney(idp, member, { keys: { ...keys } as Keyring })
      await journey.start()
      await journey.walkTo(heading)
      journeys.push(journey)
    }
    return journeys
  }

  /** Posts one answer from all these browsers; it must have proven something exactly once. */
  const provesOnce = async (
    journeys: readonly Journey[],
    fields: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const [first] = journeys
    if (!first) throw new Error('nobody is asked')
    const urls = journeys.map(({ visitor }) => visitor.page.url)
    for (const status of await postAtOnce(journeys, 'verifyFactor', fields)) {
      expect([303, 422]).toContain(status)
    }
    const headings: string[] = []
    for (const [index, { visitor }] of journeys.entries()) {
      headings.push((await visitor.visit(urls[index] as URL)).heading)
    }
    expect(headings.filter((heading) => heading === PAGE.signedIn)).toHaveLength(1)
  }

  test(
    'one mailed code is taken once',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
        await journey.start()
        await journey.walkTo(PAGE.emailCode)
        await provesOnce([journey], { code: await journey.newestCode() })
      }
    },
    TIMEOUT_MS,
  )

  test(
    'one code of the app is taken once, over two requests',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const journeys = await asked(['totp'], PAGE.verifyTotp)
        const secret = journeys[0]?.keys.appSecret ?? Buffer.alloc(0)
        await provesOnce(journeys, { code: appCode(secret, idp.clock.now()) })
      }
    },
    TIMEOUT_MS,
  )

  test(
    'one answer to a passkey’s challenge is taken once',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const journeys = await asked(['passkey'], PAGE.verifyPasskey, 1)
        const [journey] = journeys
        const options = journey && requestOptionsOn(journey.visitor.page)
        const response = options && journey.keys.passkey?.authenticate(options)
        await provesOnce(journeys, { response: response ?? '' })
      }
    },
    TIMEOUT_MS,
  )

  test(
    'one recovery code is taken once, over two requests',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const journeys = await asked(['totp', 'recoveryCode'], PAGE.verifyTotp)
        for (const { visitor } of journeys) await visitor.submit('回復コード')
        const [code = ''] = journeys[0]?.keys.recoveryCodes ?? []
        await provesOnce(journeys, { code })
      }
    },
    TIMEOUT_MS,
  )

  test(
    'one pass of the desk is taken once, over two requests',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const journeys = await asked(['totp'], PAGE.verifyTotp)
        const [first] = journeys
        if (!first) throw new Error('nobody is asked')
        for (const { visitor } of journeys) await visitor.submit('lost-factor')
        await postAtOnce(journeys, 'desk-pass', { pass: await passFor(idp, first.member) })
        const events = await idp.services.audit.eventsOf(first.member.id)
        expect(events.filter(({ act }) => act === 'deskPassUsed')).toHaveLength(1)
        expect((await idp.memberOf(first.member)).deskPass).toBeUndefined()
      }
    },
    TIMEOUT_MS,
  )

  test(
    'one mailed link confirms an address once',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const journey = await aJourneyOf(idp, aNewcomer())
        await journey.start()
        await journey.walkTo(PAGE.emailWait)
        const before = await idp.memberOf(journey.member)
        const address = journey.member.email?.address ?? ''
        const link = linkIn(await newestMail(idp, address))
        const answers = await Promise.all(
          Array.from({ length: AT_ONCE }, () =>
            fetch(link, { method: 'POST', redirect: 'manual' }),
          ),
        )
        for (const { status } of answers) expect(status).toBeLessThan(500)
        const after = await idp.memberOf(journey.member)
        expect(after.email?.verifiedAt).toBe(idp.clock.now())
        expect(after.revision).toBe(before.revision + 1)
      }
    },
    TIMEOUT_MS,
  )

  test(
    'one change from the initial password is made once',
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const now = idp.clock.now()
        const { enrolledAt: _, ...unfinished } = anOldHand(now)
        const password = { ...unfinished.password, initial: 'random' as const }
        const journey = await aJourneyOf(idp, { ...unfinished, password })
        await journey.start()
        await journey.walkTo(PAGE.newPassword)
        const before = await idp.memberOf(journey.member)
        await postAtOnce([journey], 'newPassword', { password: NEW_PASSWORD })
        const after = await idp.memberOf(journey.member)
        expect(after.password.initial).toBeUndefined()
        expect(after.revision).toBe(before.revision + 1)
      }
    },
    TIMEOUT_MS,
  )

  const redeem = (code: string, verifier: string) => {
    const { clientId, clientSecret = '', redirectUri } = idp.client()
    const authorization = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    return fetch(`${idp.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${authorization}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    })
  }

  test(
    'one authorization code gives tokens once, and after the replay they are dead',
    async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start()
      await journey.finish()
      const verifier = 'a-verifier-of-forty-three-characters-or-more-1'
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      for (let round = 0; round < ROUNDS; round += 1) {
        const url = new URL(await journey.rp.authorizationUrl({ prompt: 'none' }))
        url.searchParams.set('code_challenge', challenge)
        const { url: callback } = await journey.visitor.visit(url)
        const code = callback.searchParams.get('code') ?? ''
        const answers = await Promise.all(
          Array.from({ length: AT_ONCE }, () => redeem(code, verifier)),
        )
        const won = answers.filter(({ status }) => status === 200)
        expect(won).toHaveLength(1)
        for (const answer of won) {
          const { access_token: token } = (await answer.json()) as { access_token: string }
          const info = await fetch(`${idp.issuer}/me`, {
            headers: { authorization: `Bearer ${token}` },
          })
          expect(info.status).toBe(401)
        }
      }
    },
    TIMEOUT_MS,
  )
})
