/** Parts of the protocol that an operator can switch off, each with what defines it. */
const STANDARDS = {
  'pushed-authorization': 'RFC 9126',
  'request-objects': 'RFC 9101',
  'request-uri': 'OpenID Connect Core section 6.2',
  'unsigned-request-uri': 'OpenID Connect Core section 6.3.1',
  'authorization-post': 'OpenID Connect Core section 3.1.2.1',
  'form-post': 'OAuth 2.0 Form Post Response Mode',
  dpop: 'RFC 9449',
  'resource-indicators': 'RFC 8707, RFC 9068',
  'client-credentials': 'RFC 6749 section 4.4',
  introspection: 'RFC 7662',
  revocation: 'RFC 7009',
  'claims-parameter': 'OpenID Connect Core section 5.5',
  'signed-userinfo': 'OpenID Connect Core section 5.3.2',
  'rp-initiated-logout': 'OpenID Connect RP-Initiated Logout',
  'back-channel-logout': 'OpenID Connect Back-Channel Logout',
  profile: 'OpenID Connect Core section 5.4',
  email: 'OpenID Connect Core section 5.4',
  address: 'OpenID Connect Core section 5.4',
  phone: 'OpenID Connect Core section 5.4',
  insured: 'our own scope: insurer symbol and number',
} as const
export type Feature = keyof typeof STANDARDS
export type Features = ReadonlySet<Feature>

/** Every feature, in the order in which documents list them. */
// Object.keys widens to string.
export const FEATURES = Object.keys(STANDARDS) as readonly Feature[]

/** Off unless asked for: this server would call addresses of others while a member waits, would take
 * what nobody has signed, and would name to software what few may even ask for
 * (健康保険法第194条の2). */
const ON_REQUEST: ReadonlySet<Feature> = new Set(['request-uri', 'unsigned-request-uri', 'insured'])
export const DEFAULT_FEATURES: Features = new Set(FEATURES.filter((name) => !ON_REQUEST.has(name)))

export const isFeature = (name: string): name is Feature => Object.hasOwn(STANDARDS, name)
