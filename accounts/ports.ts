import type { Consent } from './consents.ts'
import type { EpochSeconds, Locale, Member, MemberId } from './member.ts'
import type { ClientPolicy } from './policy.ts'
import type { SessionRecord, SignIn } from './sign-ins.ts'
import type { LimitId } from './throttle.ts'

/** Members, lasting. Contract: test/contracts/member-store.ts */
export interface MemberStore {
  findById(id: MemberId): Promise<Member | undefined>
  /** Any spelling of the login ID: compared by `loginKey`. */
  findByLoginId(societyId: string, loginId: string): Promise<Member | undefined>
  /** Everybody of the society who has proven this address, by login ID: families share mailboxes.
   * Compared by `emailKey`. */
  findByVerifiedEmail(societyId: string, address: string): Promise<readonly Member[]>
  /** Everybody of the society, by login key, a page at a time: a member saved meanwhile may come as
   * they were or as they are. */
  ofSociety(societyId: string): AsyncIterable<Member>
  /** Insert when `revision` is 0, else compare-and-set on it. Returns the member as stored, one
   * revision up. A passkey's ID is one member's only.
   * @throws StaleMemberError, DuplicateLoginIdError, DuplicateCredentialError */
  save(member: Member): Promise<Member>
}

/** Flow facts, challenges: JSON values that all expire. Contract: test/contracts/transient-store.ts */
export interface TransientStore {
  put(key: string, value: unknown, ttlSeconds: number): Promise<void>
  get<T>(key: string): Promise<T | undefined>
  /** Atomic read-and-delete: of any number of callers, one gets the value. */
  take<T>(key: string): Promise<T | undefined>
  /** Atomic compare-and-set: writes only while the stored value still equals `previous` (as JSON;
   * undefined: no live value) and tells whether it wrote. */
  replace(key: string, previous: unknown, value: unknown, ttlSeconds: number): Promise<boolean>
  /**
   * `replace` for a caller who needs no answer, which a store may put off to the end of the request.
   * Where another was first, `anew` is asked what to write in place of the value that there is now;
   * undefined: nothing.
   */
  replaceLater?(
    key: string,
    previous: unknown,
    value: unknown,
    ttlSeconds: number,
    anew: (current: unknown) => unknown,
  ): Promise<void>
}

/** The outcome of counting one more attempt. */
export type Allowance =
  | Readonly<{ ok: true; left: number }>
  | Readonly<{ ok: false; until: EpochSeconds }>
/** The outcome of counting against several limits; of a refusal, whose it is. */
export type AllowanceInOrder = Allowance &
  (Readonly<{ ok: true }> | Readonly<{ ok: false; limit: LimitId }>)

/** Counters that survive an aborted request and a crash. Contract: test/contracts/throttle.ts */
export interface Throttle {
  /** Counts one attempt before it is made, so that parallel ones cannot slip through. */
  count(limit: LimitId, key: string): Promise<Allowance>
  /** See `countInOrder`, for a store that does it better than one by one. */
  countInOrder?(limits: readonly (readonly [LimitId, string])[]): Promise<AllowanceInOrder>
  /**
   * Counts along with whatever this unit of work reads next, for a `countInOrder` of the same limits,
   * which is told the outcome; an attempt that none asks for is given back. Looks likewise.
   */
  countAhead?(
    limits: readonly (readonly [LimitId, string])[],
    looks?: readonly (readonly [LimitId, string])[],
  ): void
  /** What `count` would answer, without counting. */
  look(limit: LimitId, key: string): Promise<Allowance>
  /** Forgets the key's count, after a success. */
  forget(limit: LimitId, key: string): Promise<void>
}

/** What a request is likely to ask the stores for, as far as its cookies and address tell. A wrong
 * guess costs a read and changes no answer. */
export type Foreseen = Readonly<{
  /** The engine's artifacts, by model and ID. */
  artifacts?: readonly (readonly [model: string, id: string])[]
  /** Keys of the transient store. */
  values?: readonly string[]
  looks?: readonly (readonly [LimitId, string])[]
}>
/**
 * Runs all of one request's work, and resolves once everything is stored that it was told is. May
 * put writes off until then and read ahead. @throws whatever the work throws, and
 * StoreUnavailableError wherever a store has failed it: no answer of it may be sent then
 */
