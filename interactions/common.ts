import type { Context } from 'koa'
import type { Locale } from '../accounts/member.ts'
import { type ClientPolicy, clientName } from '../accounts/policy.ts'
import type { Society } from '../accounts/society.ts'
import type { CommonLocals, Fault } from '../views/pages.ts'
import { furiganaOf } from './locale.ts'

/** The locals every page shares; `self` is the page's own GET address without the switches. */
export const commonLocals = (
  ctx: Context,
  locale: Locale,
  parts: Readonly<{
    society?: Society | undefined
    client?: ClientPolicy | undefined
    /** Where its logo is. */
    logo?: string | undefined
    self?: string
    step?: number | undefined
    faults?: readonly Fault[]
    values?: Readonly<Record<string, string>>
    csrf?: string
    base?: string
    until?: string
    back?: string
    otherWays?: CommonLocals['otherWays']
  }> = {},
): CommonLocals => {
  const { society, client, logo, step, csrf, base, back } = parts
  return {
    locale,
    furigana: furiganaOf(ctx),
    self: parts.self ?? ctx.path,
    faults: parts.faults ?? [],
    values: parts.values ?? {},
    reference: ctx.state.reference,
    ...(ctx.state.conformance && { conformance: true }),
    ...(parts.otherWays && { otherWays: parts.otherWays }),
    ...(society && { society }),
    ...(client && {
      app: {
        name: clientName(client, locale),
        ...(client.uri && { uri: client.uri }),
        ...(logo !== undefined && { logo }),
        ...(client.policyUri !== undefined && { policyUri: client.policyUri }),
        ...(client.tosUri !== undefined && { tosUri: client.tosUri }),
      },
    }),
    ...(step !== undefined && { step }),
    ...(csrf !== undefined && { csrf }),
    ...(base !== undefined && { base }),
    ...(parts.until !== undefined && { until: parts.until }),
    ...(back !== undefined && { back }),
  }
}
