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
  /** Wrong e-mail codes per challenge; a resend repeats the code and resets nothing. */
  emailCode: { points: 5, seconds: 600, pauseSeconds: 900 },
  /** Wrong codes per member over all challenges. */
  emailCodePerMember: { points: 20, seconds: 3600, pauseSeconds: 3600 },
  /** One mail a minute per challenge. */
  mailCooldown: { points: 1, seconds: 60, pauseSeconds: 0 },
  mailPerHour: { points: 5, seconds: 3600, pauseSeconds: 0 },
  mailPerDay: { points: 10, seconds: 86_400, pauseSeconds: 0 },
  mailPerAddress: { points: 60, seconds: 3600, pauseSeconds: 0 },
} as const satisfies Record<string, { points: number; seconds: number; pauseSeconds: number }>
export type LimitId = keyof typeof LIMITS
