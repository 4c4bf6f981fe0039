import { parseBirthdate } from '../../accounts/birthdate.ts'
import type { Facts } from '../../accounts/enrolment.ts'
import { loginKey, type MemberId } from '../../accounts/member.ts'
import { clientName } from '../../accounts/policy.ts'
import { countInOrder } from '../../accounts/throttle.ts'
import { accountKey } from '../account-key.ts'
import { type KeptChallenge, keepChallenge, queueMail } from '../email-challenge.ts'
import { type Act, fault, type StepContext, type StepResult, signInOf } from '../step.ts'
import { japaneseDay, untilText } from '../wording.ts'
import { resetAddress } from './resettable.ts'

const LOGIN_ID_MAX = 64
/** Whose challenge a request is that fits no member: its code never matches, its mail is not sent. */
const NOBODY = '' as MemberId

/** Counts one more mail asked for; where it is one too many, what to say, the same for any ID. */
export const countMail = async (
  { services, locale }: StepContext<Facts>,
  account: string,
): Promise<StepResult | undefined> => {
  const counted = await countInOrder(services.throttle, [
    ['reset', account],
    ['resetPerDay', account],
  ])
  if (counted.ok) return undefined
  const time = untilText(counted.until, locale)
  return { ok: false, faults: [fault('mail.limit', undefined, { time })] }
}

/** A code for whoever the challenge is for, kept and queued; for nobody, the same but for the mail. */
export const openReset = async (
  context: StepContext<Facts>,
  whose: Pick<KeptChallenge, 'memberId' | 'address'>,
): Promise<KeptChallenge> => {
  const { services, society, client, locale, uid, flow, device } = context
  const challenge: KeptChallenge = {
    id: services.randomBytes(16).toString('base64url'),
    purpose: 'resetPassword',
    memberId: whose.memberId,
    address: whose.address,
    createdAt: services.clock.now(),
    uid,
    signIn: signInOf(uid, flow),
    societyId: society.id,
    locale,
    requestedFrom: device,
    appName: clientName(client, locale),
  }
  await keepChallenge(services, challenge)
  await queueMail(context, challenge, 1)
  return challenge
}

/**
 * A1: user ID and date of birth. Whether they fit a member who may have a code is seen in the
 * mailbox alone: every ID takes the same way, the same time and the same limits.
 */
export const requestReset: Act<Facts> = {
  fields: {
    username: { max: 1000 },
    era: { max: 20 },
    year: { max: 200 },
    month: { max: 200 },
    day: { max: 200 },
  },
  async submit(context, form) {
    const { services, society, address, locale } = context
    const { username = '', era = '', year = '', month = '', day = '' } = form
    const values = { username, era, year, month, day }
    const key = loginKey(username)
    const parsed = parseBirthdate({ era, year, month, day }, japaneseDay(services.clock.now()))
    const faults = [
      ...(key === '' ? [fault('id.empty', 'username')] : []),
      ...([...key].length > LOGIN_ID_MAX ? [fault('id.long', 'username')] : []),
      ...(parsed.ok ? [] : parsed.faults),
    ]
    if (!parsed.ok || faults.length > 0) return { ok: false, faults, values }

    const here = await services.throttle.count('resetPerAddress', address)
    if (!here.ok) {
      const time = untilText(here.until, locale)
      return { ok: false, faults: [fault('code.toomany', undefined, { time })], values }
    }
    const account = accountKey(services.settings, society.id, username)
    const refused = await countMail(context, account)
    if (refused) return { ...refused, values }

    const member = await services.members.findByLoginId(society.id, username)
    const mailbox = member?.birthdate === parsed.date ? resetAddress(member) : undefined
    const whose =
      member && mailbox !== undefined
        ? { memberId: member.id, address: mailbox }
        : { memberId: NOBODY, address: '' }
    const challenge = await openReset(context, whose)
    services.log.info(
      { accountKey: account.slice(0, 12), societyId: society.id },
      'password reset asked for',
    )
    return {
      ok: true,
      flow: {
        reset: { account, challengeId: challenge.id },
        loginId: username.trim(),
        notice: undefined,
      },
    }
  },
}
