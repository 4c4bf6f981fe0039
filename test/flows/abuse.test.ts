import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { aRelyingParty } from '../support/rp.ts'
import { codeIn, linkIn } from '../support/smtp-sink.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  codeMails,
  csrfOf,
  NEW_PASSWORD,
  newestMail,
  PAGE,
  settled,
  theDate,
} from './support.ts'

/** What differs from one request to the next, whoever asks. */
const masked = (page: Page): string =>
  page.body
    .replaceAll(/\/interaction\/[\w-]+/gu, '/interaction/UID')
    .replaceAll(/name="(?:csrf|counted)" value="[^"]*"/gu, 'csrf')
    .replaceAll(/<p class="hint until">[^<]*/gu, 'UNTIL')
    .replaceAll(/challenge&quot;:&quot;[\w-]+/gu, 'challenge')
    .replaceAll(/[0-9A-Z]{4}-[0-9A-Z]{4}/gu, 'REF')

describe('Whoever guesses', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const atLogin = async (): Promise<Visitor> => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    return journey.visitor
  }
  const guess = (visitor: Visitor, username: string, password: string) =>
    visitor.submit('password', { username, password })

  test('an ID learns nothing: nobody, a member and a locked one answer alike', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const visitor = await atLogin()
    const absent = member.loginId.replace(/\d{4}$/u, '9999')
    const compare = (a: Page, b: Page) => {
      expect(a.status).toBe(b.status)
      expect(masked(a).replaceAll(member.loginId, 'ID')).toBe(masked(b).replaceAll(absent, 'ID'))
      const headersOf = ({ headers }: Page) =>
        Object.entries(headers)
          .filter(([name]) => !['date', 'x-request-id', 'set-cookie', 'etag'].includes(name))
          .sort()
      expect(headersOf(a)).toEqual(headersOf(b))
      const cookies = ({ headers }: Page) =>
        (headers['set-cookie'] ?? []).map((line) => line.split('=')[0])
      expect(cookies(a)).toEqual(cookies(b))
    }
    for (let tries = 1; tries <= 11; tries += 1) {
      const known = await guess(visitor, member.loginId, `wrong-${tries}`)
      const unknown = await guess(visitor, absent, `wrong-${tries}`)
      compare(known, unknown)
      expect(known.faults.join()).toContain(tries < 10 ? `あと${10 - tries}回` : 'まで使えません')
    }
    const right = await guess(visitor, member.loginId, A_PASSWORD)
    expect(right.status).toBe(422)
    compare(right, await guess(visitor, absent, A_PASSWORD))
    expect(right.body).not.toContain(A_PASSWORD)
  })

  test('an ID in other spellings has one counter, and the lock names its end', async () => {
    const member = await idp.services.members.save(
      anOldHand(idp.clock.now(), { loginId: 'Kita-1001' }),
    )
    const visitor = await atLogin()
    const spellings = [
      'Kita-1001',
      'KITA-1001',
      'kita-1001',
      ' kita-1001 ',
      'Ｋｉｔａ-1001',
      'kita－1001',
      'kita−1001',
      'kita‐1001',
      'ｋｉｔａ-１００１',
      '　KITA-1001',
    ]
    for (const [index, spelling] of spellings.entries()) {
      const page = await guess(visitor, spelling, 'wrong')
      expect([spelling, page.faults.join()]).toEqual([
        spelling,
        expect.stringMatching(index < 9 ? `あと${9 - index}回` : /\d+時\d\d分まで使えません/u),
      ])
    }
    const locked = await guess(visitor, 'Kita-1001', A_PASSWORD)
    expect(locked.faults.join()).toMatch(/\d+時\d\d分まで使えません/u)
    const other = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await other.start()
    await other.walkTo(PAGE.emailCode)
    await idp.clock.advance(901)
    expect((await guess(visitor, member.loginId, A_PASSWORD)).heading).toBe(PAGE.emailCode)
  })

  test('the count outlives a restart', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const visitor = await atLogin()
    await guess(visitor, member.loginId, 'wrong')
    await idp.restart()
    const page = await guess(visitor, member.loginId, 'wrong')
    expect(page.faults.join()).toContain('あと8回')
  })

  test('a birthdate has five tries; then the sign-in ends and the step pauses', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    await journey.walkTo(PAGE.birthdate)
    const date = (day: number) => ({ era: 'seireki', year: '1985', month: '4', day: String(day) })
    for (let tries = 1; tries <= 4; tries += 1) {
      const page = await journey.visitor.submit('birthdate', date(1 + tries))
      expect(page.faults.join()).toContain(`あと${5 - tries}回`)
      expect(page.faults.join()).not.toMatch(/(年|月|日)が/u)
    }
    const ended = await journey.visitor.submit('birthdate', date(20))
    expect(ended.status).toBe(422)
    expect(ended.faults.join()).toContain('まで入力できません')
    expect(ended.heading).toBe(PAGE.password)
    const back = await journey.visitor.submit('password', {
      username: journey.member.loginId,
      password: A_PASSWORD,
    })
    expect(back.faults.join()).toContain('まで入力できません')
    await journey.visitor.submit('birthdate', date(1))
    expect((await idp.memberOf(journey.member)).birthdateConfirmedAt).toBeUndefined()
    await idp.clock.advance(901)
    await journey.start()
    await journey.walkTo(PAGE.terms)
  })

  test('a spray over one symbol pauses initial passwords there, and only those', async () => {
    const { throttle } = idp.services
    for (let wrong = 0; wrong < 198; wrong += 1) {
      await throttle.count('initialPasswordPerSymbol', 'sakura|34567')
    }
    const visitor = await atLogin()
    for (let wrong = 0; wrong < 3; wrong += 1) await guess(visitor, `34567-${wrong}`, 'wrong')
    const fresh = aNewcomer({ loginId: '34567-7001' })
    const journey = await aJourneyOf(idp, fresh)
    await journey.start()
    const paused = await guess(journey.visitor, fresh.loginId, A_PASSWORD)
    expect(paused.status).toBe(422)
    expect(paused.faults.join()).toContain('まで使えません')
    expect(idp.log.filter(({ msg }) => String(msg).includes('paused')).length).toBeGreaterThan(0)
    const enrolled = await aJourneyOf(idp, anOldHand(idp.clock.now(), { loginId: '34567-7002' }))
    await enrolled.start()
    await enrolled.walkTo(PAGE.emailCode)
    const elsewhere = await aJourneyOf(idp, aNewcomer())
    await elsewhere.start()
    await elsewhere.walkTo(PAGE.birthdate)
  })

  test('one address gets no further than sixty wrong passwords, other addresses do', async () => {
    const { throttle } = idp.services
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), {
      visitor: aVisitor({ from: '127.0.0.66', headers: { 'X-Forwarded-For': '192.0.2.1' } }),
    })
    for (let wrong = 0; wrong < 61; wrong += 1) {
      await throttle.count('passwordPerAddress', '127.0.0.66')
    }
    await journey.start()
    const page = await guess(journey.visitor, journey.member.loginId, A_PASSWORD)
    expect(page.faults.join()).toContain('まで使えません')
    const home = await aJourney(idp, journey.member)
    await home.start()
    await home.walkTo(PAGE.emailCode)
  })
})

