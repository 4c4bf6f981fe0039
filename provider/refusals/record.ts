import type { EpochSeconds } from '../../accounts/member.ts'
import type { Throttle, TransientStore } from '../../accounts/ports.ts'
import { countInOrder } from '../../accounts/throttle.ts'
import type { Difference } from './masking.ts'
import type { RuleId } from './rules.ts'

/** What refuses: the provider's endpoints that relying parties send requests to. */
const ENDPOINTS = [
  'authorization',
  'pushed_authorization_request',
  'token',
  'userinfo',
  'introspection',
  'revocation',
  'registration',
  'end_session',
] as const
export type Endpoint = (typeof ENDPOINTS)[number]

/** One thing that is wrong with a request. Every text of it has been through `masked`. */
export type Finding = Readonly<{
  rule: RuleId
  /** As in the request; empty: the request as a whole. */
  parameter: string
  received?: string
  /** What would have been right: by the client's registration, by this provider, by an earlier
   * request. */
  expected?: Readonly<{ by: 'client' | 'provider' | 'request'; values: readonly string[] }>
  difference?: Difference
  /** In the words of a rule for metadata, where the table has none. */
  said?: Readonly<{ rule: string; fix: string }>
}>

/** A refused request as it is kept: no secret, nothing about a member, nobody's address. */
export type RefusalRecord = Readonly<{
  reference: string
  at: EpochSeconds
  endpoint: Endpoint
  /** The standard's code, as it was answered. */
  error: string
  /** As it was answered; of what our own code refuses also why, which was not. */
  description?: string
  client?: Readonly<{ id: string; name?: string; state: 'enabled' | 'disabled' | 'unknown' }>
  /** What it was refused for comes first. */
  findings: readonly [Finding, ...Finding[]]
}>

/** So long a refusal can be asked for. */
const REFUSAL_SECONDS = 7 * 86_400

const REFERENCE = /^([0-9A-HJKMNP-TV-Z]{4})-?([0-9A-HJKMNP-TV-Z]{4})$/

/** A reference number as it was read out or typed, in its own form; undefined: it cannot be one. */
export const readReference = (typed: string): string | undefined => {
  const heard = typed.trim().toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1')
  const [, first, second] = REFERENCE.exec(heard) ?? []
  return first === undefined ? undefined : `${first}-${second}`
}

const keyOf = (reference: string): string => `refusal:${reference}`

export type RefusalPorts = Readonly<{ transient: TransientStore; throttle: Throttle }>

/** Not mistakes: a site that asks by prompt=none hears the first all day. They have room of their own. */
const ORDINARY: readonly RuleId[] = ['member.must_act', 'member.turned_back']

/** Anybody can come from many addresses. */
const MAX_PAUSED = 10_000

/**
 * Keeps records, unless so many came of one address, of one client by one rule, or at all, that more
 * of them would only fill the store. Whoever has had as many as that is not counted any further
 * here, so that a flood costs the store nothing.
 */
export const createRefusalKeeper = ({ transient, throttle }: RefusalPorts) => {
  const paused = new Map<string, EpochSeconds>()
  return async (record: RefusalRecord, address: string): Promise<void> => {
    const { reference, at, client, findings } = record
    // An ID that is not registered is anybody's.
    const named = client && client.state !== 'unknown' ? client.id : address
    const { rule } = findings[0]
    const byRule = `${named}/${rule}`
    const source = `${address}/${byRule}`
    if (at < (paused.get(source) ?? 0)) return
    const allowance = await countInOrder(throttle, [
      ['refusalPerRule', byRule],
      ...(ORDINARY.includes(rule)
        ? ([['refusalOrdinary', 'all']] as const)
        : ([
            ['refusalPerAddress', address],
            ['refusal', 'all'],
          ] as const)),
    ])
    if (allowance.ok) return transient.put(keyOf(reference), record, REFUSAL_SECONDS)
    paused.delete(source)
    paused.set(source, allowance.until)
    const [oldest] = paused.keys()
    if (paused.size > MAX_PAUSED && oldest !== undefined) paused.delete(oldest)
  }
}

/** The record of this reference number; undefined where there is none, or no longer. */
export const findRefusal = (
  { transient }: Pick<RefusalPorts, 'transient'>,
  reference: string,
): Promise<RefusalRecord | undefined> => transient.get<RefusalRecord>(keyOf(reference))
