import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from '@jest/globals'
import {
  ACR_LADDER,
  type Acr,
  acrReaches,
  assuranceOf,
  type Proof,
} from '../../accounts/assurance.ts'
import {
  type Facts,
  type KnownFacts,
  mayAddMethod,
  type Next,
  next,
  STEPS,
  type StepId,
  secondFactors,
  settle,
  usefulFactors,
} from '../../accounts/enrolment.ts'
import {
  acceptTerms,
  addCredential,
  addMethod,
  CHOSEN_FACTORS,
  type ChosenFactor,
  changePassword,
  chooseFactor,
  confirmBirthdate,
  disable,
  enable,
  type FactorId,
  type Member,
  type MemberId,
  offerDevice,
  putOffRecoveryCodes,
  replaceRecoveryCodes,
  resetPassword,
  signOut,
  spendDeskPass,
  verifyEmail,
} from '../../accounts/member.ts'
import { ENROLMENT_WINDOW_SECONDS, REGISTRATION_WINDOW_SECONDS } from '../../accounts/policy.ts'

const NOW = 1_800_000_000
const DAY = 86_400
const TERMS = '2026-04'

/** A member as the society's file brings them in, and what has happened to them since. */
const aMember = (since: Partial<Member> = {}): Member => ({
  id: 'm1' as MemberId, // the store's brand
  societyId: 'jsw',
  loginId: '12345-678',
  birthdate: '1985-04-01',
  locale: 'ja',
  email: { address: 'hanako@example.jp' },
  password: { hash: 'hash', initial: 'random', changedAt: NOW - 90 * DAY },
  acceptedTerms: [],
  credentials: [],
  revision: 1,
  ...since,
})
const theTerms = (version: string) => ({ version, textHash: 'x', at: NOW - DAY, clientId: 'kosmo' })
const aCredential = (factor: FactorId) => ({
  id: factor,
  factor,
  registeredAt: NOW - DAY,
  data: {},
})
const anEnrolledMember = (since: Partial<Member> = {}): Member =>
  aMember({
    email: { address: 'hanako@example.jp', verifiedAt: NOW - DAY },
    password: { hash: 'hash', changedAt: NOW - DAY },
    birthdateConfirmedAt: NOW - DAY,
    acceptedTerms: [theTerms(TERMS)],
    chosenFactor: 'passkey',
    credentials: [aCredential('passkey')],
    enrolledAt: NOW - DAY,
    ...since,
  })

type Circumstances = Partial<{
  requiredAcr: Acr
  factors: readonly ChosenFactor[]
  /** The network's name; '' is everywhere but at a company. */
  network: string
  registerFactor: 'sameSession' | 'nextLogin'
  proofs: readonly FactorId[]
  session: Partial<Facts['session']>
}>
const factsOf = (member: Member, circumstances: Circumstances = {}): KnownFacts => ({
  now: NOW,
  member,
  request: {
    requiredAcr: circumstances.requiredAcr ?? 'urn:kenpo-id:acr:pwd',
    proofsSince: NOW - 3600,
  },
  network: {
    name: circumstances.network ?? '',
    factors: circumstances.factors ?? CHOSEN_FACTORS,
  },
  society: {
    id: 'jsw',
    termsVersion: TERMS,
    registerFactor: circumstances.registerFactor ?? 'sameSession',
  },
  session: {
    proofs: (circumstances.proofs ?? []).map((factor) => ({ factor, at: NOW })),
    enrolledHere: false,
    doneSeen: false,
    offerDevice: false,
    ...circumstances.session,
  },
})

/** 'ask email', 'finish phr', 'stop blocked', 'deny' */
const said = (step: Next): string => {
  if (step.kind === 'ask') return `ask ${step.step}`
  if (step.kind === 'finish') return `finish ${step.acr}`
  return step.kind === 'stop' ? `stop ${step.reason}` : 'deny'
}

const withProof = (facts: KnownFacts, factor: FactorId): KnownFacts => ({
  ...facts,
  session: { ...facts.session, proofs: [...facts.session.proofs, { factor, at: NOW }] },
})

const holds = (member: Member, factor: FactorId): boolean =>
  member.credentials.some((credential) => credential.factor === factor)

