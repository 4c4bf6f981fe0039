import { liveSecrets, type RegisteredClient } from '../clients/client.ts'
import type { KnownClient } from '../clients/directory.ts'
import { ClientRefusedError, refusalsOf, refusalText } from '../clients/refusal.ts'
import { entryOf } from '../clients/registry.ts'
import { type ClientRules, clientSchema, usesSecret } from '../clients/schema.ts'
import { checkSector, type Fetch } from '../clients/sector.ts'
import { sealedUnder } from '../factors/seal.ts'

/** One thing looked at; `fix` only where it is not well. */
export type Finding = Readonly<{ ok: boolean; what: string; fix?: string }>

export type Examination = Readonly<{
  issuer: string
  rules: ClientRules
  /** Guarded, for addresses that the client names. */
  fetch: Fetch
  /** Plain, for our own issuer. */
  fetchIssuer: Fetch
  now: number
}>

const DOCS = 'docs/clients.md'
const CLOCK_SECONDS = 60
const DAY = 86_400
const OLD_SECRET_SECONDS = 365 * DAY

const fine = (what: string): Finding => ({ ok: true, what })
const wrong = (what: string, fix: string): Finding => ({ ok: false, what, fix })

const reasonOf = (error: unknown): string =>
  error instanceof Error
    ? (error.cause instanceof Error ? error.cause : error).message
    : 'no answer'

/** Whether the provider itself answers as its discovery document says, and when it thinks it is. */
export const examineIssuer = async ({
  issuer,
  fetchIssuer,
  now,
}: Pick<Examination, 'issuer' | 'fetchIssuer' | 'now'>): Promise<readonly Finding[]> => {
  const url = `${issuer}/.well-known/openid-configuration`
  try {
    const response = await fetchIssuer(url, {})
    const document: unknown = response.ok ? await response.json() : undefined
    const { issuer: named, jwks_uri: jwksUri } = (document ?? {}) as Record<string, unknown>
    if (named !== issuer) {
      return [wrong(`${url} does not name this issuer`, 'Check IDP_ISSUER and the TLS front.')]
    }
    const keys = await fetchIssuer(String(jwksUri), {})
    const away = Math.abs(Date.parse(response.headers.get('date') ?? '') / 1000 - now)
    return [
      fine('discovery answers'),
      keys.ok ? fine('signing keys answer') : wrong('signing keys are not served', 'See the log.'),
      Number.isNaN(away) || away < CLOCK_SECONDS
        ? fine('the clocks agree')
        : wrong(`the server’s clock is ${Math.round(away)} s away`, 'Synchronise it (NTP).'),
    ]
  } catch (error) {
    return [wrong(`${url} cannot be reached: ${reasonOf(error)}`, 'Start the server, check DNS.')]
  }
}

const examineEntry = (client: RegisteredClient, rules: ClientRules): readonly Finding[] => {
  const entry = entryOf(client)
  const door = { unknown: 'refuse', secrets: 'made' } as const
  const { error } = clientSchema(rules, door).safeParse(entry)
  const refusals = refusalsOf(error, entry)
  if (refusals.length > 0) return refusals.map((one) => wrong(refusalText(one), one.fix))
  return [
    fine('addresses, methods and flows keep the rules'),
    client.policy.pkce === 'optional'
      ? wrong('PKCE is not required of it', 'Take policy.pkce out once it sends code_challenge.')
      : fine('PKCE is required'),
  ]
}

const PUT_BACK = 'Put that key back into IDP_ENCRYPTION_KEYS and restart; if it is lost, run'

const examineSecrets = (
  { client, secretsAt, unreadableAt }: KnownClient,
  now: number,
): readonly Finding[] => {
  const method = client.metadata.token_endpoint_auth_method
  const live = liveSecrets(client, now)
  const [newest] = live
  if (!usesSecret(method) || client.registeredAt === 0) return []
  if (!newest) return [wrong('it has no secret', 'Run client rotate-secret.')]
  const unreadable = unreadableAt(now)
  if (unreadable.length > 0) {
    const left = secretsAt(now).length
    const fix =
      left > 0
        ? `${PUT_BACK} client rotate-secret --lost, which drops it.`
        : `${PUT_BACK} client rotate-secret --lost and put the new secret into the app: it gets no token until then.`
    return unreadable.map(({ reason, encryptionKey }) =>
      wrong(`a secret of it cannot be read: ${reason} ("${encryptionKey}"); ${left} can`, fix),
    )
  }
  if (now - newest.createdAt > OLD_SECRET_SECONDS) {
    return [wrong('its secret is over a year old', 'Run client rotate-secret.')]
  }
  const keys = [...new Set(live.map(({ sealed }) => sealedUnder(sealed)))]
  return [fine(`its secret is in order (encryption key ${keys.join(', ')})`)]
}

/** `look` passes where it throws nothing. */
const examine = async (what: string, look: () => Promise<void>, fix: string): Promise<Finding> => {
  try {
    await look()
    return fine(`${what} answers`)
  } catch (error) {
    const reason =
      error instanceof ClientRefusedError
        ? error.refusals.map(({ rule }) => rule).join(', ')
        : reasonOf(error)
    return wrong(`${what}: ${reason}`, fix)
  }
}

const examineAddresses = (
  { metadata }: RegisteredClient,
  fetch: Fetch,
): readonly Promise<Finding>[] => {
  const { jwks_uri: jwksUri, backchannel_logout_uri: logoutUri } = metadata
  const fix = 'Check the address; one in your own network goes into IDP_OUTBOUND_ALLOWED.'
  return [
    ...(jwksUri === undefined
      ? []
      : [
          examine(
            `jwks_uri ${jwksUri}`,
            async () => {
              const response = await fetch(jwksUri, { headers: { accept: 'application/json' } })
              const { keys } = (await response.json()) as { keys?: unknown }
              if (!response.ok || !Array.isArray(keys)) throw new Error('it is no JWK set')
            },
            fix,
          ),
        ]),
    ...(logoutUri === undefined
      ? []
      : [
          examine(
            `backchannel_logout_uri ${logoutUri}`,
            async () => {
              await fetch(logoutUri, { method: 'HEAD' })
            },
            fix,
          ),
        ]),
    ...(metadata.sector_identifier_uri === undefined
      ? []
      : [examine('sector_identifier_uri', () => checkSector(fetch, metadata), fix)]),
  ]
}

/** Everything about one client that can be looked at from here. */
export const examineClient = async (
  known: KnownClient,
  { rules, fetch, now }: Pick<Examination, 'rules' | 'fetch' | 'now'>,
): Promise<readonly Finding[]> => [
  known.client.disabled
    ? wrong('it is disabled', 'Run client enable once the reason is gone.')
    : fine('it is enabled'),
  ...examineEntry(known.client, rules),
  ...examineSecrets(known, now),
  ...(await Promise.all(examineAddresses(known.client, fetch))),
]

/** ✓ or ✗, and what to do. */
export const findingText = ({ ok, what, fix }: Finding): string =>
  ok ? `  ✓ ${what}` : `  ✗ ${what}\n      → ${fix} (${DOCS})`