export type UnitOfWork = <T>(foreseen: Foreseen, work: () => Promise<T>) => Promise<T>

export const MAIL_TEMPLATES = [
  'confirmAddress',
  'confirmSecondAddress',
  'proveAddressOnFile',
  'signInCode',
  'addressChanged',
  'addressConfirmed',
  'passwordChanged',
  'methodAdded',
  'methodRemoved',
  'newDevice',
  'recoveryCodeUsed',
  'resetCode',
  'userIdReminder',
  'deskPassUsed',
  'appConnected',
  'appDisconnected',
  'locked',
] as const
export type MailTemplate = (typeof MAIL_TEMPLATES)[number]

/** A mail to be written and sent. It holds no code and no link: those are derived from
 * `challengeId` when the mail is written. */
export type MailRequest = Readonly<{
  id: string
  to: string
  template: MailTemplate
  locale: Locale
  societyId: string
  challengeId?: string
  /** Plain facts for the text (a device's name, a method), never a secret. */
  facts: Readonly<Record<string, string>>
  requestedAt: EpochSeconds
  /** Not worth sending after this (the code it would carry has expired). */
  expiresAt: EpochSeconds
}>
/** Something to be sent, some time after it was asked for. */
export type Queued = Pick<MailRequest, 'id' | 'requestedAt' | 'expiresAt'>
export type DeliveryState = 'queued' | 'sent' | 'failed'

/** What is on its way out of one queue, lasting. Contract: test/contracts/outbox.ts */
export interface Outbox<Item extends Queued = MailRequest> {
  /** Idempotent by `id`. */
  add(item: Item): Promise<void>
  stateOf(id: string): Promise<DeliveryState | undefined>
  /** How many are on their way. */
  count(): Promise<number>
  /** Hands out due items, each to one caller, who has `leaseSeconds` to report; soonest first. Those
   * no longer worth sending have failed instead: each is told to one caller's `expired`. */
  claim(
    now: EpochSeconds,
    limit: number,
    leaseSeconds: number,
    expired?: (item: Item, attempts: number) => void,
  ): Promise<readonly Readonly<{ item: Item; attempts: number }>[]>
  sent(id: string, now: EpochSeconds): Promise<void>
  retry(id: string, at: EpochSeconds): Promise<void>
  failed(id: string, now: EpochSeconds): Promise<void>
}

/** A relying party to be told that a session of its is over. What is signed is made when sent. */
export type LogoutRequest = Readonly<{
  /** One per session and relying party: accounts/logouts.ts. */
  id: string
  clientId: string
  memberId: MemberId
  /** The session's name at this relying party. */
  sid: string
  requestedAt: EpochSeconds
  /** Given up after this. */
  expiresAt: EpochSeconds
}>

/** A logout token on its way out (OpenID Connect Back-Channel Logout 1.0 section 2.5). */
export type LogoutCall = Readonly<{ uri: string; token: string }>

/** A mail as it goes out. `to` is one bare address. */
export type WrittenMail = Readonly<{
  id: string
  to: string
  from: Readonly<{ name: string; address: string }>
  subject: string
  text: string
  html: string
}>
export interface Mailer {
  /** Resolves once the next server has taken the mail. @throws on refusal or silence */
  send(mail: WrittenMail): Promise<void>
}

export const AUDIT_ACTS = [
  'deskPassIssued',
  'deskPassUsed',
  'passwordReset',
  'methodsRemoved',
  'addressChangeUndone',
  'consentGiven',
  'consentWithdrawn',
  'memberImported',
  'memberUpdated',
  'memberShown',
  'memberExported',
  'memberUnlocked',
  'memberDisabled',
  'memberEnabled',
  'initialPasswordIssued',
  'clientCreated',
  'clientUpdated',
  'clientSecretRotated',
  'clientDisabled',
  'clientEnabled',
  'clientDeleted',
  'registrationTokenCreated',
  'registrationTokenRevoked',
  'signingKeysRotated',
  'signingKeysRevoked',
  'signingKeysAdopted',
] as const
export type AuditAct = (typeof AUDIT_ACTS)[number]