/** Every correct answer to a step, as the pages would take it; the facts are settled after it. */
const answers = (facts: KnownFacts, step: StepId): readonly KnownFacts[] => {
  const { member, network, session } = facts
  const saved = (changed: Member) => settle({ ...facts, member: changed })
  switch (step) {
    case 'password':
      return [
        withProof(facts, 'password'),
        ...(secondFactors(facts).includes('passkey') ? [withProof(facts, 'passkey')] : []),
      ].map(settle)
    case 'deskPass':
      return [withProof(saved(spendDeskPass(member, NOW)), 'deskPass')]
    case 'enrolled': // the manual's logout; the member comes back in a new request
      return [
        {
          ...facts,
          session: { proofs: [], enrolledHere: false, doneSeen: false, offerDevice: false },
        },
      ]
    case 'verifyFactor':
      return usefulFactors(facts).map((factor) => settle(withProof(facts, factor)))
    case 'birthdate':
      return [saved(confirmBirthdate(member, NOW))]
    case 'terms':
      return [saved(acceptTerms(member, theTerms(TERMS)))]
    case 'email': // the code or the link from that mailbox is a proof of it
      return [withProof(saved(verifyEmail(member, 'hanako@example.jp', NOW)), 'emailCode')]
    case 'chooseFactor':
      return network.factors.map((factor) => saved(chooseFactor(member, factor)))
    case 'newPassword':
      return [saved(changePassword(member, 'new', NOW))]
    case 'registerFactor': {
      const factor = member.chosenFactor ?? 'passkey'
      return [withProof(saved(addMethod(member, aCredential(factor))), factor)]
    }
    case 'recoveryCodes': // saved, or put off where that can be
      return [
        saved(replaceRecoveryCodes(member, aCredential('recoveryCode'))),
        ...(holds(member, 'recoveryCode') ? [saved(putOffRecoveryCodes(member, NOW))] : []),
      ]
    case 'addDevice': // put off, or registered
      return [
        saved(offerDevice(member, NOW)),
        withProof(
          saved(offerDevice(addCredential(member, { ...aCredential('passkey'), id: 'here' }), NOW)),
          'passkey',
        ),
      ]
    case 'done':
      return [{ ...facts, session: { ...session, doneSeen: true } }]
  }
}

/** Plays the first of the correct answers until there is nothing more to ask. */
const journey = (start: KnownFacts): readonly string[] => {
  const way: string[] = []
  let facts = start
  for (let asked = next(facts); way.length < 20; asked = next(facts)) {
    way.push(said(asked))
    if (asked.kind !== 'ask') break
    const [answer] = answers(facts, asked.step)
    if (!answer) break
    facts = answer
  }
  return way
}

describe('ways through the first login', () => {
  test('a new member goes from the postcard to a passkey in one go', () => {
    expect(journey(factsOf(aMember()))).toEqual([
      'ask password',
      'ask birthdate',
      'ask terms',
      'ask email',
      'ask chooseFactor',
      'ask newPassword',
      'ask registerFactor',
      'ask recoveryCodes',
      'ask done',
      'finish phr',
    ])
  })

  test("in the manual's own shape they log out and register at the next sign-in", () => {
    expect(journey(factsOf(aMember(), { registerFactor: 'nextLogin' }))).toEqual([
      'ask password',
      'ask birthdate',
      'ask terms',
      'ask email',
      'ask chooseFactor',
      'ask newPassword',
      'ask enrolled',
      'ask password',
      'ask verifyFactor',
      'ask registerFactor',
      'ask recoveryCodes',
      'finish phr',
    ])
  })

  test('at a company PC, where only e-mail codes are allowed, nothing is left to register', () => {
    expect(journey(factsOf(aMember(), { factors: ['emailCode'] }))).toEqual([
      'ask password',
      'ask birthdate',
      'ask terms',
      'ask email',
      'ask chooseFactor',
      'ask newPassword',
      'ask done',
      'finish urn:kenpo-id:acr:email',
    ])
  })

  test('who stopped after the address was proven goes on there, after a code from that mailbox', () => {
    const halfway = aMember({
      birthdateConfirmedAt: NOW - DAY,
      acceptedTerms: [theTerms(TERMS)],
      email: { address: 'hanako@example.jp', verifiedAt: NOW - DAY },
    })
    expect(journey(factsOf(halfway)).slice(0, 3)).toEqual([
      'ask password',
      'ask verifyFactor',
      'ask chooseFactor',
    ])
  })

  test('thirty days after the birth date the society has to open the first login again', () => {
    const slow = (ago: number) =>
      factsOf(aMember({ birthdateConfirmedAt: NOW - ago }), { proofs: ['password'] })
    expect(said(next(slow(ENROLMENT_WINDOW_SECONDS)))).toBe('ask terms')
    expect(said(next(slow(ENROLMENT_WINDOW_SECONDS + 1)))).toBe('stop enrolmentExpired')
  })

  test('fourteen days after the first login the chosen method can no longer be registered', () => {
    const slow = (ago: number) =>
      factsOf(anEnrolledMember({ credentials: [], enrolledAt: NOW - ago }), {
        proofs: ['password', 'emailCode'],
      })
    expect(said(next(slow(REGISTRATION_WINDOW_SECONDS)))).toBe('ask registerFactor')
    expect(said(next(slow(REGISTRATION_WINDOW_SECONDS + 1)))).toBe('stop registrationExpired')
  })
})

