import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { memberKey } from '../../interactions/account-key.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { codeIn } from '../support/smtp-sink.ts'
import { holding } from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  anOldHand,
  codeMails,
  csrfOf,
  type Journey,
  mailsTo,
  newestMail,
  PAGE,
  settled,
  theDate,
} from './support.ts'

const SECOND_PAGE = '2つ目のメールアドレスを登録します'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({ clock: theDate() })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

let made = 0
const aSecondAddress = (): string => {
  made += 1
  return `second${made}@work.example.com`
}
const firstOf = ({ email }: Member): string => email?.address ?? ''

const stored = async (member: Member) => (await idp.memberOf(member)).secondEmail?.address

const account = (place = ''): string => `${idp.issuer}/account/sakura${place}`

/** A member who has just signed in to the account page by a code to the first address. */
const atAccount = async (over: Partial<Member> = {}): Promise<Journey> => {
  const journey = await aJourneyOf(idp, anOldHand(idp.clock.now(), over))
  await journey.visitor.visit(account())
  await journey.walkTo('ログインの設定')
  return journey
}

/** A member with a second address at the page that asks for a sign-in code. */
const asked = async (): Promise<Journey & { second: string }> => {
  const second = aSecondAddress()
  const journey = await aJourneyOf(
    idp,
    anOldHand(idp.clock.now(), { secondEmail: { address: second, verifiedAt: idp.clock.now() } }),
  )
  await journey.start()
  await journey.walkTo(PAGE.emailCode)
  return Object.assign(journey, { second })
}

const type = ({ visitor }: Journey, code: string) => visitor.submit('verifyFactor', { code })

describe('A second address at the account page', () => {
  test('is added by a code sent there, and both addresses are told', async () => {
    const { visitor, member } = await atAccount()
    const second = aSecondAddress()
    await visitor.follow('追加する')
    expect(visitor.page.heading).toBe(SECOND_PAGE)
    await visitor.submit('add', { email: second })
    expect(visitor.page.heading).toBe(PAGE.emailWait)
    expect(await stored(member)).toBeUndefined()
    const mail = await newestMail(idp, second)
    expect(mail.text).not.toContain('http')
    await visitor.submit('email', { code: codeIn(mail) })
    expect(visitor.page.text).toContain('2つ目のアドレスを登録しました')
    expect(visitor.page.text).toContain('s•••••@work.example.com')
    expect(visitor.page.body).not.toContain(second)
    expect(await stored(member)).toBe(second)
    await settled(idp)
    for (const to of [firstOf(member), second]) {
      const told = mailsTo(idp, to).filter(({ subject }) => subject.includes('追加されました'))
      expect(told.map(({ text }) => text.includes('2つ目のメールアドレス'))).toEqual([true])
    }
  })

  test('takes no wrong code, and no code of another purpose', async () => {
    const { visitor, member } = await atAccount()
    const second = aSecondAddress()
    const signInCode = codeIn(await newestMail(idp, firstOf(member)))
    await visitor.visit(account('/second-email'))
    await visitor.submit('add', { email: second })
    const right = codeIn(await newestMail(idp, second))
    const wrong = right === '123456' ? '123457' : '123456'
    expect((await visitor.submit('email', { code: wrong })).status).toBe(422)
    if (signInCode !== right) {
      expect((await visitor.submit('email', { code: signInCode })).status).toBe(422)
    }
    expect(await stored(member)).toBeUndefined()
  })

  test('its code changes nothing on the page of the first address', async () => {
    const { visitor, member } = await atAccount()
    const second = aSecondAddress()
    await visitor.visit(account('/second-email'))
    await visitor.submit('add', { email: second })
    const csrf = csrfOf(visitor.page)
    const code = codeIn(await newestMail(idp, second))
    const page = await visitor.visit(account('/email'))
    expect(page.heading).toBe('メールアドレスを変えます')
    await visitor.post(account('/email/email'), { csrf, code })
    expect((await idp.memberOf(member)).email?.address).toBe(firstOf(member))
    expect(await stored(member)).toBeUndefined()
  })

  test('is not the first one, nor does the first one become it', async () => {
    const second = aSecondAddress()
    const { visitor, member } = await atAccount()
    await visitor.visit(account('/second-email'))
    const held = ['このアドレスは登録済みです。別のアドレスを入力してください']
    expect((await visitor.submit('add', { email: firstOf(member) })).faults).toEqual(held)
    await idp.services.members.save({
      ...(await idp.memberOf(member)),
      secondEmail: { address: second, verifiedAt: idp.clock.now() },
    })
    await visitor.visit(account('/email'))
    expect((await visitor.submit('change', { email: second })).faults).toEqual(held)
    expect(await codeMails(idp, second)).toEqual([])
  })

  test('is removed, and both are told', async () => {
    const second = aSecondAddress()
    const now = idp.clock.now()
    const { visitor, member } = await atAccount({
      secondEmail: { address: second, verifiedAt: now },
    })
    await visitor.visit(account('/second-email'))
    await visitor.submit('remove')
    expect(visitor.page.text).toContain('2つ目のアドレスを外しました')
    expect(await stored(member)).toBeUndefined()
    await settled(idp)
    for (const to of [firstOf(member), second]) {
      const told = mailsTo(idp, to).filter(({ subject }) => subject.includes('外されました'))
      expect(told).toHaveLength(1)
    }
  })

  test('is neither added nor removed without a proof of the last five minutes', async () => {
    const second = aSecondAddress()
    const { visitor, member } = await atAccount()
    await visitor.visit(account('/second-email'))
    await idp.clock.advance(301)
    const page = await visitor.submit('add', { email: second })
    expect(page.heading).toBe('もう一度ログインしてください')
    await settled(idp)
    expect(mailsTo(idp, second)).toEqual([])
    await idp.services.members.save({
      ...(await idp.memberOf(member)),
      secondEmail: { address: second, verifiedAt: idp.clock.now() },
    })
    await visitor.post(account('/second-email/remove'), { csrf: csrfOf(page) })
    expect(await stored(member)).toBe(second)
  })

  test('a change of the first address is told to the new one and to the second, undone only from the former', async () => {
    const second = aSecondAddress()
    const now = idp.clock.now()
    const { visitor, member } = await atAccount({
      secondEmail: { address: second, verifiedAt: now },
    })
    await idp.clock.advance(61)
    const wanted = `new-${firstOf(member)}`
    await visitor.visit(account('/email'))
    await visitor.submit('change', { email: wanted })
    await visitor.submit('email', { code: codeIn(await newestMail(idp, firstOf(member))) })
    await visitor.submit('email', { code: codeIn(await newestMail(idp, wanted)) })
    expect(visitor.page.text).toContain('メールアドレスを変えました')
    expect(await stored(member)).toBe(second)
    await settled(idp)
    for (const to of [wanted, second]) {
      const told = mailsTo(idp, to).at(-1)
      expect(told?.subject).toContain('メールアドレスの登録')
      expect(told?.text).not.toContain('http')
    }
    expect(mailsTo(idp, firstOf(member)).at(-1)?.text).toContain('/email-undo/')
  })
})

