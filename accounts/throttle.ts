import type { AllowanceInOrder, Throttle } from './ports.ts'

/**
 * Every counter of the product: `points` attempts per `seconds`, then a pause of `pauseSeconds`
 * from the first refused attempt (0: the rest of the window).
 * The keys: account = HMAC of society and login key, the same for known and unknown IDs.
 */
export const LIMITS = {
  /** Wrong passwords per account. */
  password: { points: 10, seconds: 900, pauseSeconds: 900 },
  /** Wrong passwords per client address: many members share a company's address. */
  passwordPerAddress: { points: 60, seconds: 900, pauseSeconds: 900 },
  /** Wrong passwords per insurer symbol: beyond it initial passwords are not accepted for a while. */
  initialPasswordPerSymbol: { points: 200, seconds: 3600, pauseSeconds: 3600 },
  /** Wrong passwords per society: a spray over many accounts; initial passwords pause. */
  initialPasswordPerSociety: { points: 2000, seconds: 3600, pauseSeconds: 3600 },
  birthdate: { points: 5, seconds: 900, pauseSeconds: 900 },
  /** Wrong e-mail codes per challenge; a resend repeats the code and resets nothing, and is a new
   * challenge once these are used up. */
  emailCode: { points: 5, seconds: 600, pauseSeconds: 900 },
  /** Wrong codes per member over all challenges. */
  emailCodePerMember: { points: 20, seconds: 3600, pauseSeconds: 3600 },
  /** Right codes per challenge of a sign-in, which this accepts once. */
  emailCodeOnce: { points: 1, seconds: 86_400, pauseSeconds: 0 },
  /** Wrong app codes: of one authorization request, and of a member (RFC 6238 section 5.2). */
  totpPerRequest: { points: 5, seconds: 3600, pauseSeconds: 0 },
  totp: { points: 10, seconds: 600, pauseSeconds: 900 },
  /** Wrong app codes in a row, however slowly: then the app waits for another method or the desk. */
  totpInARow: { points: 100, seconds: 90 * 86_400, pauseSeconds: 90 * 86_400 },
  recoveryCode: { points: 5, seconds: 900, pauseSeconds: 900 },
  /** Wrong one-use passes per member. */
  deskPass: { points: 5, seconds: 900, pauseSeconds: 900 },
  /** New passwords compared with the present one, per member: each tells something of that one. */
  newPassword: { points: 10, seconds: 900, pauseSeconds: 900 },
  /** Forgotten passwords: mails asked for per account, wrong codes per account over all its requests,
   * and requests (also for a user ID) per client address. None of them stops anybody's sign-in. */
  reset: { points: 5, seconds: 3600, pauseSeconds: 0 },
  resetPerDay: { points: 10, seconds: 86_400, pauseSeconds: 0 },
  resetCode: { points: 15, seconds: 3600, pauseSeconds: 3600 },
  resetPerAddress: { points: 60, seconds: 3600, pauseSeconds: 0 },
  /** Mails with a user ID, per society and address written to. */
  reminder: { points: 3, seconds: 3600, pauseSeconds: 0 },
  /** One mail a minute per challenge. */
  mailCooldown: { points: 1, seconds: 60, pauseSeconds: 0 },
  mailPerHour: { points: 5, seconds: 3600, pauseSeconds: 0 },
  mailPerDay: { points: 10, seconds: 86_400, pauseSeconds: 0 },
  /** Many members share a company's address, and e-mail may be all they can use there. */
  mailPerAddress: { points: 1000, seconds: 3600, pauseSeconds: 0 },
  /** Refused requests of relying parties that are kept to be explained: per client address, per
   * client and rule, and of all. More are refused alike, and leave only their log lines. */
  refusalPerAddress: { points: 100, seconds: 3600, pauseSeconds: 0 },
  refusalPerRule: { points: 50, seconds: 3600, pauseSeconds: 0 },
  refusal: { points: 500, seconds: 3600, pauseSeconds: 0 },
  /** Answers that are nobody's mistake, such as to prompt=none: of all, and counted by nothing above
   * but per client and rule. */
  refusalOrdinary: { points: 100, seconds: 3600, pauseSeconds: 0 },
  /** Request objects that are fetched where a client keeps them, which anybody can ask for: per
   * client, and per client and network address. */
  requestUriPerAddress: { points: 120, seconds: 60, pauseSeconds: 0 },
  requestUri: { points: 1200, seconds: 60, pauseSeconds: 0 },
} as const satisfies Record<string, { points: number; seconds: number; pauseSeconds: number }>
export type LimitId = keyof typeof LIMITS

/**
 * Counts one attempt against each limit, in this order and no further than the first that refuses,
 * so that what is refused by one costs nothing of the next. `left` is the least of them all.
 */
export const countInOrder = async (
  throttle: Pick<Throttle, 'count' | 'countInOrder'>,
  limits: readonly (readonly [LimitId, string])[],
): Promise<AllowanceInOrder> => {
  if (throttle.countInOrder) return throttle.countInOrder(limits)
  let left = Number.POSITIVE_INFINITY
  for (const [limit, key] of limits) {
    const allowance = await throttle.count(limit, key)
    if (!allowance.ok) return { ...allowance, limit }
    left = Math.min(left, allowance.left)
  }
  return { ok: true, left }
}
