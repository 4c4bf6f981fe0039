import ipaddr from 'ipaddr.js'
import type { Context, Middleware } from 'koa'
import type { ChosenFactor, Locale } from '../accounts/member.ts'
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

/** An IPv4-mapped IPv6 address counts as the IPv4 address it is. */
const within = (address: string, cidr: string): boolean => {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  const [range, bits] = ipaddr.parseCIDR(cidr)
  return parsed.kind() === range.kind() && parsed.match(range, bits)
}

/** The society's first network that holds the address, with those of `registered` permitted there. */
export const networkOf = (
  society: Society,
  address: string,
  registered: readonly ChosenFactor[],
  locale: Locale = 'ja',
): NetworkPolicy => {
  const network = society.networks.find(({ cidrs }) => cidrs.some((cidr) => within(address, cidr)))
  const permitted = registered.filter((factor) => society.factors.includes(factor))
  if (!network) return { name: '', factors: permitted }
  return {
    name: network.name[locale],
    factors: permitted.filter((factor) => network.factors.includes(factor)),
  }
}
