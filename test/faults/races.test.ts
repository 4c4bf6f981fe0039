import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { hash as argon2 } from '@node-rs/argon2'
import { flowKey } from '../../interactions/flow.ts'
import type { FlowFacts } from '../../interactions/step.ts'
import { holding, type Keyring, requestOptionsOn } from '../flows/keys.ts'
import { passFor } from '../flows/recovery-support.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  countedOf,
  csrfOf,
  type Journey,
  NEW_PASSWORD,
  newestMail,
  PAGE,
  settled,
  theDate,
} from '../flows/support.ts'
import { type Answer, type Post, postAtOnce } from '../support/at-once.ts'
import { appCode } from '../support/authenticator-app.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { invariantsOf } from '../support/invariants.ts'
import { thisMoment } from '../support/moment.ts'
import { linkIn } from '../support/smtp-sink.ts'

const ROUNDS = Number(process.env.KENPO_TEST_ROUNDS ?? 50)
const AT_ONCE = 20
const INSTANCES = 2
const TIMEOUT_MS = 60_000 + ROUNDS * 5000

const CLIENT = {
  client_id: 'app-on-the-phone',
  client_name: 'スマートフォンのアプリ',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
} as const

/** A hash that is held against what was typed at next to no cost, which is the hash's own. */
const cheaply = (secret: string): Promise<string> =>
  argon2(secret, { algorithm: 2, memoryCost: 8, timeCost: 1 })

/**
 * Every single-use thing, sent twenty times at once to two instances on Redis and MongoDB, over and
 * over: a member is led up to it once, and after each round brought back to that very moment.
 */
