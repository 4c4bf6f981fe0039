import type { OptionValue } from './options.ts'
import type { Problem } from './problem.ts'

type Node = Readonly<{ host: string; port: number }>

/** How Redis is reached: one server, a group under Sentinels, or a Cluster. */
export type RedisConfig = Readonly<
  (
    | { url: string }
    | { name: string; sentinels: readonly Node[]; sentinelPassword?: string }
    | { cluster: readonly Node[] }
  ) & {
    username?: string
    password?: string
    /** Of Sentinels and a Cluster; a URL says it itself. */
    tls?: true
    /** No command waits longer for its reply. */
    commandTimeoutMs: number
  }
>

/** How MongoDB is reached. */
export type MongoConfig = Readonly<{
  url: string
  /** No operation takes longer, retries and waiting included. */
  operationTimeoutMs: number
}>

/** Where everything is kept. */
export type StoreConfig =
  | Readonly<{ kind: 'embedded' }>
  | Readonly<{
      kind: 'redis+mongo'
      mongo: MongoConfig
      redis: RedisConfig
      /** A Redis that may forget what it has acknowledged is refused. */
      durable: boolean
    }>

type Names =
  | 'IDP_STORE'
  | 'IDP_MONGO_URL'
  | 'IDP_MONGO_TIMEOUT_MS'
  | 'IDP_REDIS_URL'
  | 'IDP_REDIS_SENTINELS'
  | 'IDP_REDIS_CLUSTER'
  | 'IDP_REDIS_USERNAME'
  | 'IDP_REDIS_PASSWORD'
  | 'IDP_REDIS_SENTINEL_PASSWORD'
  | 'IDP_REDIS_TLS'
  | 'IDP_REDIS_DURABILITY'
  | 'IDP_REDIS_TIMEOUT_MS'
type Values = { readonly [Name in Names]: OptionValue<Name> | undefined }

const WAYS = ['IDP_REDIS_URL', 'IDP_REDIS_SENTINELS', 'IDP_REDIS_CLUSTER'] as const

const redisOf = (values: Values): RedisConfig | undefined => {
  const { IDP_REDIS_SENTINEL_PASSWORD: sentinelPassword } = values
  const way = values.IDP_REDIS_URL
    ? { url: values.IDP_REDIS_URL }
    : values.IDP_REDIS_SENTINELS
      ? { ...values.IDP_REDIS_SENTINELS, ...(sentinelPassword && { sentinelPassword }) }
      : values.IDP_REDIS_CLUSTER && { cluster: values.IDP_REDIS_CLUSTER }
  const {
    IDP_REDIS_USERNAME: username,
    IDP_REDIS_PASSWORD: password,
    IDP_REDIS_TIMEOUT_MS: commandTimeoutMs,
  } = values
  if (commandTimeoutMs === undefined) return undefined
  return (
    way && {
      ...way,
      commandTimeoutMs,
      ...(username && { username }),
      ...(password && { password }),
      ...(values.IDP_REDIS_TLS && { tls: true }),
    }
  )
}

/** Adds to `problems` what does not fit together; undefined where there is such. */
export const readStore = (
  values: Values,
  isSet: (name: Names) => boolean,
  problems: Problem[],
): StoreConfig | undefined => {
  if (values.IDP_STORE !== 'redis+mongo') return values.IDP_STORE && { kind: 'embedded' }
  const named = WAYS.filter(isSet)
  if (named.length !== 1) {
    problems.push({
      name: named[1] ?? WAYS[0],
      rule: named.length === 0 ? 'is missing' : `is set, and so is ${named[0]}`,
      remedy: `IDP_STORE=redis+mongo needs one of ${WAYS.join(', ')}.`,
    })
  }
  if (!isSet('IDP_MONGO_URL')) {
    const remedy = 'IDP_STORE=redis+mongo needs it, or IDP_MONGO_URL_FILE.'
    problems.push({ name: 'IDP_MONGO_URL', rule: 'is missing', remedy })
  }
  const redis = redisOf(values)
  const { IDP_MONGO_URL: url, IDP_MONGO_TIMEOUT_MS: operationTimeoutMs } = values
  if (named.length !== 1 || !redis || !url || operationTimeoutMs === undefined) return undefined
  const durable = values.IDP_REDIS_DURABILITY !== 'waived'
  return { kind: 'redis+mongo', mongo: { url, operationTimeoutMs }, redis, durable }
}