describe('ways through a sign-in', () => {
  test('a passkey is enough for everything', () => {
    expect(
      said(next(factsOf(anEnrolledMember(), { requiredAcr: 'phr', proofs: ['passkey'] }))),
    ).toBe('finish phr')
  })

  test('a client content with a password asks no more of a settled member', () => {
    expect(said(next(factsOf(anEnrolledMember(), { proofs: ['password'] })))).toBe(
      'finish urn:kenpo-id:acr:pwd',
    )
  })

  test('new terms are shown once, without anything else', () => {
    const member = anEnrolledMember({ acceptedTerms: [theTerms('2025-04')] })
    expect(journey(factsOf(member))).toEqual([
      'ask password',
      'ask terms',
      'finish urn:kenpo-id:acr:pwd',
    ])
  })

  test('a stolen password registers no method: the mailbox is asked first', () => {
    const member = anEnrolledMember({ credentials: [] })
    expect(said(next(factsOf(member, { proofs: ['password'] })))).toBe('ask verifyFactor')
  })

  test('a stolen password binds no new mailbox where the member has an authenticator', () => {
    const member = anEnrolledMember({ email: { address: 'old@example.jp' } })
    expect(said(next(factsOf(member, { proofs: ['password'] })))).toBe('ask verifyFactor')
  })

  test('where no code may be sent to the proven address, the password alone changes nothing', () => {
    const halfway = aMember({
      birthdateConfirmedAt: NOW - DAY,
      acceptedTerms: [theTerms(TERMS)],
      email: { address: 'hanako@example.jp', verifiedAt: NOW - DAY },
    })
    const factors = ['passkey', 'totp'] as const
    expect(said(next(factsOf(halfway, { factors, proofs: ['password'] })))).toBe(
      'stop networkForbids',
    )
    const unregistered = anEnrolledMember({ credentials: [] })
    expect(said(next(factsOf(unregistered, { factors, proofs: ['password'] })))).toBe(
      'stop networkForbids',
    )
  })

  test('after the desk’s pass, a second browser with the password alone gets nowhere', () => {
    const cleared = spendDeskPass(
      anEnrolledMember({ email: { address: 'hanako@example.jp' } }),
      NOW,
    )
    expect(said(next(factsOf(cleared, { proofs: ['password'] })))).toBe('stop registrationExpired')
    expect(said(next(factsOf(cleared, { proofs: ['password', 'deskPass'] })))).toBe('ask email')
  })

  test('proofs from before a sign-out everywhere count in the session that did it alone', () => {
    const member = signOut(anEnrolledMember(), NOW + 1, 'this-one')
    const facts = factsOf(member, { requiredAcr: 'phr', proofs: ['passkey'] })
    expect(said(next(facts))).toBe('ask password')
    const here = { ...facts, session: { ...facts.session, id: 'this-one' } }
    expect(said(next(here))).toBe('finish phr')
  })

  test('recovery codes are shown to who has proven the method, not an e-mail code', () => {
    const member = anEnrolledMember({ recoveryCodesDue: true })
    expect(said(next(factsOf(member, { proofs: ['password', 'emailCode'] })))).toBe(
      'finish urn:kenpo-id:acr:email',
    )
    expect(said(next(factsOf(member, { proofs: ['passkey'] })))).toBe('ask recoveryCodes')
  })

  test('new recovery codes in place of few can be put off until the next sign-in', () => {
    const few = anEnrolledMember({
      recoveryCodesDue: true,
      credentials: [aCredential('passkey'), aCredential('recoveryCode')],
    })
    const at = (member: Member, provenAt: number) => {
      const facts = factsOf(member)
      const session = { ...facts.session, proofs: [{ factor: 'passkey' as const, at: provenAt }] }
      return said(next({ ...facts, session }))
    }
    expect(at(few, NOW - 60)).toBe('ask recoveryCodes')
    const later = putOffRecoveryCodes(few, NOW - 30)
    expect(at(later, NOW - 60)).toBe('finish phr')
    expect(at(later, NOW - 30)).toBe('finish phr')
    expect(at(later, NOW - 29)).toBe('ask recoveryCodes')
    const renewed = replaceRecoveryCodes(later, { ...aCredential('recoveryCode'), id: 'new' })
    expect(at(renewed, NOW)).toBe('finish phr')
    expect(renewed.credentials.map(({ id }) => id)).toEqual(['passkey', 'new'])
    expect(renewed).not.toHaveProperty('recoveryCodesPutOffAt')
  })

  test('the first recovery codes are not put off', () => {
    const member = anEnrolledMember({ recoveryCodesDue: true })
    expect(putOffRecoveryCodes(member, NOW)).toBe(member)
    const once = { ...member, recoveryCodesPutOffAt: NOW }
    expect(said(next(factsOf(once, { proofs: ['passkey'] })))).toBe('ask recoveryCodes')
  })

  test.each<[string, readonly FactorId[], readonly FactorId[], boolean]>([
    ['the password alone', [], ['password'], false],
    ['the mailbox, with nothing stronger held', [], ['password', 'emailCode'], true],
    ['the mailbox, with a passkey held', ['passkey'], ['password', 'emailCode'], false],
    ['the passkey', ['passkey'], ['passkey'], true],
    ['the app, with a passkey held', ['passkey', 'totp'], ['password', 'totp'], true],
  ])('after %s one more method may be added: %#', (_what, held, proofs, may) => {
    const member = anEnrolledMember({ credentials: held.map(aCredential) })
    expect(mayAddMethod(factsOf(member, { proofs }))).toBe(may)
  })

  test('a client that asks more than the session has gets the stronger method asked', () => {
    const member = anEnrolledMember({ credentials: [aCredential('passkey'), aCredential('totp')] })
    const facts = factsOf(member, { requiredAcr: 'phr', proofs: ['password', 'totp'] })
    expect(said(next(facts))).toBe('ask verifyFactor')
    expect(usefulFactors(facts)).toEqual(['passkey'])
  })

  test('a client that asks more than the member has is told so', () => {
    const member = anEnrolledMember({ chosenFactor: 'totp', credentials: [aCredential('totp')] })
    expect(said(next(factsOf(member, { requiredAcr: 'phr', proofs: ['password', 'totp'] })))).toBe(
      'deny',
    )
  })
})

