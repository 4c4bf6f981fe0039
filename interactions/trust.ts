import ipaddr from 'ipaddr.js'
import type { Context, Middleware } from 'koa'
import { CHOSEN_FACTORS, type Locale } from '../accounts/member.ts'
import type { NetworkPolicy } from '../accounts/policy.ts'
import type { Society } from '../accounts/society.ts'

/**
 * The outermost middleware: a request is for the issuer's own host or for nobody (RFC 9110 section
 * 7.4: 421), and what proxies say of host and scheme is replaced by what the issuer says, so that
 * no header can bend a URL that we write.
 */
export const pinHost = (issuer: string): Middleware => {
  const { host, protocol } = new URL(issuer)
  return async (ctx, next) => {
    if (ctx.req.headers.host !== host) {
      ctx.status = 421
      ctx.type = 'text/plain'
      ctx.body = 'This server does not answer for that host.\n'
      return
    }
    delete ctx.req.headers['x-forwarded-host']
    ctx.req.headers['x-forwarded-proto'] = protocol.slice(0, -1)
    await next()
  }
}

/**
 * The client's address: the socket's, or with a fixed number of our own proxies before us the one
 * that the outermost of them saw (koa's `maxIpsCount`), never an address of the client's choice.
 */
export const addressOf = (ctx: Context): string => ctx.ip

/** Whether the browser speaks https, which the issuer says and no header (`pinHost`). */
export const isHttps = (ctx: Context): boolean => ctx.secure

type Address = ReturnType<typeof ipaddr.parse>
type Network = Society['networks'][number]

const rangesOf = new WeakMap<Network, readonly (readonly [Address, number])[]>()

const holds = (network: Network, address: Address): boolean => {
  const ranges = rangesOf.get(network) ?? network.cidrs.map((cidr) => ipaddr.parseCIDR(cidr))
  rangesOf.set(network, ranges)
  return ranges.some(
    ([range, bits]) => address.kind() === range.kind() && address.match(range, bits),
  )
}

/** An IPv4-mapped IPv6 address counts as the IPv4 address it is. */
const parsed = (address: string): Address | undefined =>
  ipaddr.isValid(address) ? ipaddr.process(address) : undefined

/** The society's first network that holds the address, with the methods permitted there. */
export const networkOf = (
  society: Society,
  address: string,
  locale: Locale = 'ja',
): NetworkPolicy => {
  const from = society.networks.length > 0 ? parsed(address) : undefined
  const network = from && society.networks.find((one) => holds(one, from))
  const permitted = CHOSEN_FACTORS.filter((factor) => society.factors.includes(factor))
  if (!network) return { name: '', factors: permitted }
  return {
    name: network.name[locale],
    factors: permitted.filter((factor) => network.factors.includes(factor)),
  }
}