describe('Of twenty at once, over and over', () => {
  let idp: Idp
  beforeAll(async () => {
    // However long the rounds take, what is raced for is as old as in the first.
    const clock = theDate()
    idp = await startIdp({ clock, store: 'redis+mongo', instances: INSTANCES, clients: [CLIENT] })
  }, 90_000)
  afterAll(async () => {
    jest.useRealTimers()
    await idp.close()
  })

  /** Once per round, from the same moment on; afterwards nothing is left half done. */
  const rounds = async (
    journey: Pick<Journey, 'member'>,
    round: () => Promise<void>,
  ): Promise<void> => {
    await settled(idp)
    const moment = await thisMoment(idp, journey.member)
    try {
      for (let number = 1; number <= ROUNDS; number += 1) {
        await moment.again()
        await round()
      }
      expect(await invariantsOf(idp).broken()).toEqual([])
    } finally {
      moment.close()
    }
  }

  /** A member with these methods, asked for them in so many browsers. */
  const asked = async (
    methods: Parameters<typeof holding>[1],
    heading: string,
    browsers = 2,
  ): Promise<readonly [Journey, ...Journey[]]> => {
    const { member: unsaved, keys } = await holding(idp, methods, anOldHand(idp.clock.now()))
    const member = await idp.services.members.save(unsaved)
    const at = async () => {
      const journey = await aJourney(idp, member, { keys: { ...keys } as Keyring })
      await journey.start()
      await journey.walkTo(heading)
      return journey
    }
    const journeys: [Journey, ...Journey[]] = [await at()]
    while (journeys.length < browsers) journeys.push(await at())
    return journeys
  }

  /** Twenty posts of one form, shared between these browsers, each as its page stands. */
  const atOnce = async (
    journeys: readonly Journey[],
    act: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<readonly Answer[]> => {
    const forms = journeys.map(({ visitor: { page, jar } }) => ({
      address: `${page.url.href}/${act}`,
      headers: { cookie: jar.getCookieStringSync(page.url.href), 'Sec-Fetch-Site': 'same-origin' },
      fields: { csrf: csrfOf(page), counted: countedOf(page), ...fields },
    }))
    const answers = await postAtOnce(idp, forms, AT_ONCE)
    expect(answers).toHaveLength(AT_ONCE)
    for (const { status } of answers) expect([303, 422]).toContain(status)
    return answers
  }

  const flowOf = ({ visitor }: Journey): Promise<FlowFacts | undefined> =>
    idp.services.transient.get(flowKey(visitor.page.url.pathname.split('/').at(-1) ?? ''))

  /** Posts one answer from all these browsers; in one of them it has proven something, and one
   * authorization request goes on to the relying party. */
  const provesOnce = async (
    journeys: readonly Journey[],
    fields: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const answers = await atOnce(journeys, 'verifyFactor', fields)
    const onward = answers.flatMap(({ location }) =>
      location.includes('/auth/') ? [location] : [],
    )
    expect(new Set(onward).size).toBe(1)
    const flows = await Promise.all(journeys.map(flowOf))
    const proven = flows.map((flow) => (flow?.proofs ?? []).map(({ factor }) => factor))
    expect(proven.filter((factors) => factors.length === 2)).toHaveLength(1)
    // In one browser too: of one answer, one proof.
    if (journeys.length === 1) expect(onward).toHaveLength(1)
  }

  test(
    'one mailed code is taken once',
    async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start()
      await journey.walkTo(PAGE.emailCode)
      const code = await journey.newestCode()
      await rounds(journey, () => provesOnce([journey], { code }))
    },
    TIMEOUT_MS,
  )

  test(
    'one code of the app is taken once, over two requests',
    async () => {
      const journeys = await asked(['totp'], PAGE.verifyTotp)
      const [first] = journeys
      const code = appCode(first.keys.appSecret ?? Buffer.alloc(0), idp.clock.now())
      await rounds(first, () => provesOnce(journeys, { code }))
    },
    TIMEOUT_MS,
  )

  test(
    'one answer to a passkey’s challenge is taken once',
    async () => {
      const [journey] = await asked(['passkey'], PAGE.verifyPasskey, 1)
      const response = journey.keys.passkey?.authenticate(requestOptionsOn(journey.visitor.page))
      await rounds(journey, () => provesOnce([journey], { response: response ?? '' }))
    },
    TIMEOUT_MS,
  )

  test(
    'one recovery code is taken once, over two requests',
    async () => {
      const journeys = await asked(['totp', 'recoveryCode'], PAGE.verifyTotp)
      const [first] = journeys
      for (const { visitor } of journeys) await visitor.submit('回復コード')
      const [code = ''] = first.keys.recoveryCodes ?? []
      await rounds(first, () => provesOnce(journeys, { code }))
    },
    TIMEOUT_MS,
  )

  test(
    'one pass of the desk is taken once, over two requests',
    async () => {
      const journeys = await asked(['totp'], PAGE.verifyTotp)
      const [first] = journeys
      for (const { visitor } of journeys) await visitor.submit('lost-factor')
      const pass = await passFor(idp, first.member)
      const { deskPass, ...holder } = await idp.memberOf(first.member)
      const hash = await cheaply(pass.replaceAll('-', ''))
      await idp.services.members.save({
        ...holder,
        ...(deskPass && { deskPass: { ...deskPass, hash } }),
      })
      const used = () => idp.log.filter(({ msg }) => String(msg).startsWith('desk pass used'))
      await rounds(first, async () => {
        const before = used().length
        await atOnce(journeys, 'desk-pass', { pass })
        expect(used()).toHaveLength(before + 1)
        expect((await idp.memberOf(first.member)).deskPass).toBeUndefined()
        const pages = await Promise.all(
          journeys.map(({ visitor }) => visitor.visit(visitor.page.url)),
        )
        expect(pages.filter(({ heading }) => heading === PAGE.choosePlace)).toHaveLength(1)
      })
    },
    TIMEOUT_MS,
  )

  test(
    'one mailed link confirms an address once',
    async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const link = linkIn(await newestMail(idp, journey.member.email?.address ?? ''))
      await rounds(journey, async () => {
        const before = await idp.memberOf(journey.member)
        const answers = await postAtOnce(idp, [{ address: link }], AT_ONCE)
        expect(answers).toHaveLength(AT_ONCE)
        for (const { status } of answers) expect(status).toBeLessThan(500)
        const after = await idp.memberOf(journey.member)
        expect(after.email?.verifiedAt).toBe(idp.clock.now())
        expect(after.revision).toBe(before.revision + 1)
      })
    },
    TIMEOUT_MS,
  )

  test(
    'one change from the initial password is made once',
    async () => {
      const { enrolledAt: _, ...unfinished } = anOldHand(idp.clock.now())
      // What is like the new password is held against the old one too.
      const hash = await cheaply(A_PASSWORD)
      const password = { ...unfinished.password, hash, initial: 'random' as const }
      const journey = await aJourneyOf(idp, { ...unfinished, password })
      await journey.start()
      await journey.walkTo(PAGE.newPassword)
      await rounds(journey, async () => {
        const before = await idp.memberOf(journey.member)
        const made = () => idp.log.filter(({ msg }) => msg === 'password set').length
        const madeBefore = made()
        await atOnce([journey], 'newPassword', { password: NEW_PASSWORD })
        const after = await idp.memberOf(journey.member)
        expect(after.password.initial).toBeUndefined()
        expect(after.revision).toBe(before.revision + 1)
        expect(made()).toBe(madeBefore + 1)
      })
    },
    TIMEOUT_MS,
  )

  /** A browser in which a member is signed in, and the tokens' endpoint for its client. */
  const signedIn = async (clientId?: string) => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), {
      ...(clientId !== undefined && { clientId }),
    })
    await journey.start()
    await journey.finish()
    const { clientSecret, ...client } = idp.client(clientId)
    /** So many times at once. */
    const askForTokens = (times: number, parameters: Readonly<Record<string, string>>) => {
      const basic = Buffer.from(`${client.clientId}:${clientSecret}`).toString('base64')
      const request: Post = {
        address: `${idp.issuer}/token`,
        headers: clientSecret === undefined ? {} : { authorization: `Basic ${basic}` },
        fields: {
          ...parameters,
          ...(clientSecret === undefined && { client_id: client.clientId }),
        },
      }
      return postAtOnce(idp, [request], times)
    }
    return { journey, client, askForTokens }
  }
  type TokenAnswer = Readonly<{ access_token: string; refresh_token?: string }>

  /** One of them is given tokens, and nothing that was given is of any use after the replay. */
  const givenOnce = async (
    { askForTokens }: Awaited<ReturnType<typeof signedIn>>,
    parameters: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const answers = await askForTokens(AT_ONCE, parameters)
    expect(answers).toHaveLength(AT_ONCE)
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    for (const { body } of won) {
      const { access_token: token, refresh_token: next } = JSON.parse(body) as TokenAnswer
      const headers = { authorization: `Bearer ${token}` }
      expect((await fetch(`${idp.issuer}/me`, { headers })).status).toBe(401)
      if (next === undefined) continue
      const refreshed = await askForTokens(INSTANCES, {
        grant_type: 'refresh_token',
        refresh_token: next,
      })
      expect(refreshed.map(({ status }) => status)).toEqual([400, 400])
    }
  }

  test(
    'one authorization code gives tokens once, and after the replay they are dead',
    async () => {
      const at = await signedIn()
      const verifier = 'a-verifier-of-forty-three-characters-or-more-1'
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      const url = new URL(await at.journey.rp.authorizationUrl({ prompt: 'none' }))
      url.searchParams.set('code_challenge', challenge)
      const { url: callback } = await at.journey.visitor.visit(url)
      const code = callback.searchParams.get('code') ?? ''
      await rounds(at.journey, () =>
        givenOnce(at, {
          grant_type: 'authorization_code',
          code,
          redirect_uri: at.client.redirectUri,
          code_verifier: verifier,
        }),
      )
    },
    TIMEOUT_MS,
  )

  test(
    'one refresh token gives tokens once, and after the replay they are dead',
    async () => {
      const at = await signedIn(CLIENT.client_id)
      const { member } = at.journey
      const [session] = await idp.services.sessions.list(member.id)
      // As the engine stores it for an app that may stay signed in.
      const token = randomBytes(32).toString('base64url')
      const now = Math.floor(Date.now() / 1000)
      await idp.services.artifacts('RefreshToken').upsert(
        token,
        {
          ...{ kind: 'RefreshToken', jti: token, gty: 'authorization_code', scope: 'openid' },
          ...{ accountId: member.id, clientId: CLIENT.client_id, grantId: session?.grantIds[0] },
          ...{ iat: now, iiat: now, exp: now + 86_400 },
        } as never,
        86_400,
      )
      await rounds(at.journey, () =>
        givenOnce(at, { grant_type: 'refresh_token', refresh_token: token }),
      )
    },
    TIMEOUT_MS,
  )
})
