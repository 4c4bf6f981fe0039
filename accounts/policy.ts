import { type Acr, acrReaches, isAcr } from './assurance.ts'
import type { ChosenFactor, EpochSeconds, Locale } from './member.ts'

/** What one authorization request asks of the member's proofs. */
export type RequestPolicy = Readonly<{
  /** The weakest acr that will do. */
  requiredAcr: Acr
  /** Where the request named an essential acr (OIDC Core section 5.5.1.1): those of its values we
   * know, one of which must be reported. Empty: none can be met. */
  essentialAcrs?: readonly Acr[]
  /** Asked for without being essential (acr_values, voluntary acr), preferred first: reached where
   * the member can, else passed over (OIDC Core section 3.1.2.1). */
  voluntaryAcrs?: readonly Acr[]
  /** Proofs older than this do not count (prompt=login, max_age, the session's absolute end). */
  proofsSince: EpochSeconds
}>

/** A relying party as our pages and policy see it; the engine keeps its own metadata. */
export type ClientPolicy = Readonly<{
  clientId: string
  /** As members know it. */
  name: string
  /** Where it has a name in each language. */
  names?: Readonly<Record<Locale, string>>
  societyId: string
  /** Its front page. */
  uri?: string
  /** Where a sign-in can be started anew (OIDC Core section 4). */
  initiateLoginUri?: string
  /** The weakest acr it accepts. */
  requiredAcr: Acr
  /** Seconds since the member's last sign-in; undefined: the session's own limits. */
  maxAge?: number
  /** Not the society's own: the member is asked before it learns anything. */
  thirdParty?: boolean
  /** What was allowed before to one of this ID was to another client. */
  registeredAt?: EpochSeconds
  /** Its picture, where it has it; shown from our own address only. */
  logoUri?: string
  /** What it does with the member's data, and its terms. */
  policyUri?: string
  tosUri?: string
}>

/** The relying party's name as members of this language know it. */
export const clientName = ({ name, names }: ClientPolicy, locale: Locale): string =>
  names?.[locale] ?? name

/** What may be used from where: `factors` are those permitted on this network. */
export type NetworkPolicy = Readonly<{ name: string; factors: readonly ChosenFactor[] }>

/**
 * `sameSession`: the method is registered within the first login. `nextLogin`: the manual's own
 * shape, a completion page and registration at the next sign-in (manual steps 10 and 11).
 */
export type SocietyPolicy = Readonly<{
  id: string
  termsVersion: string
  registerFactor: 'sameSession' | 'nextLogin'
}>

/** An unfinished enrolment can be taken up again for this long, then the society's desk reopens it. */
export const ENROLMENT_WINDOW_SECONDS = 30 * 86_400

/** No pass from the society's desk is good for longer than this. */
export const DESK_PASS_MINUTES = 60

/** A chosen but unregistered method must be registered within this time of the first login. */
export const REGISTRATION_WINDOW_SECONDS = 14 * 86_400
/** No session outlives this, however often it is used. */
export const SESSION_SECONDS = 12 * 3600
/** A session unused for this long has ended. */
export const SESSION_IDLE_SECONDS = 30 * 60

/** When a session used now is over, unless it is used again. */
export const sessionEnd = (signedInAt: EpochSeconds, now: EpochSeconds): EpochSeconds =>
  Math.min(now + SESSION_IDLE_SECONDS, signedInAt + SESSION_SECONDS)
/** Time to complete one authorization request on our pages. */
export const INTERACTION_SECONDS = 3600

/** The parameters of an authorization request that bear on proofs, as the engine keeps them. */
export type RequestParameters = Readonly<{
  prompt?: unknown
  max_age?: unknown
  acr_values?: unknown
  /** The claims parameter, a JSON text the engine has validated. */
  claims?: unknown
}>

/**
 * When an authorization request came in that has been answered on our pages before: what was proven
 * for it then is not asked for again. `submitted`: what that answer said.
 */
export const requestedAt = (
  submitted: object | undefined,
  otherwise: EpochSeconds,
): EpochSeconds => {
  const { requestedAt: at } = (submitted ?? {}) as Readonly<{ requestedAt?: unknown }>
  return typeof at === 'number' ? at : otherwise
}

/** The acr member of the claims parameter: its known values, and whether one of them is essential. */
const claimedAcrs = (
  claims: unknown,
): Readonly<{ essential: boolean; values: readonly Acr[] }> | undefined => {
  if (typeof claims !== 'string') return undefined
  const acr: unknown = JSON.parse(claims)?.id_token?.acr
  if (typeof acr !== 'object' || acr === null) return undefined
  const { essential, value, values } = acr as Record<string, unknown>
  if (value === undefined && values === undefined) return undefined
  return {
    essential: essential === true,
    values: [value, ...(Array.isArray(values) ? values : [])].filter(isAcr),
  }
}

/**
 * The request's policy (OIDC Core section 3.1.2.1). `requestedAt` is when the request came in, so
 * that max_age=0 can be met by proving anew and is not overtaken by the time this takes.
 */
export const requestPolicy = (
  client: Pick<ClientPolicy, 'requiredAcr' | 'maxAge'>,
  params: RequestParameters,
  requestedAt: EpochSeconds,
): RequestPolicy => {
  const maxAges = [client.maxAge, params.max_age, SESSION_SECONDS]
    .filter((age) => age !== undefined && age !== '')
    .map(Number)
  const promptsLogin =
    typeof params.prompt === 'string' && params.prompt.split(' ').includes('login')
  const claimed = claimedAcrs(params.claims)
  const essential = claimed?.essential ? claimed.values : undefined
  const voluntary = [
    ...(claimed && !claimed.essential ? claimed.values : []),
    ...(typeof params.acr_values === 'string' ? params.acr_values.split(' ').filter(isAcr) : []),
  ]
  const weakest = essential?.reduce<Acr | undefined>(
    (low, acr) => (low === undefined || acrReaches(low, acr) ? acr : low),
    undefined,
  )
  return {
    requiredAcr: weakest && acrReaches(weakest, client.requiredAcr) ? weakest : client.requiredAcr,
    ...(essential && { essentialAcrs: essential }),
    ...(voluntary.length > 0 && { voluntaryAcrs: voluntary }),
    proofsSince: promptsLogin ? requestedAt : requestedAt - Math.min(...maxAges),
  }
}

/** The acr to report for what was proven; undefined where the request's demand is not met. */
export const reportedAcr = (proven: Acr, request: RequestPolicy): Acr | undefined => {
  if (!acrReaches(proven, request.requiredAcr)) return undefined
  if (!request.essentialAcrs) return proven
  if (request.essentialAcrs.includes(proven)) return proven
  return request.essentialAcrs
    .filter((acr) => acrReaches(proven, acr))
    .reduce<Acr | undefined>((best, acr) => (acrReaches(best, acr) ? best : acr), undefined)
}
