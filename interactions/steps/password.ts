import { createHmac } from 'node:crypto'
import type { Facts } from '../../accounts/enrolment.ts'
import { loginKey } from '../../accounts/member.ts'
import { verifyPassword } from '../../factors/password.ts'
import { emailProofKey } from '../confirm-address.ts'
import type { StepContext, StepHandler, StepResult } from '../step.ts'
import { fault } from '../step.ts'
import { untilText } from '../wording.ts'

const LOGIN_ID_MAX = 64
const PASSWORD_MAX = 128

/** The insurer's symbol in a login ID like 12345-678, by which a spray over a company is seen. */
const symbolOf = (key: string): string => key.split('-', 1)[0] ?? key

const locked = (context: StepContext<Facts>, until: number, typed: string): StepResult => ({
  ok: false,
  faults: [fault('login.locked', undefined, { time: untilText(until, context.locale) })],
  values: { username: typed },
})

/**
 * Manual step 2. A known and an unknown ID take the same way, the same time and give the same
 * answer; failures are counted by the ID as typed, before the password is looked at.
 */
const submit = async (
  context: StepContext<Facts>,
  form: Readonly<Record<string, string>>,
): Promise<StepResult> => {
  const { services, society, address, uid } = context
  const { members, transient, throttle, clock, settings, log } = services
  const typed = form.username ?? ''
  const password = form.password ?? ''
  const key = loginKey(typed)
  const values = { username: typed }
  const faults = [
    ...(key === '' ? [fault('id.empty', 'username')] : []),
    ...([...key].length > LOGIN_ID_MAX ? [fault('id.long', 'username')] : []),
    ...(password === '' ? [fault('pw.empty', 'password')] : []),
    ...([...password].length > PASSWORD_MAX ? [fault('pw.toolong', 'password')] : []),
  ]
  if (faults.length > 0) return { ok: false, faults, values }

  const account = createHmac('sha256', settings.codeKey)
    .update(`account|${society.id}|${key}`)
    .digest('base64url')
  const symbol = `${society.id}|${symbolOf(key)}`
  const fromAddress = await throttle.look('passwordPerAddress', address)
  if (!fromAddress.ok) return locked(context, fromAddress.until, typed)
  const attempt = await throttle.count('password', account)
  if (!attempt.ok) return locked(context, attempt.until, typed)

  const member = await members.findByLoginId(society.id, typed)
  if (!(await verifyPassword(member?.password.hash, password)) || !member) {
    await throttle.count('passwordPerAddress', address)
    await throttle.count('initialPasswordPerSymbol', symbol)
    await throttle.count('initialPasswordPerSociety', society.id)
    log.info({ accountKey: account.slice(0, 12), societyId: society.id }, 'sign-in refused')
    return { ok: false, faults: [fault('login.bad', undefined, { left: attempt.left })], values }
  }
  if (member.password.initial) {
    for (const [limit, counted] of [
      ['initialPasswordPerSymbol', symbol],
      ['initialPasswordPerSociety', society.id],
    ] as const) {
      const allowance = await throttle.look(limit, counted)
      if (!allowance.ok) {
        log.warn({ limit, societyId: society.id }, 'initial passwords paused: many wrong ones')
        return locked(context, allowance.until, typed)
      }
    }
  }
  await throttle.forget('password', account)
  // Signing in anew: a link pressed for this request before speaks for nobody any more.
  await transient.take(emailProofKey(uid))
  log.info({ memberId: member.id, societyId: society.id }, 'password proven')
  return {
    ok: true,
    flow: {
      memberId: member.id,
      loginId: member.loginId,
      proofs: [{ factor: 'password', at: clock.now() }],
      enrolledHere: false,
      doneSeen: false,
      aside: undefined,
      challengeId: undefined,
      wantedAddress: undefined,
      addressOnFileProven: undefined,
    },
  }
}

export const password: StepHandler<Facts> = {
  fields: { username: { max: 1000 }, password: { max: 1000 } },
  async show({ society, flow }) {
    return {
      view: 'password',
      locals: { loginIdExample: society.loginIdExample, restarted: false },
      values: { username: flow.loginId ?? '' },
    }
  },
  submit,
}
