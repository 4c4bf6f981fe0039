import type { Proof } from '../../accounts/assurance.ts'
import type { Facts } from '../../accounts/enrolment.ts'
import { loginKey, type Member } from '../../accounts/member.ts'
import { countInOrder } from '../../accounts/throttle.ts'
import { PASSKEY_SECONDS, type PasskeyKept } from '../../factors/passkey.ts'
import { isTooLong, requireHashingRoom, verifyPassword } from '../../factors/password.ts'
import type { Fault } from '../../views/pages.ts'
import { accountKey } from '../account-key.ts'
import { countedField } from '../csrf.ts'
import { isStaleMember } from '../flow.ts'
import { forgotActs, showForgot } from '../forgot/index.ts'
import { type Form, readForm } from '../form.ts'
import { storeUsed } from '../methods/outcome.ts'
import { ceremonyFault, PASSKEY_FIELDS, passkeyFault, passkeyOwner } from '../methods/passkey.ts'
import type { Services, Settings } from '../services.ts'
import {
  type Act,
  type Attempt,
  ceremonyOf,
  type FlowPatch,
  fault,
  placeOf,
  type StepContext,
  type StepHandler,
  type StepResult,
} from '../step.ts'
import { tellLocked } from '../tell-locked.ts'
import { updateMember } from '../update-member.ts'
import { inAppBrowserOf, untilText } from '../wording.ts'

const LOGIN_ID_MAX = 64
const FIELDS = { username: { max: 1000 }, password: { max: 1000 } } as const

/** The insurer's symbol in a login ID like 12345-678, by which a spray over a company is seen. */
const symbolOf = (key: string): string => key.split('-', 1)[0] ?? key

/** The flow of a member who has just said who they are: nothing of another's is left in it. */
const begunBy = (services: Services, member: Member, proof: Proof): FlowPatch => ({
  memberId: member.id,
  signIn: services.randomBytes(16).toString('base64url'),
  loginId: member.loginId,
  proofs: [proof],
  sessionUid: undefined,
  doneSeen: false,
  offerDevice: undefined,
  aside: undefined,
  reset: undefined,
  passwordReset: undefined,
  reminded: undefined,
  challengeId: undefined,
  signInCode: undefined,
  otherSignInCode: undefined,
  wantedAddress: undefined,
  addressOnFileProven: undefined,
  method: undefined,
  another: undefined,
  passkeyHint: undefined,
})

const locked = (context: StepContext<Facts>, until: number, typed: string): StepResult => ({
  ok: false,
  faults: [fault('login.locked', undefined, { time: untilText(until, context.locale) })],
  values: { username: typed },
})

/** What makes a form no attempt at all. */
const faultsOf = (form: Form): readonly Fault[] => {
  const { username = '', password = '' } = form
  const key = loginKey(username)
  return [
    ...(key === '' ? [fault('id.empty', 'username')] : []),
    ...([...key].length > LOGIN_ID_MAX ? [fault('id.long', 'username')] : []),
    ...(password === '' ? [fault('pw.empty', 'password')] : []),
    ...(isTooLong(password) ? [fault('pw.toolong', 'password')] : []),
  ]
}

/** Counted by the account, right or wrong; wrong ones by what a spray has in common, too. */
const attemptOf = (settings: Settings, societyId: string, typed: string) => {
  const limits = [['password', accountKey(settings, societyId, typed)]] as const
  const looks = [
    ['initialPasswordPerSymbol', `${societyId}|${symbolOf(loginKey(typed))}`],
    ['initialPasswordPerSociety', societyId],
  ] as const
  return { limits, looks }
}

/** Until when initial passwords are not accepted here, after many wrong ones (T1). */
const initialPasswordsPausedUntil = async (
  { services, society }: StepContext<Facts>,
  looks: NonNullable<Attempt['looks']>,
): Promise<number | undefined> => {
  const { throttle, log } = services
  let until: number | undefined
  const allowances = await Promise.all(
    looks.map(async ([limit, counted]) => [limit, await throttle.look(limit, counted)] as const),
  )
  for (const [limit, allowance] of allowances) {
    if (allowance.ok) continue
    log.warn({ limit, societyId: society.id }, 'initial passwords paused: many wrong ones')
    until = Math.max(until ?? 0, allowance.until)
  }
  return until
}

/**
 * Manual step 2. A known and an unknown ID take the same way, the same time and give the same
 * answer; failures are counted by the ID as typed, before the password is looked at.
 */