describe('Whoever forges', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** One request as it stands, Host included. */
  const raw = (path: string, headers: Record<string, string>, method = 'GET', body = '') =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        const { port } = new URL(idp.issuer)
        const asked = {
          host: '127.0.0.1',
          port,
          path,
          method,
          headers,
          setHost: false,
          agent: false,
        }
        const sent = request(asked, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          )
        })
        sent.on('error', reject)
        sent.end(body)
      },
    )

  describe('the host', () => {
    const host = () => new URL(idp.issuer).host
    const forgeries = [
      'evil.example',
      'evil.example:3000',
      'localhost',
      'localhost:99999',
      'a b',
      '[::1',
      'LOCALHOST@evil.example',
      'localhost.evil.example',
      '',
      'x:y',
      '127.0.0.1',
      'localhost:3000, evil.example',
    ]
    const routes = [
      '/.well-known/openid-configuration',
      '/jwks',
      '/auth?client_id=health-portal',
      '/interaction/x',
      '/email/x',
      '/assets/app.css',
      '/session/end',
    ]
    test.each(forgeries)('%j in Host is misdirected, on every route', async (forged) => {
      for (const route of routes) {
        const answer = await raw(route, { Host: forged })
        expect([route, [400, 421].includes(answer.status), answer.status]).toEqual([
          route,
          true,
          answer.status,
        ])
        expect(answer.body).not.toContain('evil')
        expect(JSON.stringify(answer.headers)).not.toContain('evil')
      }
    })

    test.each([
      { 'X-Forwarded-Host': 'evil.example' },
      { 'X-Forwarded-Proto': 'https' },
      { 'X-Forwarded-Port': '99' },
      { Forwarded: 'host=evil.example;proto=https' },
      { 'X-Original-Host': 'evil.example' },
      { 'X-Host': 'evil.example' },
      { 'X-Forwarded-Server': 'evil.example' },
      { 'X-HTTP-Host-Override': 'evil.example' },
      { 'X-Forwarded-Prefix': '/evil.example' },
      { 'X-Original-URL': '/evil.example' },
      { 'X-Rewrite-URL': '/evil.example' },
      { Referer: 'https://evil.example/' },
    ])('%j bends no URL that we write', async (forged) => {
      const headers = { Host: host(), ...(forged as Record<string, string>) }
      const found = await raw('/.well-known/openid-configuration', headers)
      const urls = Object.values(JSON.parse(found.body) as Record<string, unknown>).filter(
        (value): value is string => typeof value === 'string' && value.includes('://'),
      )
      expect(urls.length).toBeGreaterThan(5)
      expect(urls.filter((url) => !url.startsWith(idp.issuer))).toEqual([])
    })

    test.each(['email', 'email-undo'])(
      'another site cannot press the button of a mailed link (/%s)',
      async (path) => {
        const post = (headers: Readonly<Record<string, string>>) =>
          aVisitor().post(`${idp.issuer}/${path}/unknown`, {}, headers)
        for (const headers of [
          { 'Sec-Fetch-Site': 'cross-site' },
          { 'Sec-Fetch-Site': 'same-site' },
          { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' },
        ]) {
          expect([headers, (await post(headers)).status]).toEqual([headers, 403])
        }
        expect((await post({ 'Sec-Fetch-Site': 'same-origin' })).status).toBe(410)
      },
    )

    test('a mailed link is the issuer’s whatever the request said', async () => {
      const visitor = aVisitor({
        headers: {
          'X-Forwarded-Host': 'evil.example',
          'X-Forwarded-Proto': 'https',
          Forwarded: 'host=evil.example',
          Referer: 'https://evil.example/',
          'User-Agent': 'evil.example <script>',
        },
      })
      const journey = await aJourneyOf(idp, aNewcomer(), { visitor })
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const mail = await newestMail(idp, journey.member.email?.address ?? '')
      expect(linkIn(mail).startsWith(`${idp.issuer}/email/`)).toBe(true)
      expect(mail.text).not.toContain('evil.example')
      expect(mail.html).not.toContain('<script')
    })
  })

  test('every response carries the same protection, the engine’s own included', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    const page = await journey.start()
    const cookie = await journey.visitor.jar.getCookieString(page.url.href)
    const { pathname } = page.url
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const Host = new URL(idp.issuer).host
    const all: [string, string, Record<string, string>, string][] = [
      ['GET', '/', {}, ''],
      ['GET', '/nothing/here', {}, ''],
      ['GET', pathname, { cookie }, ''],
      ['GET', `${pathname}/email-status`, { cookie }, ''],
      ['POST', `${pathname}/password`, { cookie, ...form }, ''],
      ['POST', `${pathname}/password`, { cookie, ...form, 'sec-fetch-site': 'same-origin' }, ''],
      ['GET', '/interaction/unknown', {}, ''],
      ['GET', '/email/unknown', {}, ''],
      ['POST', '/email/unknown', form, ''],
      ['GET', '/email-undo/unknown', {}, ''],
      ['GET', '/help/sakura', {}, ''],
      ['GET', '/terms/sakura/2026-04', {}, ''],
      ['GET', '/assets/app.css', {}, ''],
      ['GET', '/assets/society/sakura.css', {}, ''],
      ['GET', '/auth', {}, ''],
      ['GET', '/auth?client_id=nobody', {}, ''],
      ['GET', '/auth/unknown', {}, ''],
      ['POST', '/token', form, 'grant_type=authorization_code'],
      ['GET', '/me', {}, ''],
      ['GET', '/jwks', {}, ''],
      ['GET', '/.well-known/openid-configuration', {}, ''],
      ['GET', '/session/end', {}, ''],
      ['POST', '/session/end/confirm', form, ''],
      ['GET', '/session/end/success', {}, ''],
      ['POST', '/token/revocation', form, 'token=x'],
      ['PUT', '/token', {}, ''],
    ]
    // What is nobody's own, and no page.
    const keptFor = (path: string) =>
      path === '/jwks'
        ? /^public, max-age=600$/u
        : path.startsWith('/assets/')
          ? /max-age=3600/u
          : /no-store/u
    for (const [method, path, headers, body] of all) {
      const answer = await raw(
        path,
        { Host, ...headers, 'content-length': String(body.length) },
        method,
        body,
      )
      const what = `${method} ${path} ${answer.status}`
      const csp = String(answer.headers['content-security-policy'])
      expect([what, csp]).toEqual([what, expect.stringContaining("frame-ancestors 'none'")])
      expect([what, csp]).toEqual([what, expect.stringContaining("default-src 'none'")])
      expect([what, csp]).toEqual([what, expect.stringContaining("base-uri 'none'")])
      expect([what, csp]).toEqual([what, expect.not.stringContaining('unsafe')])
      expect([what, csp]).toEqual([what, expect.not.stringContaining('form-action')])
      expect([what, answer.headers]).toEqual([
        what,
        expect.objectContaining({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'same-origin',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-resource-policy': 'same-origin',
          'permissions-policy': expect.stringContaining('camera=()'),
          'x-request-id': expect.stringMatching(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/u),
          'cache-control': expect.stringMatching(keptFor(path)),
        }),
      ])
      expect([what, Object.keys(answer.headers)]).toEqual([
        what,
        expect.not.arrayContaining(['x-powered-by', 'server']),
      ])
      expect([what, answer.status < 500]).toEqual([what, true])
      expect([what, answer.body]).toEqual([what, expect.not.stringMatching(/\n\s+at /u)])
      for (const line of (answer.headers['set-cookie'] as string[] | undefined) ?? []) {
        expect([what, line]).toEqual([what, expect.stringMatching(/httponly/iu)])
        expect([what, line]).toEqual([what, expect.stringMatching(/samesite=lax/iu)])
      }
    }
  })

  test('header and path nonsense is answered at once and is no fault of ours', async () => {
    const Host = new URL(idp.issuer).host
    const long = 'a,'.repeat(3000)
    for (const headers of [
      { 'X-Forwarded-For': long },
      { 'X-Forwarded-Proto': long },
      { Accept: `${long}text/html` },
      { 'Accept-Language': long },
      { 'Content-Type': `${'/'.repeat(5000)};` },
      { Cookie: 'a=b;'.repeat(1500) },
      { Referer: 'javascript:alert(1)' },
      { 'If-None-Match': long },
      { Authorization: `Basic ${'='.repeat(5000)}` },
    ] as Record<string, string>[]) {
      for (const path of ['/auth?client_id=health-portal', '/interaction/x', '/me', '/nothing']) {
        const { status } = await raw(path, { Host, ...headers })
        expect([Object.keys(headers), path, status < 500]).toEqual([
          Object.keys(headers),
          path,
          true,
        ])
      }
    }
    for (const path of [
      '/x;Domain=evil?idp_locale=en',
      '/help/sakura?idp_locale=en&idp_locale=ja',
      '/help/sakura?furigana=on&furigana=off',
      '/help/sakura?idp_locale[]=en',
      '/help/__proto__',
      '/terms/sakura/__proto__',
      '/terms/%2e%2e/x',
      '/assets/%2e%2e%2fapp.ts',
      '/assets/..%5capp.ts',
      '/email/%ff?idp_locale=en',
      '//evil.example/',
      '/%',
      '/%00?idp_locale=en',
    ]) {
      const { status, headers } = await raw(path, { Host })
      expect([path, status < 500]).toEqual([path, true])
      expect([path, headers.location]).toEqual([path, undefined])
    }
  })
})

