import type { Clock, TransientStore } from '../../accounts/ports.ts'
import { defineScript, type RedisClient, reach } from './connect.ts'

/** KEYS: the value's. ARGV: now, the JSON expected ('' for none), what to store, seconds. */
const REPLACE = `
local held = redis.call('GET', KEYS[1])
local json = ''
if held then
  local ends, text = string.match(held, '^(%d+) (.*)$')
  if tonumber(ends) > tonumber(ARGV[1]) then json = text end
end
if json ~= ARGV[2] then return 0 end
if tonumber(ARGV[4]) > 0 then
  redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[4])
else
  redis.call('DEL', KEYS[1])
end
return 1`

const keyOf = (key: string): string => `kenpo:transient:${key}`

/** @throws TypeError for what JSON cannot hold (undefined, a function) */
const toJson = (value: unknown): string => {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`a ${typeof value} is no JSON value`)
  return json
}

/**
 * What expires, in Redis: each value one string, its end and its JSON, so that `clock` rules and
 * Redis's own expiry only cleans up. `replace` compares JSON text, so the order of keys counts.
 * Everything throws StoreUnavailableError where Redis does not serve.
 */
export const createTransientStore = (redis: RedisClient, clock: Clock): TransientStore => {
  const replace = defineScript(redis, 'kenpoReplace', 1, REPLACE)

  const textOf = (json: string, ttlSeconds: number) =>
    `${Math.max(0, Math.ceil(clock.now() + ttlSeconds))} ${json}`

  // The port leaves a key's type to whoever put the value there.
  const parse = <T>(text: string | null): T | undefined => {
    if (text === null) return undefined
    const space = text.indexOf(' ')
    const isLive = Number(text.slice(0, space)) > clock.now()
    return isLive ? (JSON.parse(text.slice(space + 1)) as T) : undefined
  }

  return {
    put: async (key, value, ttlSeconds) => {
      const text = textOf(toJson(value), ttlSeconds)
      await reach<unknown>(() =>
        ttlSeconds > 0
          ? redis.set(keyOf(key), text, 'EX', Math.ceil(ttlSeconds))
          : redis.del(keyOf(key)),
      )
    },

    get: async <T>(key: string) => parse<T>(await reach(() => redis.get(keyOf(key)))),

    take: async <T>(key: string) => parse<T>(await reach(() => redis.getdel(keyOf(key)))),

    replace: async (key, previous, value, ttlSeconds) => {
      const written = await replace(
        keyOf(key),
        clock.now(),
        previous === undefined ? '' : toJson(previous),
        textOf(toJson(value), ttlSeconds),
        Math.ceil(ttlSeconds),
      )
      return written === 1
    },
  }
}
