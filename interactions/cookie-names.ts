import type { Context } from 'koa'
import { isHttps } from './trust.ts'

/**
 * What a cookie of ours with path `/` is called here: on https with the prefix by which browsers
 * bind it to this very host (RFC 6265bis section 4.1.3.2), so that no neighbouring host can set it.
 * Plain http has no such prefix, nor `Secure`.
 */
export const hostCookie = (ctx: Context, name: string): string =>
  isHttps(ctx) ? `__Host-${name}` : name

/** The same for a cookie of one path: set over https only (RFC 6265bis section 4.1.3.1). */
export const pathCookie = (ctx: Context, name: string): string =>
  isHttps(ctx) ? `__Secure-${name}` : name
