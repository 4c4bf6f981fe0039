import type { RegisteredClient } from '../clients/client.ts'
import type { Origin } from '../clients/directory.ts'
import type { Outcome } from '../clients/registry.ts'
import type { RegistrationToken } from '../clients/tokens.ts'
import { clientView, tokenView } from '../clients/view.ts'
import { curlSnippet, librarySnippet } from './client-snippet.ts'

export type Format = 'text' | 'json'

export const json = (value: object): string => JSON.stringify(value, null, 2)

const valueText = (value: unknown): string =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
    ? value.join(' ') || '(none)'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)

const lines = (view: object): readonly string[] => {
  const entries = Object.entries(view).map(([name, value]) => [name, valueText(value)] as const)
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${value}`)
}

/** In columns as wide as what stands in them. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export const clientText = (client: RegisteredClient, origin: Origin, format: Format): string =>
  format === 'json'
    ? json(clientView(client, origin))
    : lines(clientView(client, origin)).join('\n')

const droppedText = (dropped: number): string =>
  `${dropped} former secret(s) could not be read with these IDP_ENCRYPTION_KEYS and are dropped,\n` +
  'whatever the overlap: put the new secret into the app now. Are these not the servers’ own\n' +
  'IDP_ENCRYPTION_KEYS, they cannot read the new one either: run this again with theirs.'

/** What was done, and the secret where one was made: it is told here and nowhere else. */
export const outcomeText = (
  { client, secret, dropped = 0 }: Outcome,
  issuer: string,
  format: Format,
  { snippets = false } = {},
): string => {
  const told = secret === undefined ? {} : { client_secret: secret }
  const lost = dropped > 0 ? { unreadable_secrets_dropped: dropped } : {}
  if (format === 'json') return json({ ...clientView(client), ...told, ...lost, issuer })
  const curl = curlSnippet(issuer, client)
  const { library, code } = librarySnippet(issuer, client)
  return [
    ...lines({ issuer, ...clientView(client), ...told }),
    ...(secret === undefined ? [] : ['', 'Keep the secret now: it is not shown again.']),
    ...(dropped > 0 ? ['', droppedText(dropped)] : []),
    ...(snippets
      ? ['', `--- ${library} ---`, code, ...(curl === undefined ? [] : ['', '--- curl ---', curl])]
      : []),
  ].join('\n')
}

type Listed = readonly Readonly<{ client: RegisteredClient; origin: Origin }>[]

export const listText = (clients: Listed, format: Format): string => {
  if (format === 'json') return json(clients.map((one) => clientView(one.client, one.origin)))
  if (clients.length === 0) return 'No client is registered.'
  return table([
    ['CLIENT_ID', 'SOCIETY', 'METHOD', 'FROM', 'STATE', 'NAME'],
    ...clients.map(({ client, origin }) => [
      client.id,
      client.policy.society,
      client.metadata.token_endpoint_auth_method,
      origin,
      client.disabled ? 'disabled' : 'enabled',
      client.metadata.client_name,
    ]),
  ])
}

const stateOf = (token: RegistrationToken, now: number): string => {
  if (token.revokedAt !== undefined) return 'revoked'
  if (now >= token.expiresAt) return 'expired'
  return token.used >= token.uses ? 'used up' : 'usable'
}

export const tokensText = (
  tokens: readonly RegistrationToken[],
  now: number,
  format: Format,
): string => {
  if (format === 'json') return json(tokens.map(tokenView))
  if (tokens.length === 0) return 'There is no registration token.'
  return table([
    ['ID', 'SOCIETY', 'USED', 'UNTIL', 'STATE', 'HOSTS'],
    ...tokens.map((token) => [
      token.id,
      token.policy.society,
      `${token.used}/${token.uses}`,
      tokenView(token).expires_at,
      stateOf(token, now),
      token.hosts.join(' '),
    ]),
  ])
}

export const tokenText = (
  { record, token }: Readonly<{ record: RegistrationToken; token: string }>,
  issuer: string,
  format: Format,
): string => {
  if (format === 'json') return json({ ...tokenView(record), token, issuer })
  return [
    ...lines({ ...tokenView(record), token }),
    '',
    'Keep the token now: it is not shown again. Register a client with it:',
    `curl ${issuer}/reg -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\`,
    `  -d '{"client_name":"…","redirect_uris":["https://${record.hosts[0]}/callback"]}'`,
  ].join('\n')
}