describe('after a sign-in through a phone', () => {
  const through = (member: Member, circumstances: Circumstances = {}) =>
    factsOf(member, { proofs: ['passkey'], session: { offerDevice: true }, ...circumstances })

  test('a passkey of this device is offered, once', () => {
    const facts = through(anEnrolledMember())
    expect(said(next(facts))).toBe('ask addDevice')
    for (const answer of answers(facts, 'addDevice')) {
      expect(said(next(answer))).toBe('finish phr')
      expect(said(next(through(answer.member)))).toBe('finish phr')
    }
  })

  test('what the sign-in itself still needs comes first', () => {
    const member = anEnrolledMember({ acceptedTerms: [theTerms('2025-04')] })
    expect(journey(through(member))).toEqual(['ask terms', 'ask addDevice', 'finish phr'])
  })

  test('none is offered at a company PC, nor where passkeys are not permitted', () => {
    const passkeyHere = through(anEnrolledMember(), { network: '会社のネットワーク' })
    expect(said(next(passkeyHere))).toBe('finish phr')
    const member = anEnrolledMember({ chosenFactor: 'totp' })
    const withoutPasskeys = through(
      { ...member, credentials: [aCredential('passkey'), aCredential('totp')] },
      { factors: ['totp', 'emailCode'] },
    )
    expect(said(next(withoutPasskeys))).toBe('finish phr')
  })

  test('nobody who used this device’s own passkey is asked', () => {
    const facts = through(anEnrolledMember(), { session: { offerDevice: false } })
    expect(said(next(facts))).toBe('finish phr')
  })
})

