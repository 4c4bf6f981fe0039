import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { linkTokenOf } from '../../factors/email-code.ts'
import { undoKey } from '../../interactions/confirm-address.ts'
import { aVisitor } from '../support/agent.ts'
import { A_PASSWORD, aMember } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import {
  appOf,
  aSettledMember,
  askForReset,
  aVisit,
  bare,
  mailsTo,
  NEW_PASSWORD,
  newestCode,
  PAGE,
  passFor,
  signIn,
  type Visit,
  withApp,
} from './recovery-support.ts'
import { settled, theDate } from './support.ts'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({ clock: theDate() })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

const stored = (member: Member) => idp.services.members.save(member)
const actsOf = async ({ id }: Member) =>
  (await idp.services.audit.eventsOf(id)).map(({ act }) => act)
/** A second later: what two instances do is told in its order by the second. */
const laterWith = async (pass: Promise<string>): Promise<string> => {
  const issued = await pass
  await idp.clock.advance(1)
  return issued
}
const subjectsTo = async (member: Member) => {
  await settled(idp)
  return mailsTo(idp, member.email?.address).map(({ subject }) => subject)
}

/** A member with an authenticator app, in the store. */
const anAppMember = async (over: Partial<Member> = {}) => {
  const { member, app } = await withApp(idp, aSettledMember())
  return { member: await stored({ ...member, ...over }), app }
}

/** Up to the page for the new password. */
const proveMailbox = async (visit: Visit, member: Member) => {
  await askForReset(visit, member)
  return visit.visitor.submit('reset-code', { code: await newestCode(idp, member) })
}

