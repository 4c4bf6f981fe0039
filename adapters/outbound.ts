import { lookup as resolve } from 'node:dns'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import * as tls from 'node:tls'
import ipaddr from 'ipaddr.js'
import type { Fetch } from './logout-delivery.ts'

/** Where this server may call to although it is no public address. */
export type OutboundRules = Readonly<{
  /** Addresses in these ranges, besides the public ones. */
  ranges: readonly string[]
  /** These names, wherever they lead: `host` or `host:port`, lower case. */
  hosts: readonly string[]
  /** This machine: true while the issuer itself is on it. */
  loopback: boolean
  /** PEM: authorities to trust beside the usual ones. */
  ca?: string | undefined
}>

export type OutboundOptions = Readonly<{
  /** Names to addresses; the system's own unless said. */
  lookup?: typeof resolve
  /** All of one call, the name's look-up included. */
  limitMs?: number
  /** An answer's body. */
  maxBytes?: number
}>

/** A call that is not made, or whose answer is not taken; `message` holds no secret. */
class OutboundRefusedError extends Error {
  readonly reason: 'scheme' | 'credentials' | 'address' | 'size'

  constructor(reason: OutboundRefusedError['reason'], message: string) {
    super(message)
    this.name = 'OutboundRefusedError'
    this.reason = reason
  }
}

const LIMIT_MS = 5000
/** A JWK set with certificates, or a small logo. */
const MAX_BYTES = 128 * 1024
/** What is routed at all (RFC 4291 section 2.4: 2000::/3). */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3')

/**
 * Whether anybody on the internet may have this address: no private, loopback, link-local, shared,
 * metadata, documentation, translated or multicast one (IANA special-purpose registries). An IPv6
 * address that stands for an IPv4 one is judged by that.
 */
export const isPublicAddress = (text: string): boolean => {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || address.match(GLOBAL_IPV6)
}

const isWithin = (text: string, range: string): boolean => {
  const address = ipaddr.process(text)
  const [network, bits] = ipaddr.parseCIDR(range)
  return address.kind() === network.kind() && address.match(network, bits)
}

const mayReach = (address: string, rules: OutboundRules): boolean =>
  isPublicAddress(address) ||
  (rules.loopback && ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback') ||
  (ipaddr.isValid(address) && rules.ranges.some((range) => isWithin(address, range)))

/** `[::1]` as it stands in a URL to `::1`. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')

const refuseAddress = (host: string): OutboundRefusedError =>
  new OutboundRefusedError('address', `${host} is or leads to an address that is not public`)

/** Looks a name up and passes nothing on but addresses that may be reached: what was checked is
 * what is connected to, however soon the name leads elsewhere. */
const guardedLookup =
  (lookup: typeof resolve, rules: OutboundRules): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const forbidden = found.length === 0 || found.some((one) => !mayReach(one.address, rules))
      if (forbidden) return callback(refuseAddress(hostname), '')
      const [first] = found
      if (options.all || !first) return callback(null, [...found])
      callback(null, first.address, first.family)
    })
  }

/** Naming one authority would leave out the rest, and those of NODE_EXTRA_CA_CERTS. */
const trustedWith = (ca: string): readonly string[] => [
  // Older releases of Node 20 and 22 have no such function.
  ...((tls.getCACertificates as typeof tls.getCACertificates | undefined)?.('default') ??
    tls.rootCertificates),
  ca,
]

const bodyOf = async (answer: IncomingMessage, maxBytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) {
      answer.destroy()
      throw new OutboundRefusedError('size', `the answer is longer than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Statuses that the fetch standard gives no body. */
const BODILESS = new Set([204, 205, 304])

const responseOf = (answer: IncomingMessage, body: Buffer): Response => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  const status = answer.statusCode ?? 502
  return new Response(BODILESS.has(status) ? null : new Uint8Array(body), { status, headers })
}

const targetOf = (
  address: string,
  rules: OutboundRules,
): Readonly<{ url: URL; known: boolean }> => {
  const url = new URL(address)
  const known = rules.hosts.includes(url.hostname) || rules.hosts.includes(url.host)
  const literal = isIP(bare(url.hostname)) !== 0
  const onThisMachine = rules.loopback && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (known || onThisMachine))) {
    throw new OutboundRefusedError('scheme', `${url.origin} is not called: it is not https`)
  }
  if (url.username || url.password) {
    throw new OutboundRefusedError('credentials', `${url.origin} is not called with a password`)
  }
  if (literal && !known && !mayReach(bare(url.hostname), rules)) throw refuseAddress(url.hostname)
  return { url, known }
}

/**
 * The only way in which this server calls addresses that others have registered (jwks_uri,
 * sector_identifier_uri, logo_uri, request_uris, logout addresses). https only; the name's addresses
 * are checked and the connection goes to one that was; five seconds in all; an answer of limited
 * length; no redirect is followed, it comes back as it is. Other names for this server's own network
 * (`rules`) are the operator's to list.
 * @throws OutboundRefusedError, a TimeoutError, or what broke the connection
 */
export const createOutboundFetch = (
  rules: OutboundRules,
  { lookup = resolve, limitMs = LIMIT_MS, maxBytes = MAX_BYTES }: OutboundOptions = {},
): Fetch => {
  const guarded = guardedLookup(lookup, rules)
  const tls = rules.ca === undefined ? {} : { ca: [...trustedWith(rules.ca)] }
  const free: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const [first] = found ?? []
      if (error || !first) return callback(error ?? refuseAddress(hostname), '')
      if (options.all) return callback(null, [...found])
      callback(null, first.address, first.family)
    })
  }

  return async (address, init) => {
    const { url, known } = targetOf(address, rules)
    const timeout = AbortSignal.timeout(limitMs)
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout
    const secure = url.protocol === 'https:'
    // A connection of its own each time: none that was opened to a name as it led before.
    const agent = secure ? new HttpsAgent(tls) : new HttpAgent()
    const body = init.body === undefined || init.body === null ? undefined : String(init.body)
    const headers = Object.fromEntries(new Headers(init.headers))
    try {
      const answer = await new Promise<IncomingMessage>((taken, failed) => {
        const call = (secure ? httpsRequest : httpRequest)(
          url,
          {
            agent,
            method: init.method ?? 'GET',
            headers: {
              ...headers,
              ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
            },
            lookup: known ? free : guarded,
            signal,
          },
          taken,
        )
        call.on('error', failed)
        call.end(body)
      })
      return responseOf(answer, await bodyOf(answer, maxBytes))
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    } finally {
      agent.destroy()
    }
  }
}