describe('a password that was forgotten', () => {
  const passwordOnly = (member: Member, circumstances: Circumstances = {}) =>
    factsOf(resetPassword(member, 'new', NOW), { proofs: ['password'], ...circumstances })

  test('a client content with a password still gets the second factor asked', () => {
    expect(said(next(passwordOnly(anEnrolledMember())))).toBe('ask verifyFactor')
  })

  test('the mailbox that set it is no second factor, not for one who chose e-mail codes either', () => {
    const member = anEnrolledMember({ chosenFactor: 'emailCode' })
    expect(usefulFactors(passwordOnly(member))).toEqual(['passkey'])
    const proven = passwordOnly(member, { proofs: ['password', 'emailCode'] })
    expect(said(next(proven))).toBe('ask verifyFactor')
  })

  test('on a network that shuts the passkey out it opens nothing, e-mail codes or not', () => {
    const facts = passwordOnly(anEnrolledMember(), { factors: ['emailCode'] })
    expect(said(next(facts))).toBe('stop networkForbids')
  })

  test('a passkey proven before the reset says nothing about who reset it', () => {
    const facts = passwordOnly(anEnrolledMember())
    const session = { ...facts.session, proofs: [{ factor: 'passkey', at: NOW - 1 } as const] }
    expect(said(next({ ...facts, session }))).toBe('ask password')
  })

  test('the passkey proven after it settles the matter', () => {
    const after = settle(passwordOnly(anEnrolledMember(), { proofs: ['password', 'passkey'] }))
    expect(after.member.password).toEqual({ hash: 'new', changedAt: NOW })
    expect(said(next(after))).toBe('finish phr')
  })
})

describe('the desk’s pass', () => {
  const PASS = { hash: 'h', expiresAt: NOW + 3600 }

  test('in place of a lost passkey, leads to a new choice and its registration', () => {
    const old = anEnrolledMember({ enrolledAt: NOW - 400 * DAY })
    const spent = factsOf(spendDeskPass(old, NOW), { proofs: ['password', 'deskPass'] })
    expect(spent.member.credentials).toEqual([])
    expect(journey(spent)).toEqual([
      'ask chooseFactor',
      'ask registerFactor',
      'ask recoveryCodes',
      'finish phr',
    ])
  })

  test('is no second factor: who chooses e-mail codes anew is asked for one', () => {
    const member = { ...spendDeskPass(anEnrolledMember(), NOW), chosenFactor: 'emailCode' } as const
    const facts = (proofs: readonly FactorId[]) =>
      factsOf(member, { proofs, requiredAcr: 'urn:kenpo-id:acr:email' })
    expect(said(next(facts(['password', 'deskPass'])))).toBe('ask verifyFactor')
    expect(said(next(facts(['password', 'deskPass', 'emailCode'])))).toBe(
      'finish urn:kenpo-id:acr:email',
    )
  })

  test('is void once the desk itself has stopped the account, and stays so', () => {
    const stopped = disable(anEnrolledMember({ deskPass: PASS }), NOW)
    expect(stopped.deskPass).toBeUndefined()
    expect(said(next(factsOf(stopped, { proofs: ['password'] })))).toBe('stop disabled')
    expect(enable(stopped).deskPass).toBeUndefined()
  })

  test('without the password opens nothing', () => {
    expect(said(next(factsOf(anEnrolledMember(), { proofs: ['deskPass'] })))).toBe('ask password')
  })

  test.each([
    ['blocked', { blocked: { reason: 'emailChangeUndone', since: NOW } }],
    ['registrationExpired', { credentials: [], enrolledAt: NOW - 15 * DAY }],
  ] as const)('is asked of a member who is stopped (%s), while one is out', (reason, since) => {
    const asked = (deskPass?: Member['deskPass']) =>
      said(
        next(
          factsOf(anEnrolledMember({ ...since, ...(deskPass && { deskPass }) }), {
            proofs: ['password'],
          }),
        ),
      )
    expect(asked()).toBe(`stop ${reason}`)
    expect(asked(PASS)).toBe('ask deskPass')
    expect(asked({ ...PASS, expiresAt: NOW })).toBe(`stop ${reason}`)
    const before = anEnrolledMember({ ...since, deskPass: PASS })
    const after = factsOf(spendDeskPass(before, NOW), { proofs: ['password', 'deskPass'] })
    expect(said(next(after))).toBe('ask chooseFactor')
  })
})

/* ---- all combinations of facts ---- */

const pick = <T>(...values: readonly T[]): readonly T[] => values

const NETWORKS: readonly (readonly ChosenFactor[])[] = [
  CHOSEN_FACTORS,
  ['emailCode'],
  ['passkey'],
  ['totp', 'emailCode'],
]

