/** What is wrong with an address, and what to do about it. */
export type UriFault = Readonly<{ rule: string; fix: string }>

/** What an address is for. */
export type UriUse = Readonly<{
  /** http on this machine is taken (RFC 8252 section 7.3), for whatever reason. */
  loopback: boolean
  /** An app's own scheme is taken (RFC 8252 section 7.1). */
  privateScheme: boolean
  /** A hash of what is there may follow (OpenID Connect Core section 6.2). */
  fragment?: true
}>

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
const LONGEST = 2000
/** Unreserved, reserved and percent-encoded characters (RFC 3986 section 2). */
const URI = /^(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$/
/** A domain name in reverse, as an app's own scheme (RFC 8252 section 7.1). */
const REVERSE_DOMAIN = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:$/
const EXACT = 'Register each address in full: they are compared to the character.'

export const isLoopbackHost = (hostname: string): boolean => LOOPBACK.has(hostname)

/** Whether an issuer is on the developer's own machine; names in `localhost` never leave it (RFC 6761
 * section 6.3). */
export const isOnThisMachine = (issuer: string): boolean => {
  const { hostname } = new URL(issuer)
  return isLoopbackHost(hostname) || hostname.endsWith('.localhost')
}

const schemeFault = (url: URL, { loopback, privateScheme }: UriUse): UriFault | undefined => {
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:') {
    if (!isLoopbackHost(url.hostname)) {
      return { rule: 'is http', fix: 'Use https; http is for this machine (localhost) only.' }
    }
    if (loopback) return undefined
    return {
      rule: 'is http on localhost',
      fix: 'Use https, or the preset "native" for an app on the member’s device (RFC 8252).',
    }
  }
  if (!privateScheme) return { rule: `has the scheme "${url.protocol}"`, fix: 'Use https.' }
  if (REVERSE_DOMAIN.test(url.protocol)) return undefined
  return {
    rule: `has the scheme "${url.protocol}"`,
    fix: 'Use https, http on 127.0.0.1, or a scheme that is your domain in reverse: jp.example.app:/cb',
  }
}

/**
 * Why this may not be registered as an address; undefined: it may. Exact to the character (RFC 9700
 * section 2.1), no fragment (RFC 6749 section 3.1.2), no wildcard, no credentials, in its normal
 * form, so that no two parsers read it as two addresses.
 */
export const uriFault = (text: string, use: UriUse): UriFault | undefined => {
  if (text.length > LONGEST) {
    return { rule: `is longer than ${LONGEST} characters`, fix: 'Register a shorter address.' }
  }
  if (text.includes('*')) return { rule: 'has a wildcard', fix: EXACT }
  if (text.includes('#') && !use.fragment)
    return { rule: 'has a fragment', fix: 'Leave out "#" and what follows.' }
  if (!URI.test(text)) {
    return {
      rule: 'has a character that stands in no URI',
      fix: 'Percent-encode it, or write the host name in its ASCII form (xn--…).',
    }
  }
  if (!URL.canParse(text)) {
    return { rule: 'is not a URI', fix: 'Write it in full: https://app.example.jp/callback' }
  }
  const url = new URL(text)
  const fault = schemeFault(url, use)
  if (fault) return fault
  if (url.username || url.password || /^[a-z]+:\/\/[^/?]*@/i.test(text)) {
    return { rule: 'has a user name or password', fix: 'Leave out what stands before "@".' }
  }
  // An app's own scheme has no form that a parser would change.
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
  if (url.hostname.endsWith('.')) {
    return { rule: 'has a host name that ends in a dot', fix: 'Leave the dot out.' }
  }
  if (text !== url.href && `${text}/` !== url.href) {
    return { rule: 'is not in its normal form', fix: `Write it as ${url.href}` }
  }
  return undefined
}