/** Whom or what an act was done to: a member, a relying party, a token to register one with, or the
 * keys that this installation signs with, which are no society's (`societyId` is empty). */
export type AuditSubject = MemberId | `client:${string}` | `registration:${string}` | 'signing-keys'

/** One act that somebody may have to answer for. Holds no secret. */
export type AuditEvent = Readonly<{
  /** Of two events with one ID the first is kept: an act that is tried again is told once. */
  id: string
  at: EpochSeconds
  act: AuditAct
  societyId: string
  memberId: AuditSubject
  /** Who did it at the society's desk; absent: whoever proved to be the member. */
  operator?: string
  /** Plain facts (a method, a reason), never an address, a code or a pass. */
  facts: Readonly<Record<string, string>>
}>

/** What was done to accounts, lasting and never changed. Contract: test/contracts/audit-trail.ts */
export interface AuditTrail {
  /** On disk when it resolves. Idempotent by `id`. */
  append(event: AuditEvent): Promise<void>
  /** The member's events, or the relying party's, oldest first. */
  eventsOf(subject: AuditSubject): Promise<readonly AuditEvent[]>
}

/** Sign-ins and the browsers they came from. Contract: test/contracts/sign-in-log.ts */
export interface SignInLog {
  /** Idempotent by `id`. `newDevice`: this browser is new to a member who has used another within
   * `DEVICE_SECONDS`; of a repeated record the first one's caller is told so. */
  record(signIn: SignIn, deviceId: string): Promise<{ newDevice: boolean }>
  /** The member's from `since` on, newest first. */
  list(memberId: MemberId, since: EpochSeconds): Promise<readonly SignIn[]>
}

/**
 * Which sessions are a member's. It remembers more than there are: the engine ends its sessions by
 * itself, so each is looked up there before it counts. Contract: test/contracts/session-index.ts
 */
export interface SessionIndex {
  /** Remembers the session, or its newest use, and every grant and `sid` it was ever seen with;
   * `endsAt` only ever moves on. */
  see(session: SessionRecord): Promise<void>
  /** Last used first. */
  list(memberId: MemberId): Promise<readonly SessionRecord[]>
  /** Hands out sessions whose `endsAt` has come and that are not `settle`d, each to one caller, who
   * has `leaseSeconds` to report: `settle` where it is over, `see` with a later `endsAt` where it
   * goes on, `remove`. Soonest first. */
  claimEnded(
    now: EpochSeconds,
    limit: number,
    leaseSeconds: number,
  ): Promise<readonly SessionRecord[]>
  /** It was over at `endsAt` and everybody knows: its `sids` are forgotten, its grants are not.
   * Changes nothing where it has been seen with a later `endsAt`. */
  settle(uid: string, endsAt: EpochSeconds): Promise<void>
  remove(uid: string): Promise<void>
}

/** What members have allowed relying parties, lasting. Contract: test/contracts/consent-store.ts */
export interface ConsentStore {
  find(memberId: MemberId, clientId: string): Promise<Consent | undefined>
  /** The member's, the newest `since` first. */
  list(memberId: MemberId): Promise<readonly Consent[]>
  /** Adds to what the member has allowed this relying party before, whose `since` stays. Nothing is
   * lost of two at once. */
  give(consent: Consent): Promise<void>
  /** Ends all of it; false where there was none. */
  withdraw(memberId: MemberId, clientId: string): Promise<boolean>
}

/** The relying parties, wherever they are registered. */
export interface ClientDirectory {
  /** As of at most five seconds ago; undefined: there is none, or it is disabled. */
  find(clientId: string): Promise<ClientPolicy | undefined>
}

export interface Clock {
  now(): EpochSeconds
}

/** Cryptographically strong bytes. */
export type RandomBytes = (size: number) => Buffer

/** Structured lines for the operator: an object of facts and an event name. */
export interface Log {
  info(facts: object, event: string): void
  warn(facts: object, event: string): void
  error(facts: object, event: string): void
}
