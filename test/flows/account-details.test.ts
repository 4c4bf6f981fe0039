import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { refreshTokenGrant } from 'openid-client'
import type { Member } from '../../accounts/member.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aRelyingParty } from '../support/rp.ts'
import { codeIn, linkIn, type SunkMail } from '../support/smtp-sink.ts'
import { accountSteps, addressOf, csrfOf, theAccountPages } from './account-support.ts'
import { theDate } from './support.ts'

const clock = theDate()
let idp: Idp
beforeAll(async () => {
  idp = await startIdp(theAccountPages(clock))
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})
const { aMemberHere, mailsTo, nextCode, signIn, accountUrl, atAccount } = accountSteps(
  () => idp,
  clock,
)

describe('The mail address', () => {
  /** Asks for a change and answers the code to the address on file. */
  const halfway = async (member: Member, visitor: Visitor, wanted: string) => {
    await clock.advance(61)
    const seen = mailsTo(addressOf(member)).length
    await visitor.visit(accountUrl('/email'))
    await visitor.submit('change', { email: wanted })
    expect(visitor.page.heading).toBe('今のメールアドレスを確認します')
    expect(mailsTo(wanted)).toEqual([])
    const code = await nextCode(addressOf(member), seen)
    await visitor.submit('email', { code })
    expect(visitor.page.heading).toBe('メールを確認してください')
    return idp.mails.waitFor(({ to }) => to === wanted)
  }

  test('changes once the codes to both addresses are answered, and its former holder is told', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const wanted = `new-${addressOf(member)}`
    const mail = await halfway(member, visitor, wanted)
    expect((await idp.memberOf(member)).email?.address).toBe(addressOf(member))
    await visitor.submit('email', { code: codeIn(mail) })
    expect(visitor.page.text).toContain('メールアドレスを変えました')
    expect((await idp.memberOf(member)).email).toEqual({
      address: wanted,
      verifiedAt: clock.now(),
    })
    const told = await idp.mails.waitFor(
      ({ to, subject }) => to === addressOf(member) && subject.includes('メールアドレスの変更'),
    )
    expect(linkIn(told)).toContain('/email-undo/')
    const welcome = await idp.mails.waitFor(
      ({ to, subject }) => to === wanted && subject.includes('メールアドレスの登録'),
    )
    expect(welcome.text).toContain('n•••••@example.jp')
    expect(welcome.text).not.toContain('http')
  })

  test('does not change by the new address’s code or a wrong one in place of the old', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await clock.advance(61)
    const seen = mailsTo(addressOf(member)).length
    await visitor.visit(accountUrl('/email'))
    await visitor.submit('change', { email: 'thief@example.jp' })
    const right = await nextCode(addressOf(member), seen)
    const page = await visitor.submit('email', { code: right === '123456' ? '123457' : '123456' })
    expect(page.status).toBe(422)
    expect(page.heading).toBe('今のメールアドレスを確認します')
    expect(mailsTo('thief@example.jp')).toEqual([])
    expect((await idp.memberOf(member)).email?.address).toBe(addressOf(member))
  })

  test('changes by the mailed link too, and the waiting page goes on', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const wanted = `link-${addressOf(member)}`
    const mail = await halfway(member, visitor, wanted)
    const status = await visitor.visit(accountUrl('/email-status'))
    expect(JSON.parse(status.body)).toEqual({ confirmed: false, delayed: false })
    const phone = aVisitor()
    await phone.visit(linkIn(mail))
    await phone.submit()
    expect((await idp.memberOf(member)).email?.address).toBe(wanted)
    const after = await visitor.visit(accountUrl('/email-status'))
    expect(JSON.parse(after.body)).toMatchObject({ confirmed: true })
    expect((await visitor.visit(accountUrl('/email'))).text).toContain('メールアドレスを変えました')
  })

  test('is not the one it is already, nor no address at all', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await visitor.visit(accountUrl('/email'))
    await visitor.submit('change', { email: addressOf(member) })
    expect(visitor.page.faults).toEqual(['今と同じアドレスです。別のアドレスを入力してください'])
    expect((await visitor.submit('change', { email: 'nobody' })).status).toBe(422)
  })

  test.each([
    ['given up for another', 'email-change', 'メールアドレスを変えます'],
    ['given up for good', 'email-keep', 'ログインの設定'],
  ])('does not change by the link of a change %s', async (_how, act, heading) => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const mail = await halfway(member, visitor, `gone-${addressOf(member)}`)
    const phone = aVisitor()
    const asked = await phone.visit(linkIn(mail))
    expect(asked.heading).toBe('このメールアドレスを確認します')
    // By whatever button: the waiting page has one of the two only.
    const { url } = visitor.page
    const page = await visitor.post(`${url.href}/${act}`, { csrf: csrfOf(visitor.page) })
    expect(page.heading).toBe(heading)
    await phone.submit()
    expect(phone.page.heading).not.toBe('確認できました')
    expect((await aVisitor().visit(linkIn(mail))).heading).not.toBe(asked.heading)
    expect((await idp.memberOf(member)).email?.address).toBe(addressOf(member))
  })
})

