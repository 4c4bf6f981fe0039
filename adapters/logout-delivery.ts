import pLimit, { type LimitFunction } from 'p-limit'
import type { EpochSeconds } from '../accounts/member.ts'
import type { Clock, LogoutCall, LogoutRequest } from '../accounts/ports.ts'
import type { Delivery } from './outbox-worker.ts'

/** Whoever guards where this server may call to does it here. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

type Dependencies = Readonly<{
  /** Made when it is sent; undefined: the relying party is not to be told any more. */
  callFor: (request: LogoutRequest) => Promise<LogoutCall | undefined>
  fetch: Fetch
  clock: Clock
  /** A relying party's answer takes no longer. */
  limitMs?: number
}>

/** A relying party that did not take the token. */
class LogoutNotTakenError extends Error {
  readonly reason: 'refused' | 'faulty' | 'silent' | 'unreachable' | 'troubled'
  readonly status: number | undefined
  readonly notBefore: EpochSeconds | undefined

  constructor(
    reason: LogoutNotTakenError['reason'],
    more: Readonly<{ status?: number; notBefore?: EpochSeconds }> = {},
  ) {
    super(reason)
    this.reason = reason
    this.status = more.status
    this.notBefore = more.notBefore
  }
}

const LIMIT_MS = 5000
const IN_FLIGHT = 100
/** … of which one relying party holds up so many. All of its others have been sent, or put off, well
 * within the worker's lease. */
const IN_LANE = 10
/** While a relying party in trouble is asked once, its other tokens wait this long. */
const PROBE_SECONDS = 6
const MAX_TROUBLE_SECONDS = 60
/** Request Timeout, Too Early, Too Many Requests: not now, perhaps later. */
const NOT_NOW = new Set([408, 425, 429])

const answerOf = async (
  fetch: Fetch,
  { uri, token }: LogoutCall,
  limitMs: number,
): Promise<number> => {
  const signal = AbortSignal.timeout(limitMs)
  try {
    const response = await fetch(uri, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: token }).toString(),
      signal,
    })
    // What it says besides is of no interest, however long it is.
    await response.body?.cancel()
    return response.status
  } catch {
    throw new LogoutNotTakenError(signal.aborted ? 'silent' : 'unreachable')
  }
}

/**
 * Logout tokens, posted to the relying parties (OpenID Connect Back-Channel Logout 1.0 section 2.5):
 * 2xx is a yes; silence, a broken connection and 5xx are tried again; anything else, a redirect too,
 * is a refusal for good (section 2.8: 400). Each has a lane of its own, and one that does not answer
 * is asked by one token at a time: nobody's tokens wait behind another's.
 */
export const createLogoutDelivery = ({
  callFor,
  fetch,
  clock,
  limitMs = LIMIT_MS,
}: Dependencies): Delivery<LogoutRequest> => {
  const troubled = new Map<string, { failures: number; until: EpochSeconds }>()
  const lanes = new Map<string, LimitFunction>()

  const laneOf = (clientId: string): LimitFunction => {
    const lane = lanes.get(clientId) ?? pLimit(IN_LANE)
    lanes.set(clientId, lane)
    return lane
  }

  const inTrouble = (clientId: string): void => {
    const failures = (troubled.get(clientId)?.failures ?? 0) + 1
    const seconds = Math.min(2 ** (failures - 1), MAX_TROUBLE_SECONDS)
    troubled.set(clientId, { failures, until: clock.now() + seconds })
  }

  const post = async (clientId: string, call: LogoutCall): Promise<void> => {
    const status = await answerOf(fetch, call, limitMs).catch((error: unknown) => {
      inTrouble(clientId)
      throw error
    })
    if (status >= 500 || NOT_NOW.has(status)) {
      inTrouble(clientId)
      throw new LogoutNotTakenError('faulty', { status })
    }
    troubled.delete(clientId)
    if (status < 200 || status > 299) throw new LogoutNotTakenError('refused', { status })
  }

  const sendTo = async (request: LogoutRequest): Promise<'sent' | 'dropped'> => {
    const { clientId } = request
    const trouble = troubled.get(clientId)
    if (trouble && clock.now() < trouble.until) {
      throw new LogoutNotTakenError('troubled', { notBefore: trouble.until })
    }
    if (trouble) trouble.until = clock.now() + PROBE_SECONDS
    const call = await callFor(request)
    if (!call) return 'dropped'
    await post(clientId, call)
    return 'sent'
  }

  return {
    inFlight: IN_FLIGHT,
    send: (request) => laneOf(request.clientId)(() => sendTo(request)),
    faultOf: (error) => {
      if (!(error instanceof LogoutNotTakenError)) {
        return { permanent: false, facts: { reason: 'notMade', err: error } }
      }
      const { reason, status, notBefore } = error
      return {
        permanent: reason === 'refused',
        facts: { reason, ...(status !== undefined && { status }) },
        ...(notBefore !== undefined && { notBefore }),
      }
    },
    factsOf: ({ id, clientId }) => ({ logoutId: id, clientId }),
    events: {
      sent: 'logout_delivered',
      putOff: 'logout_put_off',
      failed: 'logout_failed',
      dropped: 'logout_dropped',
    },
  }
}