/** Every state a member's record can be in. */
const allMembers = function* (): Generator<Member> {
  const strong = [[], ['passkey'], ['totp'], ['passkey', 'totp']] as const
  const times = pick<Pick<Member, 'birthdateConfirmedAt' | 'enrolledAt'>>(
    {},
    { birthdateConfirmedAt: NOW - DAY },
    { birthdateConfirmedAt: NOW - 31 * DAY },
    { birthdateConfirmedAt: NOW - DAY, enrolledAt: NOW - DAY },
    { birthdateConfirmedAt: NOW - 31 * DAY, enrolledAt: NOW - 15 * DAY },
  )
  for (const since of times)
    for (const acceptedTerms of pick([], [theTerms(TERMS)]))
      for (const verifiedAt of pick(undefined, NOW - DAY))
        for (const chosenFactor of pick(undefined, ...CHOSEN_FACTORS))
          for (const initial of pick(undefined, 'derived' as const))
            for (const credentials of strong)
              for (const blocked of pick(false, true))
                yield aMember({
                  acceptedTerms,
                  credentials: credentials.map(aCredential),
                  email: { address: 'h@example.jp', ...(verifiedAt && { verifiedAt }) },
                  password: { hash: 'hash', changedAt: 0, ...(initial && { initial }) },
                  ...since,
                  ...(chosenFactor && { chosenFactor }),
                  ...(blocked && { blocked: { reason: 'emailChangeUndone', since: NOW } }),
                })
}

/** Every member with every request, network and society; no proof yet. */
const allStarts = function* (): Generator<KnownFacts> {
  for (const member of allMembers())
    for (const factors of member.blocked ? NETWORKS.slice(0, 1) : NETWORKS)
      for (const requiredAcr of ACR_LADDER)
        for (const registerFactor of pick('sameSession' as const, 'nextLogin' as const))
          yield factsOf(member, {
            requiredAcr,
            factors,
            registerFactor,
            session: { offerDevice: registerFactor === 'nextLogin' },
          })
}

const PROOF_SETS: readonly (readonly FactorId[])[] = [
  ...[[], ['password'], ['passkey'], ['password', 'passkey'], ['password', 'totp'], ['totp']],
  ...[['password', 'emailCode'], ['emailCode'], ['password', 'recoveryCode']],
  ...[['password', 'totp', 'emailCode']],
] as FactorId[][]

/** The same with every set of proofs. */
const allFacts = function* (): Generator<KnownFacts> {
  for (const start of allStarts())
    for (const factors of PROOF_SETS) {
      const proofs = factors.map((factor) => ({ factor, at: NOW }))
      yield { ...start, session: { ...start.session, proofs } }
    }
}

/** The first case that breaks a property, in words; undefined: none. Counts what it looked at. */
const firstBreach = <T>(
  cases: Iterable<T>,
  breaks: (facts: T, index: number) => string | undefined,
): { looked: number; breach: string | undefined } => {
  let looked = 0
  for (const facts of cases) {
    const breach = breaks(facts, looked)
    looked += 1
    if (breach !== undefined) return { looked, breach: `${breach}: ${JSON.stringify(facts)}` }
  }
  return { looked, breach: undefined }
}

/** The enrolment's rows, said anew and apart from the table. */
const dueInEnrolment = ({ member, network, society }: KnownFacts): readonly StepId[] => {
  const unregistered =
    (member.chosenFactor === 'passkey' || member.chosenFactor === 'totp') &&
    network.factors.includes(member.chosenFactor) &&
    !member.credentials.some((held) => held.factor === member.chosenFactor)
  const rows: readonly (readonly [StepId, boolean])[] = [
    ['birthdate', member.birthdateConfirmedAt === undefined],
    ['terms', member.acceptedTerms.at(-1)?.version !== society.termsVersion],
    ['email', member.email?.verifiedAt === undefined],
    ['chooseFactor', member.chosenFactor === undefined],
    ['newPassword', member.password.initial !== undefined],
    ['registerFactor', unregistered],
  ]
  return rows.flatMap(([id, due]) => (due ? [id] : []))
}

const holdsProof = (proofs: readonly Proof[], ...factors: FactorId[]) =>
  proofs.some((proof) => factors.includes(proof.factor))

