import { type Acr, acrReaches, assuranceOf, isAcr, proofsOf } from '../../accounts/assurance.ts'
import { emailKey } from '../../accounts/email-address.ts'
import { loginKey, type Member } from '../../accounts/member.ts'
import type { AuditEvent } from '../../accounts/ports.ts'
import type { SignIn } from '../../accounts/sign-ins.ts'
import type { Adapters } from '../../adapters/index.ts'
import type { Deployment } from './deployment.ts'
import type { Idp } from './idp.ts'
import type { SunkMail } from './smtp-sink.ts'
import type { StoredArtifact, TestStores } from './stores.ts'

/** One line of a server's log. */
type Line = Readonly<Record<string, unknown>>

/** What there is to be read of a product beside its pages, at one moment. */
export type Evidence = Readonly<{
  members: readonly Member[]
  audit: readonly AuditEvent[]
  signIns: readonly SignIn[]
  /** The engine's. */
  artifacts: readonly StoredArtifact[]
  /** Everything in the queues, as text. */
  outbox: string
  mails: readonly Pick<SunkMail, 'text' | 'headers'>[]
  log: readonly Line[]
  /** What each client that occurs in it asks for at the least. */
  required: ReadonlyMap<string, Acr>
}>

type Rule = (now: Evidence, before: Evidence | undefined) => readonly string[]

const when = (broken: boolean, words: string): readonly string[] => (broken ? [words] : [])
const groupsOf = <T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly T[])[] => {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  return [...groups.values()]
}
const strong = ({ credentials }: Member) =>
  credentials.filter(({ factor }) => factor === 'passkey' || factor === 'totp')
const acts = ({ audit }: Evidence, { id }: Member, ...wanted: readonly string[]) =>
  audit.filter(({ memberId, act }) => memberId === id && wanted.includes(act))
/** An act by which the desk, or a society's file, lawfully takes back what was there. */
const undone = (now: Evidence, before: Evidence, member: Member, ...by: readonly string[]) =>
  acts(now, member, ...by).length > acts(before, member, ...by).length

type Payload = Readonly<{
  accountId?: string
  clientId?: string
  grantId?: string
  iiat?: number
  rotations?: number
  acr?: string
  amr?: readonly string[]
  extra?: Readonly<{ acr?: string; amr?: readonly string[] }>
}>
const TOKENS = ['AuthorizationCode', 'AccessToken', 'RefreshToken']
/** Members' tokens that would be taken. */
const liveTokens = ({ artifacts }: Evidence): readonly (Payload & { model: string })[] =>
  artifacts
    .filter(({ model, revoked, consumed }) => TOKENS.includes(model) && !revoked && !consumed)
    // The engine writes these, each with such members.
    .map(({ model, payload }) => ({ ...(JSON.parse(payload) as Payload), model }))
    .filter(({ accountId }) => accountId !== undefined)

const codeIn = ({ text }: Pick<SunkMail, 'text'>) => /^\s*(\d{6})\s*$/mu.exec(text)?.[1]

/** I1: nothing that is used once has been used twice. */
const usedOnce: Rule = (now) => [
  ...now.members.flatMap((member) =>
    when(
      acts(now, member, 'deskPassUsed').length > acts(now, member, 'deskPassIssued').length,
      `I1: ${member.id} used more passes than were issued`,
    ),
  ),
  ...groupsOf(
    liveTokens(now).filter(({ model, rotations }) => model === 'RefreshToken' && rotations),
    ({ grantId, iiat }) => `${grantId} ${iiat}`,
  ).flatMap(([first, second]) =>
    when(second !== undefined, `I1: two refresh tokens of one family live, of ${first?.accountId}`),
  ),
  // After a crash a mail may go out again, as it was.
  ...groupsOf(now.mails, ({ headers }) => headers['message-id'] ?? '').flatMap((same) =>
    when(new Set(same.map(codeIn)).size > 1, 'I1: two codes went out for one mail'),
  ),
  ...now.mails.flatMap((mail) => {
    const code = codeIn(mail)
    const isQueued = code !== undefined && new RegExp(`"${code}"`).test(now.outbox)
    return when(isQueued, 'I1: a code stands in the queue')
  }),
]

/** I2: nobody has a token who has not shown every factor that its client asks for. */
const provenFirst: Rule = (now) =>
  liveTokens(now).flatMap((token) => {
    const { accountId, clientId, model } = token
    const acr = token.acr ?? token.extra?.acr
    const amr = token.amr ?? token.extra?.amr ?? []
    const member = now.members.find(({ id }) => id === accountId)
    const shown = assuranceOf(proofsOf(amr, 0))?.acr
    const required = now.required.get(clientId ?? '')
    const whose = `I2: ${model} of ${accountId}`
    return [
      ...when(member === undefined, `${whose}, who is nobody`),
      ...when(member !== undefined && member.enrolledAt === undefined, `${whose}, not enrolled`),
      ...when(!isAcr(acr) || !acrReaches(shown, acr), `${whose} claims ${acr} by ${amr.join(' ')}`),
      ...when(
        !required || !isAcr(acr) || !acrReaches(acr, required),
        `${whose} has ${acr}, and its client asks for ${required}`,
      ),
    ]
  })

