import { z } from 'zod'
import { refused } from './refusal.ts'
import type { ClientMetadata } from './schema.ts'

/** A guarded call out of this server. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

const PARAMETER = 'sector_identifier_uri'
const addresses = z.array(z.string())

const listAt = async (fetch: Fetch, uri: string): Promise<readonly string[]> => {
  const fail = (rule: string) =>
    refused(PARAMETER, rule, 'It must answer 200 with a JSON array of the redirect URIs.', uri)
  const response = await fetch(uri, { headers: { accept: 'application/json' } }).catch(
    (error: unknown) => {
      throw fail(`cannot be fetched (${error instanceof Error ? error.message : 'no answer'})`)
    },
  )
  if (response.status !== 200) throw fail(`answers ${response.status}`)
  const list = addresses.safeParse(await response.json().catch(() => undefined))
  if (!list.success) throw fail('is no JSON array of texts')
  return list.data
}

/**
 * Whether the sector's own file names every redirect URI (OpenID Connect Registration section 5), so
 * that nobody joins another's sector and learns its pairwise IDs. @throws ClientRefusedError
 */
export const checkSector = async (fetch: Fetch, metadata: ClientMetadata): Promise<void> => {
  const uri = metadata.sector_identifier_uri
  if (uri === undefined) return
  const listed = await listAt(fetch, uri)
  const missing = metadata.redirect_uris.find((one) => !listed.includes(one))
  if (missing === undefined) return
  throw refused(PARAMETER, `does not list the redirect URI ${missing}`, 'Add it there.', uri)
}

/** Hosts that are no one's: each app there is a sector by itself. */
const NOBODYS = /^(localhost|127\.0\.0\.1|\[::1\])?(:\d+)?$/

/** The sector whose pairwise IDs the client is told, of the host that the engine finds. */
export const ownSector = (clientId: string, host: string): string =>
  NOBODYS.test(host) ? clientId : host

/** What members' `sub` there depends on, in words; undefined: it signs nobody in (OpenID Connect Core
 * section 8.1). */
export const subjectsOf = (id: string, metadata: ClientMetadata): string | undefined => {
  const { subject_type: type, sector_identifier_uri: sector, redirect_uris: uris } = metadata
  const [first] = uris
  if (first === undefined) return undefined
  if (type === 'public') return 'public'
  return `pairwise for ${ownSector(id, new URL(sector ?? first).host)}`
}