describe('A second address at a sign-in', () => {
  test('gets the code on request, the page says which address it went to, and both are masked', async () => {
    const journey = await asked()
    const { visitor, member, second } = journey
    expect(visitor.page.text).toContain('m•••••@example.jp に確認メールを送りました')
    expect(visitor.page.text).toContain('もう1つのアドレス（s•••••@work.example.com）に送る')
    expect(await codeMails(idp, second)).toEqual([])
    await visitor.submit('email-other')
    expect(visitor.page.text).toContain('s•••••@work.example.com に確認メールを送りました')
    expect(visitor.page.text).toContain('もう1つのアドレス（m•••••@example.jp）に送る')
    for (const address of [firstOf(member), second]) {
      expect(visitor.page.body).not.toContain(address)
    }
    const [first] = await codeMails(idp, firstOf(member))
    const [other] = await codeMails(idp, second)
    if (!first || !other) throw new Error('a mail is missing')
    if (codeIn(first) !== codeIn(other)) {
      expect((await type(journey, codeIn(first))).faults.join()).toContain('コードが違います')
    }
    expect((await type(journey, codeIn(other))).heading).toBe(PAGE.signedIn)
    expect((await journey.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })

  test('going back waits for the first mail again and sends no other', async () => {
    const journey = await asked()
    await journey.visitor.submit('email-other')
    const page = await journey.visitor.submit('email-other')
    expect(page.faults).toEqual([])
    expect(page.text).toContain('m•••••@example.jp に確認メールを送りました')
    const mails = await codeMails(idp, firstOf(journey.member))
    expect(mails).toHaveLength(1)
    expect(await codeMails(idp, journey.second)).toHaveLength(1)
    expect((await type(journey, await journey.newestCode())).heading).toBe(PAGE.signedIn)
  })

  test('gives no more mails an hour and no more tries than one address', async () => {
    const journey = await asked()
    const { visitor, member, second } = journey
    await visitor.submit('email-other')
    for (let mail = 3; mail <= 5; mail += 1) {
      await settled(idp)
      await idp.clock.advance(61)
      await visitor.submit('email-resend')
    }
    await idp.clock.advance(61)
    expect((await visitor.submit('email-resend')).faults.join()).toContain('今はメールを送れません')
    const mails = [...(await codeMails(idp, firstOf(member))), ...(await codeMails(idp, second))]
    expect(mails).toHaveLength(5)
    const { throttle, settings } = idp.services
    for (let tries = 0; tries < 20; tries += 1) {
      await throttle.count('emailCodePerMember', memberKey(settings, member.id))
    }
    const page = await type(journey, codeIn(await newestMail(idp, second)))
    expect(page.faults.join()).toContain('回数が多いため')
  })

  test('a code to an address that was removed meanwhile is worth nothing', async () => {
    const journey = await asked()
    await journey.visitor.submit('email-other')
    const code = codeIn(await newestMail(idp, journey.second))
    const { secondEmail: _, ...without } = await idp.memberOf(journey.member)
    await idp.services.members.save(without)
    const page = await type(journey, code)
    expect(page.heading).toBe(PAGE.emailCodeUnsent)
    expect(page.text).not.toContain('もう1つのアドレス')
  })

  test('who has one address only is offered no other', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    const page = await journey.walkTo(PAGE.emailCode)
    expect(page.text).not.toContain('もう1つのアドレス')
    const posted = await journey.visitor.post(`${page.url.href}/email-other`, {
      csrf: csrfOf(page),
    })
    expect(posted.heading).toBe(PAGE.emailCode)
    expect(await codeMails(idp, firstOf(journey.member))).toHaveLength(1)
  })

  test('is no way past a passkey: no code goes there', async () => {
    const second = aSecondAddress()
    const base = anOldHand(idp.clock.now(), {
      secondEmail: { address: second, verifiedAt: idp.clock.now() },
    })
    const { member, keys } = await holding(idp, ['passkey'], base)
    const journey = await aJourneyOf(idp, member, { keys })
    await journey.start()
    const page = await journey.walkTo(PAGE.verifyPasskey)
    await journey.visitor.post(`${page.url.href}/email-other`, { csrf: csrfOf(page) })
    expect(journey.visitor.page.heading).toBe(PAGE.verifyPasskey)
    expect(await codeMails(idp, second)).toEqual([])
  })
})

describe('A forgotten password', () => {
  test('is mended by the first address alone', async () => {
    const second = aSecondAddress()
    const { member } = await aJourneyOf(
      idp,
      anOldHand(idp.clock.now(), { secondEmail: { address: second, verifiedAt: idp.clock.now() } }),
    )
    const visitor: Visitor = aVisitor()
    await visitor.visit(account())
    await visitor.submit('forgot-password')
    const [year = '', month = '', day = ''] = member.birthdate.split('-')
    await visitor.submit('reset-request', {
      username: member.loginId,
      era: 'seireki',
      year,
      month,
      day,
    })
    expect(await codeMails(idp, firstOf(member))).toHaveLength(1)
    expect(mailsTo(idp, second)).toEqual([])
  })
})

describe('The reference number of a code', () => {
  const referenceOn = (text: string) => /受付番号[：\s]*([A-Z]{2}\d{2}[A-Z]{2})/u.exec(text)?.[1]

  test('is the same on the page and in its mail, and another for each sign-in', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    const first = await journey.walkTo(PAGE.emailCode)
    const mail = await newestMail(idp, firstOf(journey.member))
    expect(referenceOn(mail.text)).toMatch(/^[A-Z]{2}\d{2}[A-Z]{2}$/u)
    expect(referenceOn(first.text)).toBe(referenceOn(mail.text))
    await idp.clock.advance(61)
    const again = await journey.visitor.submit('email-resend')
    expect(referenceOn(again.text)).toBe(referenceOn(first.text))
    await idp.clock.advance(61)
    const other = await aJourney(idp, journey.member)
    await other.start()
    const second = await other.walkTo(PAGE.emailCode)
    expect(referenceOn(second.text)).toBeDefined()
    expect(referenceOn(second.text)).not.toBe(referenceOn(first.text))
  })

  test('is not shown where no code could be sent', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    for (let mails = 0; mails < 5; mails += 1) {
      await idp.services.throttle.count('mailPerHour', journey.member.id)
    }
    await journey.start()
    const page = await journey.walkTo(PAGE.emailCodeUnsent)
    expect(page.text).not.toContain('受付番号')
    expect(page.text).not.toContain(journey.member.id)
  })
})

describe('New recovery codes made during a sign-in', () => {
  test('are told by mail', async () => {
    const base = anOldHand(idp.clock.now())
    const { member, keys } = await holding(idp, ['passkey', 'recoveryCode'], base)
    const journey = await aJourneyOf(idp, { ...member, recoveryCodesDue: true }, { keys })
    await journey.start()
    await journey.walkTo(PAGE.recoveryCodes)
    await journey.finish()
    await settled(idp)
    const told = mailsTo(idp, firstOf(member)).filter(({ text }) => text.includes('回復コード'))
    expect(told.map(({ subject }) => subject.includes('追加されました'))).toEqual([true])
  })
})
