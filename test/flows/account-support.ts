import { expect } from '@jest/globals'
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import type { Member, MemberId } from '../../accounts/member.ts'
import { aVisitor, type Visitor, type VisitorOptions } from '../support/agent.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { appCode } from '../support/authenticator-app.ts'
import { A_PASSWORD, anEnrolledMember } from '../support/builders.ts'
import type { TestClock } from '../support/clock.ts'
import type { Idp, IdpOptions } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { codeIn, type SunkMail } from '../support/smtp-sink.ts'
import { requestOptionsOn, secretOf, typedKeyOn } from './keys.ts'

/** A company network, which takes codes by mail only. */
const OFFICE = {
  name: { ja: 'さくら電機', en: 'Sakura Electric' },
  cidrs: ['192.0.2.0/24'],
  factors: ['emailCode'],
}
export const AT_OFFICE = { headers: { 'X-Forwarded-For': '192.0.2.7' } }

/** A provider whose members have an account page. */
export const theAccountPages = (clock: TestClock): IdpOptions => ({
  clock,
  societies: [
    { id: 'sakura', networks: [OFFICE] },
    // A society whose members sign in with passkey or app only.
    {
      id: 'minato',
      networks: [],
      factors: ['passkey', 'totp'],
      registerFactor: 'sameSession',
    },
  ],
  env: { IDP_TRUSTED_PROXY_HOPS: '1' },
  clients: [
    {
      client_id: 'health-portal',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
})

export const addressOf = (member: Member): string => member.email?.address ?? ''

export const optionsOn = ({ root }: Page): PublicKeyCredentialCreationOptionsJSON =>
  // What our own page hands to the browser.
  JSON.parse(root.querySelector('#passkey-options')?.text ?? '')

export const csrfOf = ({ root }: Page): string =>
  root.querySelector('input[name="csrf"]')?.getAttribute('value') ?? ''

/** What each browser's member can prove since it was registered there. */
export const keys = new WeakMap<Visitor, () => Promise<Readonly<Record<string, string>>>>()

/** What members do at the account page of the provider that runs at the time. */
export const accountSteps = (idp: () => Idp, clock: TestClock) => {
  let made = 0

  /** A member of sakura whose first login is behind them and whose method is the e-mail code. */
  const aMemberHere = async (over: Partial<Member> = {}): Promise<Member> => {
    made += 1
    const now = clock.now()
    return idp().services.members.save(
      anEnrolledMember({
        id: `account-${made}` as MemberId, // a test's own ID
        loginId: `34567-${100 + made}`,
        email: { address: `m${made}@example.jp`, verifiedAt: now - 86_400 },
        ...over,
      }),
    )
  }

  const mailsTo = (address: string): readonly SunkMail[] =>
    idp().mails.mails.filter(({ to }) => to === address)

  /** The next mail to this address after `seen` of them. */
  const nextMail = (address: string, seen: number): Promise<SunkMail> =>
    idp().mails.waitFor((mail) => mail.to === address && mailsTo(address).indexOf(mail) >= seen)

  /** The next code to this address after `seen` mails. */
  const nextCode = async (address: string, seen: number): Promise<string> =>
    codeIn(
      await idp().mails.waitFor(
        (mail) =>
          mail.to === address &&
          mailsTo(address).indexOf(mail) >= seen &&
          /^\s*\d{6}\s*$/mu.test(mail.text),
      ),
    )

  /** Answers the sign-in pages, password and e-mail code. */
  const signIn = async (visitor: Visitor, member: Member): Promise<Page> => {
    await clock.advance(61) // one mail a minute
    const seen = mailsTo(addressOf(member)).length
    await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
    expect(visitor.page.heading).toBe('確認コードを入力してください')
    const code = await nextCode(addressOf(member), seen)
    return visitor.submit('verifyFactor', { code })
  }

  const accountUrl = (place = ''): string => `${idp().issuer}/account/sakura${place}`

  /** A browser that has just signed in to the account page. */
  const atAccount = async (member: Member, options: VisitorOptions = {}): Promise<Visitor> => {
    const visitor = aVisitor(options)
    await visitor.visit(accountUrl())
    await signIn(visitor, member)
    expect(visitor.page.url.href).toBe(accountUrl())
    return visitor
  }

  /** Where a page asks for a proof as strong as the account's methods: gives it, and is back there. */
  const proven = async (visitor: Visitor): Promise<Page> => {
    if (visitor.page.heading !== 'もう一度ログインしてください') return visitor.page
    await visitor.follow('ログインへ進む')
    return visitor.submit('verifyFactor', (await keys.get(visitor)?.()) ?? {})
  }

  const open = async (visitor: Visitor, place: string): Promise<Page> => {
    await visitor.visit(accountUrl(place))
    return proven(visitor)
  }

  const press = async (visitor: Visitor, link: string): Promise<Page> => {
    await visitor.follow(link)
    return proven(visitor)
  }

  /** Adds a passkey by the account page. */
  const addPasskey = async (visitor: Visitor, label: string, synced = true) => {
    await open(visitor, '/add-passkey')
    const authenticator = createAuthenticator({ origin: idp().issuer, synced })
    const response = authenticator.register(optionsOn(visitor.page))
    await visitor.submit('registerFactor', { response, label })
    keys.set(visitor, async () => ({
      response: authenticator.authenticate(requestOptionsOn(visitor.page)),
    }))
    return authenticator
  }

  /** Adds an app by the account page. */
  const addApp = async (visitor: Visitor, label = '') => {
    await open(visitor, '/add-app')
    const secret = secretOf(typedKeyOn(visitor.page))
    await visitor.submit('registerFactor', { label, code: appCode(secret, clock.now()) })
    keys.set(visitor, async () => {
      await clock.advance(30) // a code is taken once
      return { code: appCode(secret, clock.now()) }
    })
  }

  const passkeysOf = async (member: Member) =>
    (await idp().memberOf(member)).credentials.filter(({ factor }) => factor === 'passkey')

  const stored = async (member: Member) => JSON.stringify(await idp().memberOf(member))

  return {
    aMemberHere,
    mailsTo,
    nextMail,
    nextCode,
    signIn,
    accountUrl,
    atAccount,
    open,
    press,
    addPasskey,
    addApp,
    passkeysOf,
    stored,
  }
}