describe('a forgotten password', () => {
  test('is replaced by a code to the mailbox, and the app is asked for as before', async () => {
    const { member, app } = await anAppMember()
    const visit = await aVisit(idp)
    const { visitor, rp } = visit
    await proveMailbox(visit, member)
    expect(visitor.page.heading).toBe(PAGE.resetPassword)
    await visitor.submit('reset-password', { password: NEW_PASSWORD })

    expect(visitor.page.heading).toBe(PAGE.password)
    expect(visitor.page.text).toContain('新しいパスワードでログインしてください')
    expect((await signIn(visit, member)).status).toBe(422)
    await signIn(visit, member, NEW_PASSWORD)
    expect(visitor.page.heading).toBe(PAGE.app)
    await visitor.submit('verifyFactor', { code: app.codeAt(idp.clock.now()) })
    const tokens = await rp.finish(visitor.page.url)
    expect(tokens.claims()?.acr).toBe('https://refeds.org/profile/mfa')

    expect(await subjectsTo(member)).toContain('【さくら健康保険組合】パスワードが変更されました')
    expect(await actsOf(member)).toEqual(['passwordReset'])
    expect((await idp.memberOf(member)).credentials.map(({ factor }) => factor)).toEqual(['totp'])
    expect((await idp.memberOf(member)).password.setByMailbox).toBeUndefined()
  })

  test('does not make the mailbox a way round the app of one who may use both', async () => {
    const { member } = await anAppMember({ chosenFactor: 'emailCode' })
    const visit = await aVisit(idp)
    await proveMailbox(visit, member)
    await visit.visitor.submit('reset-password', { password: NEW_PASSWORD })
    const page = await signIn(visit, member, NEW_PASSWORD)
    expect(page.heading).toBe(PAGE.app)
    expect(page.root.querySelectorAll('input[name=method]')).toEqual([])
  })

  test('of a member whose second factor is the mailbox takes the desk’s pass too', async () => {
    const member = await stored(aSettledMember())
    const other = await stored(aSettledMember())
    const visit = await aVisit(idp)
    const { visitor, rp } = visit
    const page = await proveMailbox(visit, member)
    expect(page.text).toContain('メールだけではパスワードを変えられません')

    const foreign = await passFor(idp, other)
    for (const pass of ['', '0000-0000-0000', foreign]) {
      const refused = await visitor.submit('reset-password', { pass, password: NEW_PASSWORD })
      expect(refused.status).toBe(422)
      expect(refused.faults.join()).toMatch(/番号/u)
    }
    expect((await idp.memberOf(member)).password.hash).toBe(member.password.hash)

    const pass = await laterWith(passFor(idp, member))
    await visitor.submit('reset-password', { pass: pass.toLowerCase(), password: NEW_PASSWORD })
    expect(visitor.page.heading).toBe(PAGE.password)
    expect(await actsOf(member)).toEqual(['deskPassIssued', 'deskPassUsed', 'passwordReset'])
    expect((await idp.memberOf(other)).deskPass).toBeDefined()

    await signIn(visit, member, NEW_PASSWORD)
    expect(visitor.page.heading).toBe(PAGE.emailCode)
    await visitor.submit('verifyFactor', { code: await newestCode(idp, member) })
    if (visitor.page.heading === PAGE.choosePlace) {
      await visitor.submit('choose-place', { ownPc: true })
    }
    await visitor.submit('chooseFactor', { factor: 'emailCode' })
    expect((await rp.finish(visitor.page.url)).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })

  test('is not replaced by the present one, nor by a weak one', async () => {
    const { member } = await anAppMember()
    const visit = await aVisit(idp)
    await proveMailbox(visit, member)
    for (const password of [A_PASSWORD, 'short', '']) {
      const refused = await visit.visitor.submit('reset-password', { password })
      expect(refused.status).toBe(422)
      expect(refused.heading).toBe(PAGE.resetPassword)
    }
    expect((await idp.memberOf(member)).password.hash).toBe(member.password.hash)
  })

  test('ends the sessions of other browsers', async () => {
    const { member, app } = await anAppMember()
    const before = await aVisit(idp)
    await signIn(before, member)
    await before.visitor.submit('verifyFactor', { code: app.codeAt(idp.clock.now()) })
    expect(before.visitor.page.heading).toBe(PAGE.signedIn)
    const silently = async () =>
      (await before.visitor.visit(await before.rp.authorizationUrl({ prompt: 'none' }))).url
        .searchParams
    expect((await silently()).get('code')).not.toBeNull()

    const visit = await aVisit(idp)
    await proveMailbox(visit, member)
    await visit.visitor.submit('reset-password', { password: NEW_PASSWORD })
    expect((await silently()).get('error')).toBe('login_required')
  })

  test('is replaced once, though two browsers have proven the mailbox', async () => {
    const { member } = await anAppMember()
    const visits = [await aVisit(idp), await aVisit(idp)]
    for (const visit of visits) await proveMailbox(visit, member)
    const [first, second] = visits
    await first!.visitor.submit('reset-password', { password: NEW_PASSWORD })
    const { hash } = (await idp.memberOf(member)).password
    await idp.clock.advance(1)
    const late = await second!.visitor.submit('reset-password', { password: 'Suzume-no-Oyado-7!' })
    expect(late.heading).toBe(PAGE.forgotPassword)
    expect((await idp.memberOf(member)).password.hash).toBe(hash)
  })

  test('lifts the pause after wrong passwords, of which the member was told once by mail', async () => {
    const { member } = await anAppMember()
    const visit = await aVisit(idp)
    for (let tries = 0; tries < 12; tries += 1) await signIn(visit, member, 'Wrong-Password-1')
    expect(visit.visitor.page.faults.join()).toContain('使えません')
    const paused = (await subjectsTo(member)).filter((subject) => /一時停止/u.test(subject))
    expect(paused).toHaveLength(1)

    await proveMailbox(visit, member)
    await visit.visitor.submit('reset-password', { password: NEW_PASSWORD })
    expect((await signIn(visit, member, NEW_PASSWORD)).heading).toBe(PAGE.app)
  })
})

describe('who asks for a reset learns nothing', () => {
  /** Everybody a stranger may name, and whether a mail goes out. */
  const claims = async () => {
    const { member } = await anAppMember()
    const unproven = await stored(aSettledMember({ email: { address: 'unproven@example.jp' } }))
    const newcomer = await stored(
      aMember({ ...aSettledMember(), enrolledAt: 0, password: aMember().password }),
    )
    return [
      { who: 'a member', loginId: member.loginId, birthdate: member.birthdate, member },
      { who: 'a wrong birth date', loginId: member.loginId, birthdate: '1985-04-02', member },
      { who: 'nobody', loginId: '99999-1', birthdate: '1985-04-01' },
      { who: 'no proven address', loginId: unproven.loginId, birthdate: unproven.birthdate },
      { who: 'an initial password', loginId: newcomer.loginId, birthdate: newcomer.birthdate },
    ]
  }

  test('the page, wrong codes and a resend answer alike for everybody', async () => {
    const seen = new Map<string, readonly string[]>()
    for (const claim of await claims()) {
      const visit = await aVisit(idp)
      const asked = await askForReset(visit, claim)
      expect(asked.heading).toBe(PAGE.resetCode)
      const pages = [asked]
      const right = claim.who === 'a member' ? await newestCode(idp, claim.member!) : ''
      const wrong = right === '000001' ? '000002' : '000001'
      for (const code of ['', '12', wrong, wrong]) {
        pages.push(await visit.visitor.submit('reset-code', { code }))
      }
      pages.push(await visit.visitor.submit('reset-resend'))
      pages.push(await visit.visitor.submit('reset-resend'))
      for (let tries = 0; tries < 5; tries += 1) {
        pages.push(await visit.visitor.submit('reset-code', { code: wrong }))
      }
      seen.set(claim.who, pages.map(bare))
    }
    const [first, ...others] = [...seen.values()]
    for (const pages of others) expect(pages).toEqual(first)
  })

  test('a mail goes to the one member whose birth date fits, and to nobody else', async () => {
    const all = await claims()
    await settled(idp)
    const before = idp.mails.mails.length
    for (const claim of all) await askForReset(await aVisit(idp), claim)
    await settled(idp)
    const sent = idp.mails.mails.slice(before).map(({ to, subject }) => ({ to, subject }))
    expect(sent).toEqual([
      { to: all[0]!.member!.email?.address, subject: '【さくら健康保険組合】パスワードの再設定' },
    ])
  })

  test('the sixth request in an hour is refused alike, and stops nobody from signing in', async () => {
    const { member } = await anAppMember()
    const answers = []
    for (const claim of [member, { loginId: '99999-2', birthdate: '1985-04-01' }]) {
      for (let times = 0; times < 5; times += 1) {
        expect((await askForReset(await aVisit(idp), claim)).heading).toBe(PAGE.resetCode)
      }
      const refused = await askForReset(await aVisit(idp), claim)
      expect(refused.faults.join()).toMatch(/次は.+から送れます/u)
      answers.push(bare(refused).replaceAll(claim.loginId, ''))
    }
    expect(answers[1]).toBe(answers[0])
    expect((await signIn(await aVisit(idp), member)).heading).toBe(PAGE.app)
  })

  test('a paused sign-in answers alike, and nobody is written to who is not there', async () => {
    const member = await stored(aSettledMember())
    const ghost = { ...member, loginId: '99999-3' }
    const answers: string[] = []
    for (const one of [member, ghost]) {
      const visit = await aVisit(idp)
      for (let tries = 0; tries < 11; tries += 1) await signIn(visit, one, 'Wrong-Password-1')
      answers.push(
        bare(visit.visitor.page)
          .replaceAll(one.loginId, '')
          .replace(/id="passkey-options"[^<]*</u, ''),
      )
    }
    expect(answers[1]).toBe(answers[0])
    expect(await subjectsTo(member)).toEqual(['【さくら健康保険組合】ログインを一時停止しました'])
  })
})

describe('a forgotten user ID', () => {
  const askForId = async (address: string) => {
    const { visitor } = await aVisit(idp)
    await visitor.submit('forgot-id')
    return visitor.submit('id-request', { email: address })
  }

  test('comes by mail, with those of the whole family that shares the mailbox', async () => {
    const email = { address: 'ie-1@example.jp', verifiedAt: 1 }
    const family = [
      await stored(aSettledMember({ email })),
      await stored(aSettledMember({ email })),
    ]
    const elsewhere = await stored(aSettledMember({ email, societyId: 'minato' }))
    await askForId('ie-1@EXAMPLE.jp')
    await settled(idp)
    const [mail, ...more] = mailsTo(idp, 'ie-1@example.jp')
    expect(more).toEqual([])
    for (const { loginId } of family) expect(mail?.text).toContain(loginId)
    expect(mail?.text).not.toContain(elsewhere.loginId)
    expect(mail?.text).not.toContain(family[0]?.birthdate)
  })

  test('is asked for with the same answer whether the address is anybody’s', async () => {
    const member = await stored(aSettledMember())
    const unproven = await stored(aSettledMember({ email: { address: 'unproven-2@example.jp' } }))
    const addresses = [member.email!.address, unproven.email!.address, 'nobody@example.jp']
    const pages = []
    for (const address of addresses) {
      pages.push(bare(await askForId(address)).replaceAll(address, ''))
    }
    expect(pages[1]).toBe(pages[0])
    expect(pages[2]).toBe(pages[0])
    expect(await subjectsTo(member)).toHaveLength(1)
    expect(await subjectsTo(unproven)).toEqual([])
    expect(mailsTo(idp, 'nobody@example.jp')).toEqual([])
  })
})

describe('a lost phone', () => {
  /** At the page that lists the ways. */
  const atLost = async (member: Member) => {
    const visit = await aVisit(idp)
    expect((await signIn(visit, member)).heading).toBe(PAGE.app)
    await visit.visitor.submit('lost-factor')
    expect(visit.visitor.page.heading).toBe(PAGE.lost)
    return visit
  }
  const chooseApp = async ({ visitor }: Visit) => {
    if (visitor.page.heading === PAGE.choosePlace) {
      await visitor.submit('choose-place', { ownPc: true })
    }
    return visitor.submit('chooseFactor', { factor: 'totp' })
  }

  test('and a pass from the desk lead to a new app in the same sign-in', async () => {
    const { member, app: lost } = await anAppMember()
    const visit = await atLost(member)
    const { visitor, rp } = visit
    expect(visitor.page.text).toContain('電話でお問い合わせください')
    await visitor.submit('desk-pass', { pass: await laterWith(passFor(idp, member)) })
    expect((await idp.memberOf(member)).credentials).toEqual([])
    expect((await idp.memberOf(member)).deskPass).toBeUndefined()

    expect((await chooseApp(visit)).heading).toBe(PAGE.registerApp)
    const key = visitor.page.root.querySelector('a[href^=otpauth]')?.getAttribute('href') ?? ''
    const app = appOf(new URL(key).searchParams.get('secret') ?? '')
    await visitor.submit('registerFactor', { code: app.codeAt(idp.clock.now()) })
    expect(visitor.page.heading).toBe(PAGE.recoveryCodes)
    await visitor.submit('recoveryCodes', { saved: true })
    const claims = (await rp.finish(visitor.page.url)).claims()
    expect(claims?.acr).toBe('https://refeds.org/profile/mfa')
    expect(claims?.amr).toEqual(['pwd', 'otp', 'mfa'])

    expect(await subjectsTo(member)).toContain(
      '【さくら健康保険組合】認証方法の登録がやり直されています',
    )
    const events = await idp.services.audit.eventsOf(member.id)
    expect(events.map(({ act, operator, facts }) => ({ act, operator, facts }))).toEqual([
      { act: 'deskPassIssued', operator: '山田花子', facts: { minutes: '60' } },
      { act: 'deskPassUsed', facts: {} },
      { act: 'methodsRemoved', facts: { methods: 'totp' } },
    ])
    const again = await aVisit(idp)
    await signIn(again, member)
    const old = await again.visitor.submit('verifyFactor', { code: lost.codeAt(idp.clock.now()) })
    expect(old.status).toBe(422)
  })

  test('and a pass alone sign nobody in: who chooses e-mail codes is asked for one', async () => {
    const { member } = await anAppMember()
    const visit = await atLost(member)
    const { visitor, rp } = visit
    await visitor.submit('desk-pass', { pass: await passFor(idp, member) })
    if (visitor.page.heading === PAGE.choosePlace) {
      await visitor.submit('choose-place', { ownPc: true })
    }
    await visitor.submit('chooseFactor', { factor: 'emailCode' })
    expect(visitor.page.heading).toBe(PAGE.emailCode)
    await visitor.submit('verifyFactor', { code: await newestCode(idp, member) })
    expect((await rp.finish(visitor.page.url)).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })

  test('the pass is used once by twenty browsers that send it at once', async () => {
    const { member } = await anAppMember()
    const pass = await passFor(idp, member)
    const visits: Visit[] = []
    for (let one = 0; one < 20; one += 1) visits.push(await atLost(member))
    const pages = await Promise.all(
      visits.map(({ visitor }) => visitor.submit('desk-pass', { pass })),
    )
    const through = pages.filter(({ status }) => status === 200)
    expect(through).toHaveLength(1)
    expect([PAGE.choosePlace, PAGE.choose]).toContain(through[0]?.heading)
    expect(pages.filter(({ status }) => status === 422)).toHaveLength(19)
    expect((await actsOf(member)).filter((act) => act === 'deskPassUsed')).toHaveLength(1)
  })

  test('a pass that has been used, has run out or is another’s opens nothing', async () => {
    const { member } = await anAppMember()
    const { member: other } = await anAppMember()
    const foreign = await passFor(idp, other)
    const expired = await passFor(idp, member, 10)
    await idp.clock.advance(600)
    const { visitor } = await atLost(member)
    for (const pass of [foreign, expired]) {
      const page = await visitor.submit('desk-pass', { pass })
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain('番号が違うか、期限')
    }
    const replaced = await passFor(idp, member)
    const pass = await passFor(idp, member)
    expect((await visitor.submit('desk-pass', { pass: replaced })).status).toBe(422)
    expect((await visitor.submit('desk-pass', { pass })).status).toBe(200)
    expect((await idp.memberOf(other)).credentials).toHaveLength(1)
  })

  test('after five wrong passes the right one is not taken for a while', async () => {
    const { member } = await anAppMember()
    const { visitor } = await atLost(member)
    const pass = await passFor(idp, member)
    for (let tries = 0; tries < 5; tries += 1) {
      await visitor.submit('desk-pass', { pass: '0000-0000-0000' })
    }
    const page = await visitor.submit('desk-pass', { pass })
    expect(page.faults.join()).toContain('回数が多いため')
    expect((await idp.memberOf(member)).credentials).toHaveLength(1)
  })

  test('without the password no pass is looked at', async () => {
    const { member } = await anAppMember()
    const pass = await passFor(idp, member)
    const { visitor } = await aVisit(idp)
    const csrf = visitor.page.root.querySelector('input[name=csrf]')?.getAttribute('value') ?? ''
    const page = await visitor.post(new URL(`${visitor.page.url.pathname}/desk-pass`, idp.issuer), {
      csrf,
      pass,
    })
    expect(page.heading).toBe(PAGE.password)
    expect((await idp.memberOf(member)).deskPass).toBeDefined()
  })
})

describe('a sign-in that was stopped', () => {
  test('by the former holder of the address is opened again by the desk’s pass', async () => {
    const { member } = await anAppMember()
    const former = 'former@example.jp'
    const change = { memberId: member.id, former, address: member.email?.address, changedAt: 1 }
    await idp.services.transient.put(undoKey('change-1'), change, 600)
    const token = linkTokenOf(idp.services.settings.codeKey, 'undo-change-1')
    const holder = aVisitor()
    await holder.visit(`${idp.issuer}/email-undo/${token}`)
    await holder.submit()
    expect(await actsOf(member)).toEqual(['addressChangeUndone'])

    const stopped = await aVisit(idp)
    expect((await signIn(stopped, member)).heading).toBe(PAGE.stopped)
    const pass = await passFor(idp, member)
    const { visitor } = await aVisit(idp, stopped.visitor)
    if (visitor.page.heading === PAGE.password) await signIn(stopped, member)
    expect(visitor.page.heading).toBe(PAGE.deskPass)
    await visitor.submit('deskPass', { pass })
    expect(visitor.page.heading).toBe(PAGE.email)
    expect((await idp.memberOf(member)).blocked).toBeUndefined()
    const used = (await idp.services.audit.eventsOf(member.id)).find(
      ({ act }) => act === 'deskPassUsed',
    )
    expect(used?.facts).toEqual({ lifted: 'emailChangeUndone' })
  })
})