const submit = async (
  context: StepContext<Facts>,
  form: Readonly<Record<string, string>>,
): Promise<StepResult> => {
  const { services, society, address } = context
  const { members, throttle, clock, settings, log } = services
  const typed = form.username ?? ''
  const password = form.password ?? ''
  const values = { username: typed }
  const faults = faultsOf(form)
  if (faults.length > 0) return { ok: false, faults, values }

  const { limits, looks } = attemptOf(settings, society.id, typed)
  const [[, account]] = limits
  const fromAddress = await throttle.look('passwordPerAddress', address)
  if (!fromAddress.ok) return locked(context, fromAddress.until, typed)
  requireHashingRoom()
  const [attempt, pausedUntil] = await Promise.all([
    countInOrder(throttle, limits),
    initialPasswordsPausedUntil(context, looks),
  ])
  const member = await members.findByLoginId(society.id, typed)
  if (!attempt.ok) {
    await tellLocked(context, account, member, attempt.until)
    return locked(context, attempt.until, typed)
  }
  const right = await verifyPassword(member?.password.hash, password)
  // While initial passwords pause, a right one is answered like a wrong one: a spray learns nothing.
  if (!right || !member || (member.password.initial && pausedUntil !== undefined)) {
    await Promise.all([
      throttle.count('passwordPerAddress', address),
      ...looks.map(([limit, counted]) => throttle.count(limit, counted)),
    ])
    log.info(
      {
        accountKey: account.slice(0, 12),
        societyId: society.id,
        place: placeOf(context),
      },
      'sign-in refused',
    )
    if (pausedUntil !== undefined) return locked(context, pausedUntil, typed)
    if (attempt.left === 0) {
      // The next one would be refused, right or wrong: told at once, for known and unknown IDs alike.
      const pause = await throttle.look('password', account)
      const until = pause.ok ? clock.now() : pause.until
      await tellLocked(context, account, member, until)
      return locked(context, until, typed)
    }
    return { ok: false, faults: [fault('login.bad', undefined, { left: attempt.left })], values }
  }
  await throttle.forget('password', account)
  log.info({ memberId: member.id, societyId: society.id }, 'password proven')
  return {
    ok: true,
    flow: begunBy(services, member, { factor: 'password', at: clock.now() }),
  }
}

const keptKey = ({ uid }: StepContext<Facts>): string => `passkey-discoverable:${uid}`

/** What the browser's autofill and the passkey button ask for; new with every page. */
const passkeyOptions = async (context: StepContext<Facts>): Promise<string> => {
  const begun = await context.factors.passkey.beginDiscoverable(ceremonyOf(context))
  await context.services.transient.put(keptKey(context), begun.kept, PASSKEY_SECONDS)
  return JSON.stringify(begun.shown)
}

/** Sign-in by passkey alone: the passkey says who it is, and is two factors by itself. */
const signInWithPasskey: Act<Facts> = {
  fields: PASSKEY_FIELDS,
  proves: () => 'passkey',
  async submit(context, form) {
    const { services, factors, society, facts } = context
    const failed = ceremonyFault(form)
    if (failed) return { ok: false, faults: [failed] }
    const kept = await services.transient.take<PasskeyKept>(keptKey(context))
    if (!kept) return { ok: false, faults: [fault('pk.failed')] }
    const owner = await passkeyOwner(context, form)
    const member = owner?.societyId === society.id ? owner : undefined
    const verdict = await factors.passkey.finishDiscoverable(
      member,
      kept,
      form,
      ceremonyOf(context),
    )
    if (!verdict.ok || !member) {
      const reason = verdict.ok ? 'pk.gone' : verdict.reason
      const isAnothers = owner !== undefined && member === undefined
      return { ok: false, faults: [passkeyFault(context, form, reason, isAnothers)] }
    }
    if (!facts.network.factors.includes('passkey')) {
      return {
        ok: false,
        faults: [fault('method.place', undefined, { network: facts.network.name })],
      }
    }
    const { credential, synced, elsewhere } = verdict.value
    try {
      if (credential) await updateMember(services, member, storeUsed(member, credential))
    } catch (error) {
      // The same passkey was used elsewhere in this very moment.
      if (isStaleMember(error)) return { ok: false, faults: [fault('pk.failed')] }
      throw error
    }
    services.log.info(
      { memberId: member.id, societyId: society.id, factor: 'passkey' },
      'passkey proven',
    )
    const proof = { factor: 'passkey', at: services.clock.now() } as const
    return {
      ok: true,
      flow: {
        ...begunBy(services, member, { ...proof, ...(synced !== undefined && { synced }) }),
        ...(elsewhere && { offerDevice: true }),
      },
    }
  },
}

export const password: StepHandler<Facts> = {
  fields: FIELDS,
  attempt({ settings, counted, body }) {
    const form = readForm(FIELDS, body)
    if (!form || faultsOf(form).length > 0) return undefined
    return attemptOf(settings, counted, form.username ?? '')
  },
  async show(context) {
    const beside = await showForgot(context)
    if (beside) return beside
    const { services, society, flow, facts, uid } = context
    const byPasskey = facts.network.factors.includes('passkey')
    const barredHere =
      !byPasskey && society.factors.includes('passkey') && facts.network.name !== ''
    const inApp = inAppBrowserOf(context.userAgent)
    return {
      view: 'password',
      locals: {
        loginIdExample: society.loginIdExample,
        counted: countedField(services.settings.cookieKeys, uid, society.id),
        ...(flow.passwordReset && { passwordReset: true }),
        ...(byPasskey && !inApp && { passkeyOptionsJson: await passkeyOptions(context) }),
        ...(byPasskey && inApp && { inAppBrowser: true }),
        ...(barredHere && { noPasskeyOn: facts.network.name }),
      },
      values: { username: flow.loginId ?? '' },
    }
  },
  submit,
  acts: { passkey: signInWithPasskey, ...forgotActs },
}