describe('Whoever reads the log or the store', () => {
  test('finds no password, code, link, date, address or cookie of a whole journey', async () => {
    const idp = await startIdp({ clock: theDate() })
    try {
      const member: Member = {
        ...aNewcomer({ birthdate: '1961-09-27' }),
        email: { address: 'canary.mailbox@canary.example' },
      }
      const journey = await aJourneyOf(idp, member)
      const changed = 'canary.fresh@canary.example'
      const { visitor } = journey
      const start = await journey.start({ login_hint: 'canary-hint' })
      const secrets = new Set<string>([
        A_PASSWORD,
        NEW_PASSWORD,
        'wrong-canary-Password1!',
        '1961-09-27',
        'canary.mailbox@canary.example',
        changed,
        'canary-hint',
        member.loginId,
      ])
      await visitor.submit('password', {
        username: 'canary-user',
        password: 'wrong-canary-Password1!',
      })
      secrets.add('canary-user').add(csrfOf(visitor.page))
      await journey.walkTo(PAGE.email)
      const { cookies } = await visitor.jar.serialize()
      await visitor.submit('email', { email: changed })
      const mail = await newestMail(idp, changed)
      const wrong = codeIn(mail) === '111111' ? '222222' : '111111'
      await visitor.submit('email', { code: wrong })
      const phone = aVisitor()
      await phone.visit(linkIn(mail))
      await phone.submit()
      secrets.add(codeIn(mail)).add(linkIn(mail).split('/').at(-1) ?? '')
      await visitor.visit(start.url)
      const tokens = await journey.finish()
      await journey.rp.userInfo(tokens)
      await settled(idp)
      const undo = idp.mails.mails.find(({ to }) => to === 'canary.mailbox@canary.example')
      secrets.add(undo ? (linkIn(undo).split('/').at(-1) ?? '') : '')
      await idp.clock.advance(61)
      await journey.start({ prompt: 'login' })
      await journey.walkTo(PAGE.emailCode)
      const code = codeIn((await codeMails(idp, changed)).at(-1) ?? mail)
      secrets.add(code)
      expect((await visitor.submit('verifyFactor', { code })).heading).toBe(PAGE.signedIn)
      secrets.add(visitor.page.url.searchParams.get('code') ?? '')
      secrets.add(tokens.access_token).add(tokens.id_token ?? '')
      for (const { value } of [...cookies, ...(await visitor.jar.serialize()).cookies]) {
        if (typeof value === 'string' && value.length > 8) secrets.add(value)
      }
      // Requests that fail quote what they were given.
      const rp = await aRelyingParty(idp, idp.client())
      const bent = new URL(await rp.authorizationUrl({ redirect_uri: `http://${changed}/` }))
      await visitor.visit(bent)
      await fetch(`${idp.issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'authorization_code', code: 'canary-code-canary' }),
      })
      secrets.add('canary-code-canary').delete('')

      const log = idp.log.map((line) => JSON.stringify(line)).join('\n')
      expect(log.length).toBeGreaterThan(1000)
      const logged = [...secrets].filter((secret) => log.includes(secret))
      expect(logged).toEqual([])

      const dump = await idp.stores.atRest()
      const { outbox = '', transient = '', throttle = '', members = '' } = dump
      expect(transient).toContain('flow:')
      const mailed = [codeIn(mail), linkIn(mail).split('/').at(-1) ?? '']
      const spent = [...mailed, ...(undo ? [linkIn(undo).split('/').at(-1) ?? ''] : [])]
      const shown = (text: string) => spent.filter((secret) => text.includes(secret))
      expect([shown(outbox), shown(transient), shown(throttle), shown(members)]).toEqual([
        [],
        [],
        [],
        [],
      ])
      for (const text of Object.values(dump)) {
        expect(text).not.toContain(A_PASSWORD)
        expect(text).not.toContain(NEW_PASSWORD)
      }
      expect(outbox).not.toContain(changed)
      expect(throttle).not.toContain(member.loginId)
    } finally {
      await idp.close()
      jest.useRealTimers()
    }
  })
})
