import { setTimeout as delay } from 'node:timers/promises'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  jest,
  test,
} from '@jest/globals'
import { disable, type Member, type MemberId, signOut } from '../../accounts/member.ts'
import { createApp } from '../../app.ts'
import { linkTokenOf } from '../../factors/email-code.ts'
import { undoKey } from '../../interactions/confirm-address.ts'
import { endedKey, endOtherSessions } from '../../interactions/sessions.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { type LogoutSink, startLogoutSink } from '../support/logout-sink.ts'
import { startPortalAndIdp } from '../support/portal.ts'
import {
  aSettledMember,
  askForReset,
  aVisit,
  newestCode,
  passFor,
  signIn,
  withApp,
} from './recovery-support.ts'
import { aJourney, anOldHand, type Journey, NEW_PASSWORD, PAGE, theDate } from './support.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const MINUTE = 60

describe('A relying party is told of the end of a session', () => {
  const clock = theDate()
  let idp: Idp
  let portal: LogoutSink
  let points: LogoutSink
  /** What each had accepted before the test. */
  let seen: { portal: number; points: number }

  beforeAll(async () => {
    portal = await startLogoutSink()
    points = await startLogoutSink()
    idp = await startIdp({
      clock,
      clients: [
        {
          client_id: 'health-portal',
          backchannel_logout_uri: portal.uri,
          backchannel_logout_session_required: true,
        },
        {
          client_id: 'points',
          client_name: 'ポイント',
          client_secret: 'a-secret-of-the-points-client-for-tests',
          backchannel_logout_uri: points.uri,
          // Another sector, so that its sub is its own.
          redirect_uris: ['http://127.0.0.1:9/cb'],
          policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
        },
      ],
    })
    portal.trust(idp.issuer, 'health-portal')
    points.trust(idp.issuer, 'points')
  })
  afterAll(async () => {
    await idp.close()
    await portal.close()
    await points.close()
    jest.useRealTimers()
  })
  beforeEach(async () => {
    await quiet()
    // What earlier tests left behind runs out when the clock moves.
    await clock.advance(31 * MINUTE)
    await idp.sweepSessions()
    await quiet()
    seen = { portal: portal.logouts.length, points: points.logouts.length }
  })
  afterEach(async () => {
    for (const sink of [portal, points]) {
      sink.answer = 'honest'
      expect(sink.refusals).toEqual([])
    }
  })

  const accountUrl = (place = '') => `${idp.issuer}/account/sakura${place}`

  const aMemberHere = () => idp.services.members.save(anOldHand(clock.now()))

  /** A browser in which the member has just signed in at the portal, and the sid it was told. */
  const signedIn = async (member: Member, visitor: Visitor = aVisitor()) => {
    await clock.advance(61) // one mail a minute
    const journey = await aJourney(idp, member, { visitor })
    await journey.start()
    const claims = (await journey.finish()).claims()
    return { journey, visitor, sid: String(claims?.sid), sub: String(claims?.sub) }
  }

  /** Every token has gone out or been given up. Before that the clock must not be moved far. */
  const quiet = async () => {
    for (let tries = 0; (await idp.services.logouts.count()) > 0; tries += 1) {
      if (tries > 500) throw new Error('tokens are still waiting after ten seconds')
      await delay(20)
    }
  }

  /** What the portal has been told since the test began, once all is quiet. */
  const toldSids = async () => {
    await quiet()
    return portal.logouts.slice(seen.portal).map(({ claims }) => claims.sid)
  }

  const signOutAt = async ({ visitor, rp }: Journey, idToken: string) => {
    const url = new URL(rp.config.serverMetadata().end_session_endpoint ?? '')
    url.search = new URLSearchParams({ id_token_hint: idToken }).toString()
    return visitor.visit(url)
  }

  test('discovery says so', async () => {
    const metadata = await (await fetch(`${idp.issuer}/.well-known/openid-configuration`)).json()
    expect(metadata).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    })
  })

  test('by a fresh token that says whose and which, and nothing else', async () => {
    const { visitor, sid, sub } = await signedIn(await aMemberHere())
    await visitor.visit(`${idp.issuer}/session/end`)
    await visitor.submit('ログアウトする')
    const logout = await portal.accepted({ sid })
    expect(logout.header).toEqual({ alg: 'RS256', typ: 'logout+jwt', kid: expect.any(String) })
    expect(logout.claims).toEqual({
      iss: idp.issuer,
      aud: 'health-portal',
      sub,
      sid,
      iat: clock.now(),
      exp: clock.now() + 120,
      jti: expect.any(String),
      events: { [EVENT]: {} },
    })
  })

  test('each one by the names it knows, and where it was told no sid by its sub alone', async () => {
    const member = await aMemberHere()
    const { journey, visitor, sid, sub } = await signedIn(member)
    const other = await aJourney(idp, member, { clientId: 'points', visitor })
    // Nothing listens at its redirect URI: the code is read off the address.
    const url = await other.rp.authorizationUrl({ redirect_uri: 'http://127.0.0.1:9/cb' })
    await visitor.visit(url).catch(() => undefined)
    await signOutAt(journey, '')
    await visitor.submit('ログアウトする')
    expect(await toldSids()).toEqual([sid])
    const [logout] = points.logouts.slice(seen.points)
    expect(logout?.claims).not.toHaveProperty('sid')
    expect(logout?.claims.aud).toBe('points')
    expect(logout?.claims.sub).not.toBe(sub)
    expect(logout?.claims.sub).not.toBe(member.id)
  })

  test('that the member left while staying signed in elsewhere, and then of nothing twice', async () => {
    const { journey, visitor, sid } = await signedIn(await aMemberHere())
    await journey.start({ prompt: 'none' })
    const tokens = await journey.rp.finish(visitor.page.url)
    await signOutAt(journey, tokens.id_token ?? '')
    await visitor.submit('ログインしたままにする')
    expect(await toldSids()).toEqual([sid])

    await journey.start({ prompt: 'none' })
    const again = (await journey.rp.finish(visitor.page.url)).claims()?.sid
    expect(again).not.toBe(sid)
    await visitor.visit(`${idp.issuer}/session/end`)
    await visitor.submit('ログアウトする')
    expect(await toldSids()).toEqual([sid, again])
    await clock.advance(31 * MINUTE)
    await idp.sweepSessions()
    expect((await toldSids()).filter((one) => one === sid || one === again)).toEqual([sid, again])
  })

  test('that the member ended at the account page, and not of the one they did it in', async () => {
    const member = await aMemberHere()
    const away = await signedIn(member)
    const here = await signedIn(member)
    await here.visitor.visit(accountUrl())
    await here.visitor.submit('ログアウトさせる')
    expect(await toldSids()).toEqual([away.sid])
  })

  test('of all others that the member ended at once, and of no other member’s', async () => {
    await signedIn(await aMemberHere())
    const member = await aMemberHere()
    const away = [await signedIn(member), await signedIn(member)]
    const here = await signedIn(member)
    await here.visitor.visit(accountUrl())
    await here.visitor.submit('end-others')
    expect([...(await toldSids())].sort()).toEqual(away.map(({ sid }) => sid).sort())
  })

  test('by a changed password, but not of the one it was changed in', async () => {
    const member = await aMemberHere()
    const away = await signedIn(member)
    const here = await signedIn(member)
    await here.visitor.visit(accountUrl('/password'))
    await here.visitor.submit('change', { current: A_PASSWORD, password: NEW_PASSWORD })
    expect(await toldSids()).toEqual([away.sid])
  })

  describe('of a member with an app', () => {
    let made = 0
    const signedInWithApp = async () => {
      made += 1
      const { member: settled, app } = await withApp(
        idp,
        aSettledMember({
          id: `with-app-${made}` as MemberId, // a test's own ID
          email: { address: `app${made}@example.jp`, verifiedAt: clock.now() },
        }),
      )
      const member = await idp.services.members.save(settled)
      const visit = await aVisit(idp)
      await signIn(visit, member)
      await visit.visitor.submit('verifyFactor', { code: app.codeAt(clock.now()) })
      const sid = (await visit.rp.finish(visit.visitor.page.url)).claims()?.sid
      return { member, sid }
    }

    test('by a forgotten password', async () => {
      const { member, sid } = await signedInWithApp()
      const visit = await aVisit(idp)
      await askForReset(visit, member)
      await visit.visitor.submit('reset-code', { code: await newestCode(idp, member) })
      await visit.visitor.submit('reset-password', { password: NEW_PASSWORD })
      expect(await toldSids()).toEqual([sid])
    })

    test('by a pass of the desk', async () => {
      const { member, sid } = await signedInWithApp()
      const visit = await aVisit(idp)
      await signIn(visit, member)
      await visit.visitor.submit('lost-factor')
      await visit.visitor.submit('desk-pass', { pass: await passFor(idp, member) })
      expect(await toldSids()).toEqual([sid])
    })

    test('by the former holder of the address, who stops the account', async () => {
      const { member, sid } = await signedInWithApp()
      const change = { memberId: member.id, former: 'former@example.jp', changedAt: 1 }
      await idp.services.transient.put(undoKey('change-1'), change, 600)
      const holder = aVisitor()
      const token = linkTokenOf(idp.services.settings.codeKey, 'undo-change-1')
      await holder.visit(`${idp.issuer}/email-undo/${token}`)
      await holder.submit()
      expect(await toldSids()).toEqual([sid])
    })
  })

  test('by another member who signs in in its place', async () => {
    const first = await signedIn(await aMemberHere())
    await clock.advance(61)
    const second = await aJourney(idp, await aMemberHere(), { visitor: first.visitor })
    await second.start({ prompt: 'login' })
    await second.finish()
    expect(await toldSids()).toEqual([first.sid])
  })

  test('by the operator’s command, from another process', async () => {
    const member = await aMemberHere()
    const { sid } = await signedIn(member)
    await idp.services.members.save(disable(await idp.memberOf(member), clock.now()))
    await endOtherSessions({ provider: createApp(idp.services), services: idp.services }, member.id)
    expect(await toldSids()).toEqual([sid])
  })

  test('that a disabled member would still have, and not that an ordinary member still has', async () => {
    const member = await aMemberHere()
    const { journey, visitor, sid } = await signedIn(member)
    const [record] = await idp.services.sessions.list(member.id)
    if (!record) throw new Error('no session is known')
    // As after a crash in between: the index has not heard of the session's newest use.
    await idp.services.sessions.remove(record.uid)
    await idp.services.sessions.see({ ...record, endsAt: clock.now() })
    expect(await idp.sweepSessions()).toBe(0)
    expect(await toldSids()).toEqual([])
    expect((await journey.start({ prompt: 'none' })).url.searchParams.has('code')).toBe(true)

    await idp.services.sessions.remove(record.uid)
    await idp.services.sessions.see({ ...record, endsAt: clock.now() })
    await idp.services.members.save(disable(await idp.memberOf(member), clock.now() + 1))
    expect(await idp.sweepSessions()).toBe(1)
    expect(await toldSids()).toEqual([sid])
    expect((await visitor.visit(accountUrl())).heading).toBe(PAGE.password)
  })

  test('that a member who has since been signed out elsewhere would still have', async () => {
    const member = await aMemberHere()
    const { sid } = await signedIn(member)
    const [record] = await idp.services.sessions.list(member.id)
    if (!record) throw new Error('no session is known')
    await idp.services.sessions.remove(record.uid)
    await idp.services.sessions.see({ ...record, endsAt: clock.now() })
    const current = await idp.memberOf(member)
    await idp.services.members.save(signOut(current, record.since + 1, record.uid))
    expect(await idp.sweepSessions()).toBe(0)
    await idp.services.sessions.remove(record.uid)
    await idp.services.sessions.see({ ...record, endsAt: clock.now() })
    await idp.services.members.save(signOut(await idp.memberOf(member), record.since + 1))
    expect(await idp.sweepSessions()).toBe(1)
    expect(await toldSids()).toEqual([sid])
  })

  test('that was ended while a request of its browser’s was just saving it', async () => {
    const member = await aMemberHere()
    const { journey, sid } = await signedIn(member)
    const [record] = await idp.services.sessions.list(member.id)
    // What the one that ends it has written first, when the other has read the session already.
    await idp.services.transient.put(endedKey(record?.uid ?? ''), 'onPurpose', 12 * 60 * MINUTE)
    await journey.start({ prompt: 'none' })
    expect(await idp.services.sessions.list(member.id)).toEqual([])
    expect(await toldSids()).toEqual([sid])
    const { searchParams } = (await journey.start({ prompt: 'none' })).url
    expect(searchParams.get('error')).toBe('login_required')
  })

  test('that the member was told is ending when the server died, and its tokens die with it', async () => {
    const member = await aMemberHere()
    const { journey, sid } = await signedIn(member)
    await journey.start({ prompt: 'none' })
    const tokens = await journey.rp.finish(journey.visitor.page.url)
    const [record] = await idp.services.sessions.list(member.id)
    if (!record) throw new Error('no session is known')
    // As a crash leaves it: marked as ended, and nothing else done yet.
    await idp.services.transient.put(endedKey(record.uid), 'onPurpose', 12 * 60 * MINUTE)
    await idp.services.sessions.remove(record.uid)
    await idp.services.sessions.see({ ...record, endsAt: clock.now() })
    expect(await idp.sweepSessions()).toBe(1)
    expect(await toldSids()).toEqual([sid])
    await expect(journey.rp.userInfo(tokens)).rejects.toThrow()
  })

  test('and of a member barred since, what it has left behind ends although it has run out', async () => {
    const member = await aMemberHere()
    await signedIn(member)
    const [record] = await idp.services.sessions.list(member.id)
    const [grantId = ''] = record?.grantIds ?? []
    expect(await idp.services.artifacts('Grant').find(grantId)).toBeDefined()
    await idp.services.members.save(disable(await idp.memberOf(member), clock.now() + 1))
    await clock.advance(31 * MINUTE)
    await idp.sweepSessions()
    expect(await idp.services.artifacts('Grant').find(grantId)).toBeUndefined()
    expect(await idp.services.sessions.list(member.id)).toEqual([])
  })

  test('that nobody has used for half an hour, once, and not before', async () => {
    const { journey, sid } = await signedIn(await aMemberHere())
    await clock.advance(29 * MINUTE)
    await journey.start({ prompt: 'none' })
    await clock.advance(29 * MINUTE)
    await idp.sweepSessions()
    expect(await toldSids()).not.toContain(sid)
    await clock.advance(2 * MINUTE)
    await idp.sweepSessions()
    expect(await toldSids()).toContain(sid)
    await clock.advance(31 * MINUTE)
    await idp.sweepSessions()
    expect((await toldSids()).filter((one) => one === sid)).toEqual([sid])
  })

  test('that ran out while the server was away', async () => {
    const { sid } = await signedIn(await aMemberHere())
    await clock.advance(40 * MINUTE)
    await idp.restart()
    await idp.sweepSessions()
    expect(await toldSids()).toContain(sid)
  })

  test('after twelve hours, however much it is used', async () => {
    const { journey, sid } = await signedIn(await aMemberHere())
    for (let uses = 0; uses < 24; uses += 1) {
      await clock.advance(29 * MINUTE)
      await journey.start({ prompt: 'none' })
      expect(journey.visitor.page.url.searchParams.get('error')).toBeNull()
    }
    await idp.sweepSessions()
    expect(await toldSids()).not.toContain(sid)
    await clock.advance(24 * MINUTE)
    await idp.sweepSessions()
    expect(await toldSids()).toContain(sid)
  })

  describe('when it', () => {
    /** Time passes until the portal has been told of this one. */
    const recovered = async (sid: string) => {
      const told = () => portal.logouts.some(({ claims }) => claims.sid === sid)
      for (let tries = 0; !told() && tries < 30; tries += 1) {
        await clock.advance(20)
        await delay(1100)
      }
      expect(await toldSids()).toEqual([sid])
    }
    const lines = (event: string) => idp.log.filter(({ msg }) => msg === event)
    const logged = async (event: string, times: number) => {
      for (let tries = 0; lines(event).length < times; tries += 1) {
        if (tries > 1000) throw new Error(`no ${times} × ${event}`)
        await delay(10)
      }
    }
    /** Signs a member out and says whether the page was there. */
    const signOut = async () => {
      const { visitor, sid } = await signedIn(await aMemberHere())
      await visitor.visit(`${idp.issuer}/session/end`)
      expect((await visitor.submit('ログアウトする')).heading).toBe('ログアウトしました')
      return sid
    }

    test.each([
      ['does not answer', 'silence'],
      ['is out of order', 500],
    ] as const)('%s, the page does, and it is told later', async (_what, answer) => {
      portal.answer = answer
      const putOffs = lines('logout_put_off').length
      const sid = await signOut()
      await logged('logout_put_off', putOffs + 1)
      expect(portal.logouts).toHaveLength(seen.portal)
      portal.answer = 'honest'
      await recovered(sid)
      expect(lines('logout_put_off').at(-1)).toMatchObject({ clientId: 'health-portal' })
      expect(lines('logout_delivered').at(-1)).toMatchObject({ clientId: 'health-portal' })
    })

    test('is away, and the server restarts meanwhile, it is told when both are back', async () => {
      await portal.pause()
      const before = lines('logout_put_off').length
      const sid = await signOut()
      await logged('logout_put_off', before + 1)
      await idp.restart()
      await portal.resume()
      await recovered(sid)
    })

    test('refuses the token, it is not asked again', async () => {
      portal.answer = 400
      const { asked } = portal
      const failed = lines('logout_failed').length
      await signOut()
      await logged('logout_failed', failed + 1)
      expect(lines('logout_failed').at(-1)).toMatchObject({
        clientId: 'health-portal',
        attempts: 1,
        reason: 'refused',
        status: 400,
      })
      await quiet()
      expect(portal.asked).toBe(asked + 1)
    })

    test('is told, nothing in the log or the queue says of whom', async () => {
      const { visitor, sub } = await signedIn(await aMemberHere())
      await visitor.visit(`${idp.issuer}/session/end`)
      await visitor.submit('ログアウトする')
      expect(await toldSids()).toHaveLength(1)
      const logouts = idp.log.filter(({ msg }) => String(msg).startsWith('logout_'))
      expect(JSON.stringify(logouts)).not.toContain(sub)
      expect(JSON.stringify(logouts)).not.toContain('memberId')
      const { outbox = '' } = await idp.stores.atRest()
      expect(outbox).toContain('logouts')
      expect(outbox).not.toContain('memberId')
    })
  })

  test('the demo portal signs the member out there as well', async () => {
    const demo = await startPortalAndIdp({ clock })
    try {
      const member = await demo.idp.services.members.save(anOldHand(clock.now()))
      const journey = await aJourney(demo.idp, member)
      await journey.visitor.visit(`${demo.portalUrl}/login`)
      await journey.walkTo('ようこそ')
      await clock.advance(61)
      const other = await aJourney(demo.idp, member)
      await other.visitor.visit(`${demo.idp.issuer}/account/sakura`)
      await other.walkTo('ログインの設定')
      expect((await journey.visitor.visit(demo.portalUrl)).heading).toBe('ようこそ')
      await other.visitor.submit('end-others')
      for (let tries = 0; demo.idp.log.every(({ msg }) => msg !== 'logout_delivered'); tries += 1) {
        if (tries > 500) throw new Error('the portal was never told')
        await delay(10)
      }
      expect((await journey.visitor.visit(demo.portalUrl)).heading).toBe('健康ポータル')
    } finally {
      await demo.close()
    }
  })
})