describe('over all combinations of facts', () => {
  let facts: readonly KnownFacts[] = []
  let starts: readonly KnownFacts[] = []
  /** What is next for each of the facts. */
  let nexts: readonly Next[] = []
  beforeAll(() => {
    starts = [...allStarts()]
    facts = [...allFacts()]
    nexts = facts.map(next)
  })

  test('a member who answers every step correctly is through within twelve, and asked none twice', () => {
    const walk = (
      from: KnownFacts,
      way: readonly StepId[],
      request: ReadonlySet<StepId>,
    ): string | undefined => {
      const asked = next(from)
      if (asked.kind !== 'ask') return undefined
      if (request.has(asked.step)) return `${asked.step} asked twice (${way.join(' ')})`
      if (way.length >= 12) return `still asking (${way.join(' ')} ${asked.step})`
      const ways = answers(from, asked.step)
      if (ways.length === 0) return `${asked.step} cannot be answered`
      // the manual's logout begins a new authorization request
      const seen = asked.step === 'enrolled' ? new Set<StepId>() : new Set([...request, asked.step])
      for (const answer of ways) {
        const breach = walk(answer, [...way, asked.step], seen)
        if (breach) return breach
      }
      return undefined
    }
    const open = starts.filter(({ member }) => !member.blocked)
    const { looked, breach } = firstBreach(open, (start) => walk(start, [], new Set()))
    expect(breach).toBeUndefined()
    expect(looked).toBeGreaterThan(15_000)
  })

  test('nobody gets through below the acr the client asks, or with a step of the first login due', () => {
    let finished = 0
    const { breach } = firstBreach(facts, (one, index) => {
      const answer = nexts[index]!
      if (answer.kind !== 'finish') return undefined
      finished += 1
      if (!acrReaches(answer.acr, one.request.requiredAcr)) return `finish ${answer.acr}`
      if (answer.acr !== assuranceOf(one.session.proofs)?.acr) return 'acr not from the proofs'
      const due = dueInEnrolment(one)
      return due.length > 0 ? `finish with ${due.join(' ')} due` : undefined
    })
    expect(breach).toBeUndefined()
    expect(finished).toBeGreaterThan(1000)
  })

  test('nothing that changes the account is asked before a second factor the member could prove', () => {
    const CHANGING: readonly StepId[] = ['email', 'chooseFactor', 'newPassword', 'registerFactor']
    let guarded = 0
    const { breach } = firstBreach(facts, (one, index) => {
      const answer = nexts[index]!
      if (answer.kind !== 'ask' || !CHANGING.includes(answer.step)) return undefined
      const { proofs } = one.session
      if (holdsProof(proofs, 'passkey', 'totp', 'emailCode', 'recoveryCode')) return undefined
      guarded += 1
      return secondFactors(one).length > 0 ? `${answer.step} on the password alone` : undefined
    })
    expect(breach).toBeUndefined()
    expect(guarded).toBeGreaterThan(1000)
  })

  test('nobody is denied who could still prove enough', () => {
    let denied = 0
    const { breach } = firstBreach(facts, (one, index) => {
      if (nexts[index]!.kind !== 'deny') return undefined
      denied += 1
      const { member, network, request, session } = one
      const held = network.factors.filter((factor) =>
        member.credentials.some((credential) => credential.factor === factor),
      )
      const enough = held.find((factor) =>
        acrReaches(assuranceOf([...session.proofs, { factor, at: NOW }])?.acr, request.requiredAcr),
      )
      return enough && `${enough} would do`
    })
    expect(breach).toBeUndefined()
    expect(denied).toBeGreaterThan(100)
  })

  test('only methods registered and allowed on this network are asked for', () => {
    const { breach } = firstBreach(facts, (one, index) => {
      const { member, network } = one
      for (const factor of secondFactors(one)) {
        if (factor === 'recoveryCode') continue
        if (!network.factors.includes(factor)) return `${factor} is not allowed here`
        const held =
          factor === 'emailCode'
            ? member.email?.verifiedAt !== undefined &&
              (member.chosenFactor === 'emailCode' ||
                !member.credentials.some((credential) =>
                  network.factors.some((allowed) => allowed === credential.factor),
                ))
            : member.credentials.some((credential) => credential.factor === factor)
        if (!held) return `${factor} is not held`
      }
      const asked = nexts[index]!
      return asked.kind === 'ask' &&
        asked.step === 'verifyFactor' &&
        usefulFactors(one).length === 0
        ? 'nothing to verify'
        : undefined
    })
    expect(breach).toBeUndefined()
  })

  test('proofs older than the request allows count for nothing', () => {
    const { breach } = firstBreach(facts, (one) => {
      const { proofsSince } = one.request
      const stale = one.session.proofs.map((proof) => ({ ...proof, at: proofsSince - 1 }))
      const without = next({ ...one, session: { ...one.session, proofs: [] } })
      const withStale = next({ ...one, session: { ...one.session, proofs: stale } })
      if (said(withStale) !== said(without)) return `${said(withStale)}, not ${said(without)}`
      for (const [index, proof] of one.session.proofs.entries()) {
        const mixed = one.session.proofs.with(index, { ...proof, at: proofsSince - 1 })
        const fewer = one.session.proofs.toSpliced(index, 1)
        const a = said(next({ ...one, session: { ...one.session, proofs: mixed } }))
        const b = said(next({ ...one, session: { ...one.session, proofs: fewer } }))
        if (a !== b) return `${a}, not ${b}`
      }
      return undefined
    })
    expect(breach).toBeUndefined()
  })

  test('a proof as old as the request just allows counts in full', () => {
    const { breach } = firstBreach(facts, (one, index) => {
      const proofs = one.session.proofs.map((proof) => ({ ...proof, at: one.request.proofsSince }))
      const old = next({ ...one, session: { ...one.session, proofs } })
      return said(old) === said(nexts[index]!) ? undefined : said(old)
    })
    expect(breach).toBeUndefined()
  })

  test('the first login is complete exactly when its last step is met, and once only', () => {
    let completed = 0
    const { breach } = firstBreach(facts, (one) => {
      const after = settle(one)
      if (one.member.enrolledAt !== undefined) {
        return after === one ? undefined : 'an enrolled member was touched'
      }
      const due = dueInEnrolment(one).filter(
        (id) => id !== 'registerFactor' || one.society.registerFactor === 'sameSession',
      )
      if (due.length > 0) return after === one ? undefined : `complete with ${due.join(' ')} due`
      completed += 1
      const right =
        after.member.enrolledAt === NOW && after.session.enrolledHere && settle(after) === after
      return right ? undefined : 'not marked complete'
    })
    expect(breach).toBeUndefined()
    expect(completed).toBeGreaterThan(1000)
  })

  test('who is blocked or too late learns so after the password and gets nothing else', () => {
    let stopped = 0
    const { breach } = firstBreach(facts, (one, index) => {
      const { member, session } = one
      const expired =
        member.enrolledAt === undefined &&
        member.birthdateConfirmedAt !== undefined &&
        member.birthdateConfirmedAt < NOW - ENROLMENT_WINDOW_SECONDS
      const late =
        member.enrolledAt !== undefined &&
        member.enrolledAt < NOW - REGISTRATION_WINDOW_SECONDS &&
        dueInEnrolment(one).includes('registerFactor') &&
        member.credentials.length === 0
      if (!member.blocked && !expired && !late) {
        const asked = nexts[index]!
        if (asked.kind !== 'stop') return undefined
        // A method that would be enough, and that this network shuts out.
        const worth = {
          passkey: 'phr',
          totp: 'https://refeds.org/profile/mfa',
          emailCode: 'urn:kenpo-id:acr:email',
        } as const
        const shutOut = CHOSEN_FACTORS.some((factor) => {
          const held =
            factor === 'emailCode'
              ? member.email?.verifiedAt !== undefined
              : member.credentials.some((credential) => credential.factor === factor)
          // Enough for the client, or to let the account be changed, which the password alone may not.
          const enough =
            acrReaches(worth[factor], one.request.requiredAcr) || dueInEnrolment(one).length > 0
          return held && enough && !one.network.factors.includes(factor)
        })
        return asked.reason === 'networkForbids' && shutOut ? undefined : 'stopped for nothing'
      }
      stopped += 1
      const reason = member.blocked
        ? 'blocked'
        : expired
          ? 'enrolmentExpired'
          : 'registrationExpired'
      const expected = holdsProof(session.proofs, 'password', 'passkey')
        ? `stop ${reason}`
        : 'ask password'
      return said(nexts[index]!) === expected ? undefined : said(nexts[index]!)
    })
    expect(breach).toBeUndefined()
    expect(stopped).toBeGreaterThan(1000)
  })

  test('while nobody is known the password is asked, whatever proofs there are', () => {
    const { breach } = firstBreach(facts.slice(0, 20_000), (one) =>
      said(next({ ...one, member: undefined })) === 'ask password' ? undefined : 'let in',
    )
    expect(breach).toBeUndefined()
  })
})

test('the diagram beside the table names its steps in order', async () => {
  const diagram = await readFile(new URL('../../accounts/enrolment.md', import.meta.url), 'utf8')
  const named = [...diagram.matchAll(/^ {4}(\w+): /gm)].map(([, id]) => id)
  expect(named).toEqual(STEPS.map((step) => step.id))
})
