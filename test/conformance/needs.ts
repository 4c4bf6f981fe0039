import type { Driver } from './drivers/driver.ts'
import type { Text } from './module.ts'
import type { AuthMethod, Client } from './relying-party.ts'

/** What a run has to ask with, and whom. */
export type Target = Readonly<{
  metadata: Readonly<Record<string, unknown>>
  clients: readonly Client[]
  /** Whether clients may be registered at the provider. */
  registers: boolean
  driver: Driver
  /** An address of the tester that the provider can reach. */
  inbound: Readonly<{ base: URL }> | undefined
}>

export type Need = Readonly<{
  /** Short, for tables. */
  name: string
  /** Why the module cannot be run; undefined: it can. */
  missing(target: Target): Text | undefined
}>

/** The provider's metadata has this member, and it is not false. */
export const advertised = (member: string): Need => ({
  name: member,
  missing: ({ metadata }) =>
    metadata[member] === undefined || metadata[member] === false
      ? [
          `the feature is off: "${member}" is not in the provider's metadata`,
          `機能がオフ: 提供者のメタデータに "${member}" がない`,
        ]
      : undefined,
})

/** A list in the provider's metadata holds this value. */
export const offers = (member: string, value: string): Need => ({
  name: `${value} in ${member}`,
  missing: ({ metadata }) => {
    const list = metadata[member]
    return Array.isArray(list) && list.includes(value)
      ? undefined
      : [
          `the feature is off: "${member}" does not list ${value}`,
          `機能がオフ: "${member}" に ${value} がない`,
        ]
  },
})

const canRegister = ({ registers, metadata }: Target, method: AuthMethod): boolean => {
  const listed = metadata.token_endpoint_auth_methods_supported
  return registers && (!Array.isArray(listed) || listed.includes(method))
}

/** A client that authenticates this way: in the client file, or registered for the run. */
export const clientBy = (method: AuthMethod): Need => ({
  name: `client by ${method}`,
  missing: (target) =>
    target.clients.some((one) => one.token_endpoint_auth_method === method) ||
    canRegister(target, method)
      ? undefined
      : [
          `no client with token_endpoint_auth_method "${method}": name one in the client file, or let the suite register one`,
          `token_endpoint_auth_method が "${method}" のクライアントがない: クライアントファイルに書くか、動的登録を許す`,
        ],
})

export const aClient: Need = {
  name: 'a client',
  missing: ({ clients, registers }) =>
    clients.length > 0 || registers
      ? undefined
      : [
          'no client: give --client, or --initial-access-token where the provider asks for one',
          'クライアントがない: --client を指定するか、必要なら --initial-access-token を指定する',
        ],
}

export const confidentialClient: Need = {
  name: 'a confidential client',
  missing: (target) =>
    target.registers || target.clients.some((one) => one.token_endpoint_auth_method !== 'none')
      ? undefined
      : [
          'no confidential client in the client file',
          'クライアントファイルに秘密を持つクライアントがない',
        ],
}

export const twoClients: Need = {
  name: 'two clients',
  missing: ({ clients, registers }) =>
    registers || clients.filter((one) => one.role === undefined).length > 1
      ? undefined
      : [
          'a second client is needed in the client file',
          'クライアントファイルに2つ目のクライアントが要る',
        ],
}

export const clientWithRole = (role: string): Need => ({
  name: `client with role "${role}"`,
  missing: ({ clients }) =>
    clients.some((one) => one.role === role)
      ? undefined
      : [
          `no client with "role": "${role}" in the client file`,
          `クライアントファイルに "role": "${role}" のクライアントがない`,
        ],
})

const isReady = (one: Readonly<Record<string, string>>) => one.firstLogin !== 'yes'

export const members = (count: 1 | 2): Need => ({
  name: count === 1 ? 'a member' : 'two members',
  missing: ({ driver }) =>
    driver.members.filter(isReady).length >= count
      ? undefined
      : [
          `${count} member(s) who can sign in are needed in the member file`,
          `ログインできる会員が${count}人、会員ファイルに要る`,
        ],
})

export const memberBy = (method: string): Need => ({
  name: `member by ${method}`,
  missing: ({ driver }) =>
    driver.members.some((one) => one.method === method)
      ? undefined
      : [
          `no member with "method": "${method}" in the member file`,
          `会員ファイルに "method": "${method}" の会員がいない`,
        ],
})

export const guessedMember: Need = {
  name: 'a member to be guessed at',
  missing: ({ driver }) =>
    driver.members.some((one) => one.guess === 'yes')
      ? undefined
      : [
          'no member with "guess": "yes" in the member file (the sign-in is paused for a while afterwards)',
          '会員ファイルに "guess": "yes" の会員がいない（試験後しばらくログインが止まる）',
        ],
}

export const newMember: Need = {
  name: 'a new member',
  missing: ({ driver }) =>
    driver.members.some((one) => !isReady(one))
      ? undefined
      : [
          'no member with "firstLogin": "yes" in the member file',
          '会員ファイルに "firstLogin": "yes" の会員がいない',
        ],
}

export const seesPages: Need = {
  name: 'a driver that sees pages',
  missing: ({ driver }) =>
    driver.can.headers
      ? undefined
      : [
          `driver "${driver.name}" sees neither headers nor pages`,
          `ドライバー "${driver.name}" はヘッダーもページも見られない`,
        ],
}

export const passkeys: Need = {
  name: 'a driver with passkeys',
  missing: ({ driver }) =>
    driver.can.passkey
      ? undefined
      : [
          `driver "${driver.name}" has no passkeys; use --driver chromium`,
          `ドライバー "${driver.name}" はパスキーを使えない。--driver chromium を使う`,
        ],
}

export const inbound: Need = {
  name: 'inbound',
  missing: (target) =>
    target.inbound
      ? undefined
      : [
          'the provider must be able to call the suite: give --rp-base-url',
          '提供者からこのスイートへ接続できる必要がある: --rp-base-url を指定する',
        ],
}

export const inboundHttps: Need = {
  name: 'inbound by https',
  missing: (target) =>
    target.inbound?.base.protocol === 'https:'
      ? undefined
      : [
          'the provider must be able to call the suite by https: give --rp-base-url https://…',
          '提供者からこのスイートへhttpsで接続できる必要がある: --rp-base-url https://… を指定する',
        ],
}
