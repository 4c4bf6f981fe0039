import { parseBirthdate } from '../../accounts/birthdate.ts'
import { confirmBirthdate } from '../../accounts/member.ts'
import type { StepContext, StepHandler, StepResult } from '../step.ts'
import { fault } from '../step.ts'
import { japaneseDay, untilText } from '../wording.ts'

/**
 * Manual step 3: an identity match, never a factor (ASVS 5.0 section 6.4.2). Five tries an account,
 * then this sign-in ends and the account's step pauses.
 */
const submit = async (
  { services, facts, locale }: StepContext,
  form: Readonly<Record<string, string>>,
): Promise<StepResult> => {
  const { era = '', year = '', month = '', day = '' } = form
  const values = { era, year, month, day }
  const now = services.clock.now()
  const parsed = parseBirthdate({ era, year, month, day }, japaneseDay(now))
  if (!parsed.ok) return { ok: false, faults: parsed.faults, values }

  const attempt = await services.throttle.count('birthdate', facts.member.id)
  if (attempt.ok && parsed.date === facts.member.birthdate) {
    await services.throttle.forget('birthdate', facts.member.id)
    return { ok: true, member: (member) => confirmBirthdate(member, now) }
  }
  if (attempt.ok && attempt.left > 0) {
    return {
      ok: false,
      faults: [fault('bday.mismatch', undefined, { left: attempt.left })],
      values,
    }
  }
  const pause = attempt.ok ? await services.throttle.look('birthdate', facts.member.id) : attempt
  const until = pause.ok ? now : pause.until
  services.log.warn({ memberId: facts.member.id }, 'birthdate not matched: sign-in ended')
  return {
    ok: false,
    faults: [fault('bday.locked', undefined, { time: untilText(until, locale) })],
    flow: { memberId: undefined, proofs: [] },
  }
}

export const birthdate: StepHandler = {
  fields: { era: { max: 20 }, year: { max: 200 }, month: { max: 200 }, day: { max: 200 } },
  position: () => 2,
  async show({ services, facts, locale }) {
    const allowance = await services.throttle.look('birthdate', facts.member.id)
    return {
      view: 'birthdate',
      locals: {},
      ...(!allowance.ok && {
        faults: [fault('bday.locked', undefined, { time: untilText(allowance.until, locale) })],
      }),
    }
  },
  submit,
}
