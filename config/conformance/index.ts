import { DEFAULT_FEATURES, type Feature, type Features } from '../../clients/features.ts'
import { isLoopbackHost, isOnThisMachine } from '../../clients/uris.ts'
import type { Problem } from '../problem.ts'
import { CONFORMANCE_SOCIETY } from './society.ts'

/** The response types that a provider can offer; all but `code` for conformance tests only. */
export type ResponseType =
  | 'code'
  | 'id_token'
  | 'id_token token'
  | 'code id_token'
  | 'code token'
  | 'code id_token token'

/** Under which terms software registers itself without asking anybody. */
export type OpenRegistration = Readonly<{
  society: string
  requiredAcr: 'urn:kenpo-id:acr:pwd'
  /** Of clients that prove themselves; a public one always sends a code_challenge. */
  pkce: 'optional'
}>

/**
 * What a deployment offers to conformance tests and never to members: each line is what some plan of
 * the OpenID Foundation's suite fails or warns without. Everything else is as in production.
 */
export const CONFORMANCE_SETTINGS = {
  // Implicit and Hybrid plans ask for each of these, the Dynamic plan that they are announced.
  // RFC 9700 section 2.1.2 advises against tokens in the browser: production has `code` alone.
  responseTypes: [
    'code',
    'id_token',
    'id_token token',
    'code id_token',
    'code token',
    'code id_token token',
  ],
  // Plans with dynamic registration register without a token in every module. Clients come to the
  // profile's own society, a password is enough for them since the suite's browser reads no mail,
  // and they need no PKCE since the suite sends none but in one module.
  openRegistration: {
    society: CONFORMANCE_SOCIETY.id,
    requiredAcr: 'urn:kenpo-id:acr:pwd',
    pkce: 'optional',
  },
  // The Dynamic plan passes request objects by reference, and one that nobody has signed. Off
  // elsewhere, since the server calls another address while a member waits.
  features: new Set<Feature>([...DEFAULT_FEATURES, 'request-uri', 'unsigned-request-uri']),
} as const satisfies Readonly<{
  responseTypes: readonly ResponseType[]
  openRegistration: OpenRegistration
  features: Features
}>

/** In production and outside the profile. */
export const USUAL_SETTINGS = {
  responseTypes: ['code'],
  openRegistration: undefined,
  features: DEFAULT_FEATURES,
} as const satisfies Readonly<{
  responseTypes: readonly ResponseType[]
  openRegistration: OpenRegistration | undefined
  features: Features
}>

/** Within the data directory: a file of the profile's own. */
export const CONFORMANCE_FOLDER = 'conformance'

const isLocal = (host: string): boolean => isLoopbackHost(host) || host === '::1'

/** Why the profile cannot be served like this. */
export const conformanceProblems = (
  given: Readonly<{
    production: boolean
    issuer: string | undefined
    issuers: readonly string[]
    /** Where it listens. */
    host: string | undefined
    /** Where everything is kept. */
    kind: string | undefined
  }>,
): readonly Problem[] => {
  const { production, issuer, issuers, host, kind } = given
  const name = '--profile conformance'
  if (production) {
    const remedy = 'Unset NODE_ENV, on a machine of its own: its members’ passwords are public.'
    return [{ name, rule: 'cannot be used with NODE_ENV=production', remedy }]
  }
  const problems: Problem[] = []
  if (kind !== undefined && kind !== 'embedded') {
    const remedy = 'Unset IDP_STORE: its public members are kept apart from all others.'
    problems.push({ name, rule: `cannot be used with IDP_STORE=${kind}`, remedy })
  }
  if (issuer === undefined || issuers.includes(issuer)) return problems
  if (!isOnThisMachine(issuer)) {
    const rule = `is for listed issuers only, and ${issuer} is not one`
    const remedy = `Set IDP_CONFORMANCE_ISSUERS to: ${issuer}.`
    return [...problems, { name, rule, remedy }]
  }
  // Nobody else reaches an issuer on this machine, as long as nobody else can.
  if (host === undefined || isLocal(host)) return problems
  const rule = `is for this machine only while its issuer is ${issuer}, and IDP_HOST is ${host}`
  const remedy = `Unset IDP_HOST, or set IDP_CONFORMANCE_ISSUERS to: ${issuer}.`
  return [...problems, { name, rule, remedy }]
}