describe('The password', () => {
  test('changes with the current one, ends every other session and is told by mail', async () => {
    const member = await aMemberHere()
    const other = await atAccount(member)
    const visitor = await atAccount(member)
    await visitor.visit(accountUrl('/password'))
    await visitor.submit('change', { current: 'not-the-one', password: 'Kingyo_no_Hachi-39' })
    expect(visitor.page.status).toBe(422)
    expect(visitor.page.faults.join()).toContain('今のパスワードが違います')
    await visitor.submit('change', { current: A_PASSWORD, password: 'short' })
    expect(visitor.page.status).toBe(422)
    expect((await idp.memberOf(member)).password).toEqual(member.password)

    await visitor.submit('change', { current: A_PASSWORD, password: 'Kingyo_no_Hachi-39' })
    expect(visitor.page.text).toContain('パスワードを変えました')
    expect((await idp.memberOf(member)).password.hash).not.toBe(member.password.hash)
    expect((await other.visit(accountUrl())).heading).toBe('ログイン')
    expect((await visitor.visit(accountUrl())).heading).toBe('ログインの設定')
    await idp.mails.waitFor(
      ({ to, subject }) => to === addressOf(member) && subject.includes('パスワードが変更'),
    )
  })
})

describe('Signed-in devices', () => {
  const PC = {
    headers: {
      'User-Agent':
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    },
  }

  /** One that outlives its session, as the engine would store it under this grant. */
  const aRefreshToken = async (member: Member, grantId: string): Promise<string> => {
    const id = randomBytes(32).toString('base64url')
    const now = clock.now()
    const lifetime = { iat: now, exp: now + 86_400, iiat: now }
    const owner = { accountId: member.id, clientId: 'health-portal', grantId }
    const kind = { kind: 'RefreshToken', jti: id, gty: 'authorization_code', scope: 'openid' }
    const payload = { ...kind, ...owner, ...lifetime }
    await idp.services.artifacts('RefreshToken').upsert(id, payload, 86_400)
    return id
  }

  test('another browser’s session is ended with its tokens at once', async () => {
    const member = await aMemberHere()
    const rp = await aRelyingParty(idp, idp.client())
    const pc = aVisitor(PC)
    await pc.visit(await rp.authorizationUrl())
    const tokens = await rp.finish((await signIn(pc, member)).url)
    expect(await rp.userInfo(tokens)).toHaveProperty('sub')
    const [session] = await idp.services.sessions.list(member.id)
    const refreshToken = await aRefreshToken(member, session?.grantIds[0] ?? '')
    expect(await refreshTokenGrant(rp.config, refreshToken)).toHaveProperty('access_token')

    const visitor = await atAccount(member)
    expect(visitor.page.text).toContain('Chrome・Windows')
    await visitor.submit('ログアウトさせる')
    expect(visitor.page.text).toContain('選んだ端末をログアウトしました')
    expect(visitor.page.text).not.toContain('Chrome・Windows')

    await expect(rp.userInfo(tokens)).rejects.toThrow()
    await expect(refreshTokenGrant(rp.config, refreshToken)).rejects.toThrow()
    expect((await pc.visit(accountUrl())).heading).toBe('ログイン')
    expect((await visitor.visit(accountUrl())).heading).toBe('ログインの設定')
  })

  test('all others are ended together, and the list no longer names them', async () => {
    const member = await aMemberHere()
    const others = [await atAccount(member), await atAccount(member)]
    const visitor = await atAccount(member)
    await visitor.submit('end-others')
    for (const other of others) {
      expect((await other.visit(accountUrl())).heading).toBe('ログイン')
    }
    expect(visitor.page.root.querySelectorAll('form[action$="/sessions/end"]')).toEqual([])
  })

  test('a session that has run out by itself is not listed', async () => {
    const member = await aMemberHere()
    await atAccount(member, PC)
    await clock.advance(30 * 60 + 1)
    const visitor = await atAccount(member)
    expect(visitor.page.text).not.toContain('Chrome・Windows')
  })

  test('another member’s session cannot be ended', async () => {
    const owner = await aMemberHere()
    const theirs = await atAccount(owner)
    const visitor = await atAccount(await aMemberHere())
    const [session] = await idp.services.sessions.list(owner.id)
    await visitor.post(accountUrl('/sessions/end'), {
      csrf: csrfOf(await visitor.visit(accountUrl('/email'))),
      uid: session?.uid ?? '',
    })
    expect((await theirs.visit(accountUrl())).heading).toBe('ログインの設定')
  })
})

describe('The history', () => {
  test('shows each sign-in with its time, device, service and methods', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const rp = await aRelyingParty(idp, idp.client())
    await visitor.visit(await rp.authorizationUrl({ prompt: 'login' }))
    await signIn(visitor, member)
    await visitor.visit(accountUrl('/history'))
    const rows = visitor.page.root.querySelectorAll('.item')
    expect(rows).toHaveLength(2)
    expect(rows[0]?.text).toContain('健康ポータル')
    expect(rows[0]?.text).toContain('パスワード・メールのコード')
    expect(rows[1]?.text).toContain('ログインの設定')
  })

  test('a browser the member has not used before is told by mail, the first one is not', async () => {
    const member = await aMemberHere()
    const isNews = ({ to, subject }: SunkMail) =>
      to === addressOf(member) && subject.includes('新しい端末')
    const visitor = await atAccount(member)
    await clock.advance(301)
    await visitor.visit(accountUrl('/email'))
    await visitor.follow('ログインへ進む')
    await signIn(visitor, member)
    expect(idp.mails.mails.filter(isNews)).toEqual([])
    await atAccount(member)
    await idp.mails.waitFor(isNews)
    expect(idp.mails.mails.filter(isNews)).toHaveLength(1)
  })
})