/** I3: what was confirmed once stays. */
const kept: Rule = (now, before) =>
  (before?.members ?? []).flatMap((was) => {
    const is = now.members.find(({ id }) => id === was.id)
    const lost = (what: string) => `I3: ${was.id} lost ${what}`
    if (!before || !is) return [lost('everything')]
    const by = (...wanted: readonly string[]) => undone(now, before, was, ...wanted)
    return [
      ...when(!!was.birthdateConfirmedAt && !is.birthdateConfirmedAt, lost('the date of birth')),
      ...when(
        was.acceptedTerms.some((one, at) => is.acceptedTerms[at]?.textHash !== one.textHash),
        lost('accepted terms'),
      ),
      ...when(!!was.enrolledAt && !is.enrolledAt, lost('the first login')),
      ...when(
        !was.password.initial && !!is.password.initial && !by('initialPasswordIssued'),
        lost('a password of their own'),
      ),
      ...when(
        !!was.email?.verifiedAt && !is.email?.verifiedAt && !by('addressChangeUndone'),
        lost('a confirmed address'),
      ),
      ...when(
        strong(was).some(({ id }) => !is.credentials.some((held) => held.id === id)) &&
          !by('methodsRemoved'),
        lost('a method'),
      ),
    ]
  })

/** I3: so does what was told to be written down. */
const recorded: Rule = (now, before) => {
  const missing = <T extends { id: string }>(was: readonly T[] = [], is: readonly T[]) =>
    was.filter(({ id }) => !is.some((one) => one.id === id))
  return [
    ...missing(before?.audit, now.audit).map(({ act }) => `I3: the audit trail lost ${act}`),
    ...missing(before?.signIns, now.signIns).map(({ memberId }) => `I3: ${memberId}'s sign-in`),
  ]
}

/** I4: every member is as one saving left them, and nobody else is that member too. */
const whole: Rule = (now) => [
  ...now.members.flatMap((member) => {
    const half = (what: string) => `I4: ${member.id} ${what}`
    const { email, secondEmail, credentials, chosenFactor } = member
    const isStopped =
      member.blocked !== undefined || acts(now, member, 'addressChangeUndone').length > 0
    const issued = acts(now, member, 'initialPasswordIssued', 'memberUpdated').length > 0
    const cleared = member.methodsClearedAt !== undefined
    const enrolled = member.enrolledAt !== undefined
    return [
      ...when(enrolled && !member.birthdateConfirmedAt, half('enrolled without a date of birth')),
      ...when(enrolled && member.acceptedTerms.length === 0, half('enrolled without terms')),
      ...when(
        enrolled && !!member.password.initial && !issued,
        half('enrolled with the initial password'),
      ),
      ...when(
        enrolled && !email?.verifiedAt && !isStopped && !cleared,
        half('enrolled without an address'),
      ),
      ...when(enrolled && !chosenFactor && !cleared, half('enrolled without a method')),
      ...when(
        !!chosenFactor && !email?.verifiedAt && !isStopped && !cleared,
        half('has a method before an address'),
      ),
      ...when(
        !enrolled && !!email?.verifiedAt && member.acceptedTerms.length === 0,
        half('has an address before terms'),
      ),
      ...when(
        new Set(credentials.map(({ id }) => id)).size < credentials.length,
        half('has one method twice'),
      ),
      ...when(
        credentials.filter(({ factor }) => factor === 'recoveryCode').length > 1,
        half('has two sets of recovery codes'),
      ),
      ...when(
        !!email && !!secondEmail && emailKey(email.address) === emailKey(secondEmail.address),
        half('has one address twice'),
      ),
    ]
  }),
  ...groupsOf(now.members, ({ societyId, loginId }) => `${societyId} ${loginKey(loginId)}`)
    .filter(({ length }) => length > 1)
    .map(([first]) => `I4: two members have the user ID of ${first?.id}`),
  ...groupsOf(
    now.members.flatMap(({ credentials }) =>
      credentials.filter(({ factor }) => factor === 'passkey'),
    ),
    ({ id }) => id,
  )
    .filter(({ length }) => length > 1)
    .map(([first]) => `I4: two members have the passkey ${first?.id}`),
]

/** The counters that stand on the member: an app's last step, a passkey's count. */
const countOf = (data: unknown): number => {
  const { lastStep, counter } = (data ?? {}) as Readonly<{ lastStep?: number; counter?: number }>
  return lastStep ?? counter ?? 0
}
/** I5: no counter goes back. */
const counted: Rule = (now, before) =>
  (before?.members ?? []).flatMap((was) => {
    const is = now.members.find(({ id }) => id === was.id)
    if (!is) return []
    return [
      ...when(is.revision < was.revision, `I5: ${was.id} is an older version than before`),
      ...strong(was).flatMap(({ id, data }) => {
        const held = is.credentials.find((one) => one.id === id)
        return when(
          held !== undefined && countOf(held.data) < countOf(data),
          `I5: a counter of ${was.id} went back`,
        )
      }),
    ]
  })

