import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { hashPassword } from '../../factors/password.ts'
import { aVisitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { codeIn, linkIn } from '../support/smtp-sink.ts'
import {
  aJourneyOf,
  aNewcomer,
  codeMails,
  csrfOf,
  type Journey,
  mailsTo,
  NEW_PASSWORD,
  newestMail,
  PAGE,
  settled,
  theDate,
} from './support.ts'

const fullWidth = (digits: string): string =>
  digits.replace(/\d/gu, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0))

const swappedCase = (text: string): string =>
  [...text]
    .map((letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    )
    .join('')

const hashOf = (text: string | undefined): string =>
  createHash('sha256')
    .update(text ?? '')
    .digest('base64url')

describe('The manual’s chapter 1, the first login', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  describe('from the portal and back in one authorization request', () => {
    let journey: Journey
    const headings: string[] = []

    beforeAll(async () => {
      journey = await aJourneyOf(idp, aNewcomer())
      await journey.start({ scope: 'openid email' })
      const way = [
        PAGE.password,
        PAGE.birthdate,
        PAGE.terms,
        PAGE.email,
        PAGE.emailWait,
        PAGE.choosePlace,
        PAGE.chooseFactor,
        PAGE.newPassword,
        PAGE.done,
      ]
      for (const heading of way) {
        headings.push((await journey.walkTo(heading)).heading)
        await idp.clock.advance(7)
      }
    })

    test('asks the manual’s steps in the manual’s order and ends at the portal', async () => {
      expect(headings).toEqual([
        'ログイン',
        '生年月日を入力してください',
        '利用規約の確認',
        'メールアドレスの確認',
        'メールを確認してください',
        'どこでログインしますか',
        '認証方法を選んでください',
        '新しいパスワードを決めてください',
        '設定が終わりました',
      ])
      const { member, visitor, rp } = journey
      const claims = (await journey.finish()).claims()
      expect(visitor.page.url.href.startsWith(`${idp.redirectUri}?`)).toBe(true)
      expect(claims?.acr).toBe('urn:kenpo-id:acr:email')
      expect(claims?.amr).toEqual(['pwd', 'otp', 'mca'])
      // With the new password every other sign-in of the member's has ended, and this one began.
      const since = headings.slice(headings.indexOf('新しいパスワードを決めてください') + 1)
      expect(claims?.auth_time).toBe(idp.clock.now() - 7 * since.length)
      expect(claims?.aud).toBe('health-portal')
      expect(claims?.sub).not.toContain(member.id)
      expect(rp.config.serverMetadata().issuer).toBe(idp.issuer)
    })

    test('keeps what the member confirmed', async () => {
      const { member } = journey
      const stored = await idp.memberOf(member)
      expect(stored.enrolledAt).toBeGreaterThan(member.password.changedAt)
      expect(stored.email?.address).toBe(member.email?.address)
      expect(stored.email?.verifiedAt).toBeDefined()
      expect(stored.chosenFactor).toBe('emailCode')
      expect(stored.password.initial).toBeUndefined()
    })

    test('keeps which words were agreed to, when and on whose behalf', async () => {
      const { acceptedTerms } = await idp.memberOf(journey.member)
      const text = idp.services.settings.societies.get('sakura')?.terms.text.ja
      expect(acceptedTerms).toEqual([
        {
          version: '2026-04',
          textHash: hashOf(text?.join('\n\n')),
          at: expect.any(Number),
          clientId: 'health-portal',
        },
      ])
    })

    test('tells the member by mail that the password was changed', async () => {
      const address = journey.member.email?.address ?? ''
      await settled(idp)
      const told = mailsTo(idp, address).filter(({ subject }) => subject.includes('パスワード'))
      expect(told).toHaveLength(1)
      expect(told[0]?.text).not.toContain(NEW_PASSWORD)
    })

    test('gives the portal the address when it asks for it, and no number or birthdate', async () => {
      await journey.start({ scope: 'openid email' })
      const tokens = await journey.finish()
      const claims = await journey.rp.userInfo(tokens)
      expect(claims).toEqual({
        sub: tokens.claims()?.sub,
        email: journey.member.email?.address,
        email_verified: true,
        acr: 'urn:kenpo-id:acr:email',
        amr: ['pwd', 'otp', 'mca'],
      })
    })

    test('kills the initial password', async () => {
      const { member } = journey
      const later = await aJourneyOf(idp, aNewcomer()) // a browser that has never been here
      await later.start()
      const page = await later.visitor.submit('password', {
        username: member.loginId,
        password: A_PASSWORD,
      })
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain('ユーザIDかパスワードが違います')
    })
  })

  describe('by the mailed link', () => {
    test('on another device: it confirms, and only the first device goes on', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const waiting = await journey.walkTo(PAGE.emailWait)
      const matchNumber = waiting.root.querySelector('.match b')?.text
      const link = linkIn(await newestMail(idp, journey.member.email?.address ?? ''))
      expect(link.startsWith(`${idp.issuer}/email/`)).toBe(true)

      const phone = aVisitor()
      for (let look = 0; look < 20; look += 1) await phone.visit(link)
      const head = await fetch(link, { method: 'HEAD' })
      expect(head.status).toBe(200)
      expect(phone.page.heading).toBe(PAGE.linkAsk)
      expect(phone.page.text).toContain(matchNumber)
      expect(phone.page.body).not.toContain(journey.member.email?.address)
      expect((await idp.memberOf(journey.member)).email?.verifiedAt).toBeUndefined()
      expect((await journey.visitor.visit(waiting.url)).heading).toBe(PAGE.emailWait)

      const confirmed = await phone.submit()
      expect(confirmed.heading).toBe(PAGE.linkConfirmed)
      expect(confirmed.root.querySelector('main a.btn')).toBeNull()
      expect((await idp.memberOf(journey.member)).email?.verifiedAt).toBe(idp.clock.now())
      expect((await phone.visit(link)).heading).toBe(PAGE.linkUsed)

      const names = (await phone.jar.getCookies(idp.issuer)).map(({ key }) => key)
      expect(names.filter((name) => /session|interaction|resume/.test(name))).toEqual([])
      expect((await phone.visit(waiting.url)).status).toBe(400)

      const reloaded = await journey.visitor.visit(waiting.url)
      expect(reloaded.heading).toBe(PAGE.choosePlace)
      expect((await journey.finish()).claims()?.amr).toEqual(['pwd', 'otp', 'mca'])
    })

    test('the waiting page learns of it by its poll', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const waiting = await journey.walkTo(PAGE.emailWait)
      const path = waiting.root.querySelector('#mail-status')?.getAttribute('data-status-path')
      const status = async () =>
        JSON.parse((await journey.visitor.visit(new URL(path ?? '', waiting.url))).body)
      const link = linkIn(await newestMail(idp, journey.member.email?.address ?? ''))
      expect(await status()).toEqual({ confirmed: false, delayed: false })
      const phone = aVisitor()
      await phone.visit(link)
      await phone.submit()
      expect(await status()).toEqual({ confirmed: true, delayed: false })
    })

    test('in the browser that waits: one button leads on', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const { visitor } = journey
      await visitor.visit(linkIn(await newestMail(idp, journey.member.email?.address ?? '')))
      await visitor.submit()
      expect((await visitor.follow('続ける')).heading).toBe(PAGE.choosePlace)
    })

    test('of an address given up since says to use the newest mail', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const old = linkIn(await newestMail(idp, journey.member.email?.address ?? ''))
      await journey.visitor.submit('email-change')
      await journey.visitor.submit('email', { email: 'second-thought@example.jp' })
      const opened = await aVisitor().visit(old)
      expect(opened.status).toBe(410)
      expect(opened.heading).toBe('新しいメールを送ってあります')
      expect(opened.root.querySelector('main form')).toBeNull()
    })

    test.each([
      ['with one letter changed', (link: string) => `${link.slice(0, -2)}AA`],
      ['without its signature', (link: string) => link.split('.').slice(0, -1).join('.')],
      ['of nobody', (link: string) => link.replace(/[^/]+$/u, 'x.y')],
      ['with spaces', (link: string) => `${link}%20`],
      ['made into an undo link', (link: string) => link.replace('/email/', '/email-undo/')],
    ])('%s changes nothing', async (_what, bend) => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const bent = bend(linkIn(await newestMail(idp, journey.member.email?.address ?? '')))
      const stranger = aVisitor()
      const shown = await stranger.visit(bent)
      expect(shown.status).toBe(410)
      expect((await stranger.post(bent, {})).status).toBeLessThan(500)
      expect((await idp.memberOf(journey.member)).email?.verifiedAt).toBeUndefined()
    })

    test('expires after a day', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const link = linkIn(await newestMail(idp, journey.member.email?.address ?? ''))
      await idp.clock.advance(86_400)
      const phone = aVisitor()
      expect((await phone.visit(link)).heading).toBe('リンクの期限が切れました')
      await phone.post(link, {})
      expect((await idp.memberOf(journey.member)).email?.verifiedAt).toBeUndefined()
    })
  })

  describe('the typed code', () => {
    test('may come in full-width digits with spaces', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const code = fullWidth(await journey.newestCode())
      const typed = ` ${code.slice(0, 3)}　${code.slice(3)} `
      expect((await journey.visitor.submit('email', { code: typed })).heading).toBe(
        PAGE.choosePlace,
      )
    })

    test.each([
      ['', '確認コードを入力してください'],
      ['12345', '確認コードは数字6桁で入力してください（今は5桁です）'],
      ['abcdef', '確認コードは数字だけで入力してください'],
    ])('%j is answered with what to do', async (typed, words) => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const page = await journey.visitor.submit('email', { code: typed })
      expect(page.status).toBe(422)
      expect(page.heading).toBe(PAGE.emailWait)
      expect(page.faults).toEqual([words])
      expect(page.title).toMatch(/^エラー：/u)
    })

    test('is the same in the first mail and in the next', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      const address = journey.member.email?.address ?? ''
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      await idp.clock.advance(61)
      expect((await journey.visitor.submit('email-resend')).text).toContain('もう一度送りました')
      const [first, second] = await codeMails(idp, address)
      expect(first && codeIn(first)).toBe(second && codeIn(second))
    })
  })

  describe('the e-mail address', () => {
    test('can be changed; its former holder is told and can undo it, once', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      const { member, visitor } = journey
      const former = member.email?.address ?? ''
      const fresh = `fresh.${former}`
      await journey.start()
      const page = await journey.walkTo(PAGE.email)
      expect(page.root.querySelector('#email')?.getAttribute('value')).toBe(former)
      await visitor.submit('email', { email: ` ${fresh.toUpperCase().replace('@', '＠')} ` })
      const mail = (await idp.mails.waitFor(({ to }) => to.toLowerCase() === fresh)).to
      await visitor.submit('email', { code: await journey.newestCode(mail) })
      expect((await idp.memberOf(member)).email?.address.toLowerCase()).toBe(fresh)
      const tokens = await journey.finish()

      await settled(idp)
      const notice = mailsTo(idp, former).find(({ subject }) => subject.includes('変更'))
      const link = notice ? linkIn(notice) : ''
      expect(link.startsWith(`${idp.issuer}/email-undo/`)).toBe(true)
      const holder = aVisitor()
      await holder.visit(link)
      expect((await holder.visit(link)).heading).toBe('メールアドレスの変更を取り消しますか')
      expect((await idp.memberOf(member)).blocked).toBeUndefined()
      expect((await holder.submit()).heading).toBe('変更を取り消しました')
      expect((await holder.visit(link)).status).toBe(410)
      expect((await holder.post(link, {})).status).toBe(410)

      const after = await idp.memberOf(member)
      expect(after.email).toEqual({ address: former })
      expect(after.blocked?.reason).toBe('emailChangeUndone')
      await expect(journey.rp.userInfo(tokens)).rejects.toThrow()
      const stranger = await aJourneyOf(idp, aNewcomer())
      await stranger.start()
      const stopped = await stranger.visitor.submit('password', {
        username: member.loginId,
        password: NEW_PASSWORD,
      })
      expect(stopped.heading).toBe(PAGE.stopped)
      expect(stopped.status).toBe(403)
      expect(stopped.text).toContain('電話')
      expect((await journey.start()).heading).not.toBe(PAGE.signedIn)
    })

    test('on file may stay, and nobody is told of a change', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.done)
      await settled(idp)
      const subjects = mailsTo(idp, journey.member.email?.address ?? '').map((one) => one.subject)
      expect(subjects.filter((subject) => subject.includes('アドレスの変更'))).toEqual([])
    })

    test.each([
      'hanako',
      'hanako@example',
      'a@example.jp,b@evil.example',
      'a@example.jp\r\nBcc: b@evil.example',
      'Hanako <hanako@example.jp>',
      '<b@evil.example>a@example.jp',
      '',
    ])('%j is refused before any mail is made', async (typed) => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.email)
      const before = (await idp.stores.atRest()).outbox
      const page = await journey.visitor.submit('email', { email: typed })
      expect(page.status).toBe(422)
      expect(page.heading).toBe(PAGE.email)
      expect(page.faults).toHaveLength(1)
      expect((await idp.stores.atRest()).outbox).toBe(before)
    })

    test('that looks mistyped is asked about once', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.email)
      const asked = await journey.visitor.submit('email', { email: 'hanako@gmial.com' })
      expect(asked.status).toBe(422)
      expect(asked.faults).toEqual(['もしかして hanako@gmail.com ですか？'])
      const meant = await journey.visitor.submit('確認メールを送る')
      expect(meant.heading).toBe(PAGE.emailWait)
      expect(meant.text).toContain('hanako@gmial.com')
    })
  })

  describe('a legacy initial password, which colleagues can guess', () => {
    const derived = () => {
      const member = aNewcomer()
      return { ...member, password: { ...member.password, initial: 'derived' as const } }
    }

    test('changes the address only with the code sent to the one on file', async () => {
      const journey = await aJourneyOf(idp, derived())
      const { member, visitor } = journey
      const former = member.email?.address ?? ''
      const fresh = `fresh.${former}`
      await journey.start()
      await journey.walkTo(PAGE.email)
      const old = await visitor.submit('email', { email: fresh })
      expect(old.heading).toBe(PAGE.emailOld)
      expect(old.body).not.toContain(former)
      await settled(idp)
      expect(mailsTo(idp, fresh)).toEqual([])
      const [proof] = await codeMails(idp, former)
      expect(proof?.text).not.toContain(`${idp.issuer}/email/`)

      const waiting = await visitor.submit('email', { code: proof ? codeIn(proof) : '' })
      expect(waiting.heading).toBe(PAGE.emailWait)
      expect(waiting.text).toContain(fresh)
      await visitor.submit('email', { code: await journey.newestCode(fresh) })
      expect((await idp.memberOf(member)).email?.address).toBe(fresh)
      expect(visitor.page.heading).toBe(PAGE.choosePlace)
    })

    test('keeps the address on file with its own code alone', async () => {
      const journey = await aJourneyOf(idp, derived())
      await journey.start()
      await journey.walkTo(PAGE.email)
      await journey.visitor.submit('email', { email: 'changed-my-mind@example.jp' })
      // Two mails on their way at once may arrive in either order.
      await settled(idp)
      expect((await journey.visitor.submit('email-keep')).heading).toBe(PAGE.emailWait)
      expect((await journey.walkTo(PAGE.chooseFactor)).heading).toBe(PAGE.chooseFactor)
      expect((await idp.memberOf(journey.member)).email?.address).toBe(
        journey.member.email?.address,
      )
    })

    test('with no address on file leads to the society’s desk, and to no mail', async () => {
      const { email: _none, ...member } = derived()
      const journey = await aJourneyOf(idp, member)
      await journey.start()
      const page = await journey.walkTo(PAGE.emailDesk)
      expect(page.text).toContain('電話')
      await journey.visitor.post(`${page.url.href}/email`, {
        csrf: csrfOf(page),
        email: 'taken-over@example.jp',
      })
      expect(journey.visitor.page.heading).toBe(PAGE.emailDesk)
      await settled(idp)
      expect(mailsTo(idp, 'taken-over@example.jp')).toEqual([])
    })
  })

  describe('the date of birth', () => {
    test.each([
      ['the western calendar', { era: 'seireki', year: '1985', month: '4', day: '1' }],
      ['an era', { era: 'showa', year: '60', month: '4', day: '1' }],
      ['full-width digits', { era: 'showa', year: '６０', month: '０４', day: '０１' }],
      ['an era written in the year', { era: '', year: 'S60', month: '4', day: '1' }],
      ['a whole date pasted', { era: '', year: '昭和60年4月1日', month: '', day: '' }],
    ])('is taken in %s', async (_how, fields) => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.birthdate)
      expect((await journey.visitor.submit('birthdate', fields)).heading).toBe(PAGE.terms)
    })

    test('is asked again with what was typed when it is no date', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.birthdate)
      const typed = { era: 'showa', year: '64', month: '2', day: '1' }
      const page = await journey.visitor.submit('birthdate', typed)
      expect(page.status).toBe(422)
      expect(page.faults).toEqual([
        '昭和64年2月1日は暦にありません。元号と年月日を確かめてください',
      ])
      expect(page.root.querySelector('#year')?.getAttribute('value')).toBe('64')
    })
  })

  describe('the terms', () => {
    test('must be agreed to; who does not learns what follows and can come back', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      const { visitor, member } = journey
      await journey.start()
      await journey.walkTo(PAGE.terms)
      expect((await visitor.submit('terms')).faults).toEqual([
        '続けるには、利用規約への同意が必要です。読んでから、チェックを入れてください',
      ])
      expect((await visitor.submit('terms-decline')).heading).toBe(PAGE.termsDeclined)
      expect((await idp.memberOf(member)).acceptedTerms).toEqual([])
      expect((await visitor.submit('terms-back')).heading).toBe(PAGE.terms)
    })

    test('the way back to the portal tells it that access was denied', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.terms)
      const page = await journey.visitor.submit('abort')
      expect(page.heading).toBe(PAGE.signedIn)
      expect(page.url.searchParams.get('error')).toBe('access_denied')
      expect(page.url.searchParams.get('code')).toBeNull()
      expect(page.url.searchParams.get('iss')).toBe(idp.issuer)
    })
  })

  describe('the new password', () => {
    test('is told all its faults at once', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.newPassword)
      const page = await journey.visitor.submit('newPassword', { password: 'ああ1985' })
      expect(page.status).toBe(422)
      expect(page.faults.length).toBeGreaterThanOrEqual(3)
      expect(page.faults).toContain('8文字以上にしてください（今は6文字）')
      expect(page.faults).toContain('半角の英数字と記号で入力してください')
      expect(page.body).not.toContain('ああ1985')
      expect(page.root.querySelector('#password')?.getAttribute('value') ?? '').toBe('')
    })

    test('cannot be the initial one, or that one slightly changed', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.newPassword)
      const same = '今までのパスワードと違うものにしてください'
      for (const candidate of [A_PASSWORD, `${A_PASSWORD}!`, swappedCase(A_PASSWORD)]) {
        const page = await journey.visitor.submit('newPassword', { password: candidate })
        expect([candidate, page.status, page.faults]).toEqual([
          candidate,
          422,
          expect.arrayContaining([same]),
        ])
      }
      expect((await idp.memberOf(journey.member)).password.initial).toBe('random')
    })

    test('cannot hold the user ID, the birthdate or the numbers', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.newPassword)
      const { loginId, insured } = journey.member
      for (const part of [loginId, loginId.replace('-', ''), '19850401', insured?.symbol ?? '']) {
        const page = await journey.visitor.submit('newPassword', { password: `Xq-${part}-wZ!` })
        expect([part, page.status]).toEqual([part, 422])
      }
    })

    test('and the legacy one cannot be dressed up', async () => {
      const member = aNewcomer()
      const legacy = `${member.insured?.symbol}${member.insured?.number}19850401`
      const stored = { ...member.password, hash: await hashPassword(legacy) }
      const journey = await aJourneyOf(
        idp,
        { ...member, password: { ...stored, initial: 'derived' } },
        { password: legacy },
      )
      await journey.start()
      await journey.walkTo(PAGE.newPassword)
      const page = await journey.visitor.submit('newPassword', { password: `Ab!${legacy}` })
      expect(page.status).toBe(422)
      expect(page.faults).toContain(
        '生年月日や保険証の記号・番号を含めないでください。別の言葉に変えてください',
      )
      expect((await idp.memberOf(member)).password.initial).toBe('derived')
    })
  })
})