/** I7: no answer is a fault of ours, but that a store is away. */
const answered: Rule = (now) =>
  now.log.flatMap(({ msg, status, route, error }) => [
    ...when(
      msg === 'request' && Number(status) >= 500 && status !== 503,
      `I7: ${route} answered ${status}`,
    ),
    ...when(error === 'server_error', 'I7: an application was told of a fault of ours'),
    ...when(msg === 'uncaught', 'I7: a fault that nobody caught'),
  ])

const RULES: readonly Rule[] = [usedOnce, provenFirst, kept, recorded, whole, counted, answered]

/**
 * What the invariants of security.md section 4 say against this evidence; `before`: that of an
 * earlier moment. Of the ten these cannot be read from stores, and are shown where they happen:
 * - I1 for what leaves no trace of a second use (mailed codes and links, challenges, authorization
 *   codes): test/faults/races.test.ts counts what each use has proven;
 * - I5 for counters in Redis, which a success lawfully forgets: test/crash/kill.test.ts (a try still
 *   counts after a crash) and test/contracts/throttle.ts;
 * - I6, no 200 for a write that was not saved: test/crash and test/faults/kill.test.ts hold each
 *   answer of 303 against the member as stored; test/faults/dependencies.test.ts does with a Redis
 *   that takes no writes;
 * - I7's pages without a stack, I8 (an answer within five seconds), I9 (well again within five) and
 *   I10 (discovery and keys served, readiness true): test/faults/dependencies.test.ts, test/server.
 */
export const violations = (now: Evidence, before?: Evidence): readonly string[] =>
  RULES.flatMap((rule) => rule(now, before))

/** Where the evidence of one deployment is. */
type Source = Readonly<{
  read<T>(work: (store: Pick<Adapters, 'members' | 'audit' | 'signIns'>) => Promise<T>): Promise<T>
  stores: Pick<TestStores, 'artifacts' | 'atRest'>
  societyIds: readonly string[]
  requiredAcr(clientId: string): Promise<Acr | undefined>
  mails(): Evidence['mails']
  log(): readonly Line[]
}>

const gather = async (source: Source): Promise<Evidence> => {
  const { outbox = '' } = await source.stores.atRest()
  const artifacts = await source.stores.artifacts()
  const of = await source.read(async ({ members, audit, signIns }) => {
    const found: Member[] = []
    for (const society of source.societyIds) {
      for await (const member of members.ofSociety(society)) found.push(member)
    }
    const events = await Promise.all(found.map(({ id }) => audit.eventsOf(id)))
    const listed = await Promise.all(found.map(({ id }) => signIns.list(id, 0)))
    return { members: found, audit: events.flat(), signIns: listed.flat() }
  })
  const required = new Map<string, Acr>()
  for (const { payload } of artifacts) {
    const { clientId } = JSON.parse(payload) as Payload
    const acr = clientId === undefined ? undefined : await source.requiredAcr(clientId)
    if (clientId !== undefined && acr !== undefined) required.set(clientId, acr)
  }
  return { ...of, artifacts, outbox, mails: source.mails(), log: source.log(), required }
}

/** The invariants of one deployment, held against what it was at the last look. */
export interface Invariants {
  /** What is against them now, a sentence each. */
  broken(): Promise<readonly string[]>
}

const invariantsAt = (source: Source): Invariants => {
  let before: Evidence | undefined
  return {
    async broken() {
      const now = await gather(source)
      const found = violations(now, before)
      before = now
      return found
    },
  }
}

const sourceIn = (idp: Idp): Source => ({
  read: (work) => work(idp.services),
  stores: idp.stores,
  societyIds: [...idp.services.settings.societies.keys()],
  requiredAcr: async (clientId) => (await idp.services.clients.find(clientId))?.requiredAcr,
  mails: () => idp.mails.mails,
  log: () => idp.log,
})
export const evidenceOf = (idp: Idp): Promise<Evidence> => gather(sourceIn(idp))
/** Of a product in this process, while its stores can be reached. */
export const invariantsOf = (idp: Idp): Invariants => invariantsAt(sourceIn(idp))

/** Of processes of the product's, on an embedded file while none of them runs. */
export const invariantsOfDeployment = (
  deployment: Pick<Deployment, 'withStore' | 'stores' | 'mails' | 'lines'>,
): Invariants =>
  invariantsAt({
    read: (work) => deployment.withStore(work),
    stores: deployment.stores,
    societyIds: ['sakura', 'minato'],
    // Its one client asks for that, and our own pages for no more.
    requiredAcr: async () => 'urn:kenpo-id:acr:email',
    mails: () => deployment.mails.mails,
    // Whatever else a process prints is no line of its log.
    log: () => deployment.lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : [])),
  })
