import { StoreUnavailableError } from '../../accounts/errors.ts'
import type { Clock, TransientStore } from '../../accounts/ports.ts'
import { forgetSessions } from './artifacts.ts'
import { defineScript, type RedisClient } from './connect.ts'
import { type Batch, type Command, createUnits, type Prefetch, type Units } from './unit-of-work.ts'

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

/** Of two writers one is always first, so more than this says that something else is wrong. */
const MAX_WRITES = 20

const keyOf = (key: string): string => `kenpo:transient:${key}`

/** @throws TypeError for what JSON cannot hold (undefined, a function) */
const toJson = (value: unknown): string => {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`a ${typeof value} is no JSON value`)
  return json
}

/** `lasts`: also once it has been sent, when a conditional write may turn out not to be made. */
type Queued = Readonly<{ text: string; lasts: boolean; replacing?: Replacing }>
/** What a conditional write takes the place of, and what it is where that is there no more. */
type Replacing = Readonly<{ previous: unknown; anew: (current: unknown) => unknown }>

export type Transients = Readonly<{
  store: TransientStore
  /** The read of a value that is likely to be asked for. */
  foresee: (key: string) => Prefetch
}>

/** `createTransientStore` for stores that share units of work. */
export const createTransients = (units: Units, clock: Clock): Transients => {
  const { redis } = units
  const replaceScript = defineScript(redis, 'kenpoReplace', 1, REPLACE)

  const textOf = (json: string, ttlSeconds: number) =>
    `${Math.max(0, Math.ceil(clock.now() + ttlSeconds))} ${json}`

  // The port leaves a key's type to whoever put the value there.
  const parse = <T>(text: unknown): T | undefined => {
    if (typeof text !== 'string') return undefined
    const space = text.indexOf(' ')
    const isLive = Number(text.slice(0, space)) > clock.now()
    return isLive ? (JSON.parse(text.slice(space + 1)) as T) : undefined
  }

  /** What this unit has written under the key: later reads in it see that. */
  const writtenText = (key: string): Queued | undefined => {
    const unit = units.current()
    // Only `queue` below writes such notes.
    const written = unit?.notes.get(`${key} written`) as Queued | undefined
    return written && (written.lasts || unit?.queued(key)) ? written : undefined
  }

  const forget = (key: string) => {
    const notes = units.current()?.notes
    notes?.delete(key)
    notes?.delete(`${key} written`)
  }

  const queue = async (key: string, written: Queued, batch: Batch): Promise<void> => {
    const unit = units.current()
    forget(key)
    unit?.notes.set(`${key} written`, written)
    if (unit) forgetSessions(unit.notes, (queued) => unit.queued(queued) !== undefined)
    await units.queue(key, batch)
  }

  const put = async (key: string, value: unknown, ttlSeconds: number): Promise<void> => {
    const text = textOf(toJson(value), ttlSeconds)
    const command: Command =
      ttlSeconds > 0 ? ['set', key, text, 'EX', Math.ceil(ttlSeconds)] : ['del', key]
    await queue(key, { text, lasts: true }, { commands: [command] })
  }

  /** A value fetched beforehand answers one read: the next one is made, as another request may have
   * written meanwhile. That there was none is remembered. */
  const fetched = async (key: string): Promise<Readonly<{ text: unknown }> | undefined> => {
    const unit = units.current()
    if (!unit) return undefined
    if (!unit.notes.has(key) && unit.isForeseen(key)) await units.send([])
    if (!unit.notes.has(key)) return undefined
    const text = unit.notes.get(key)
    if (text !== null) unit.notes.delete(key)
    return { text }
  }

  const get = async <T>(key: string): Promise<T | undefined> => {
    const known = writtenText(key) ?? (await fetched(key))
    return parse<T>(known ? known.text : (await units.send([['get', key]]))[0])
  }

  const replacement = (
    key: string,
    previous: unknown,
    text: string,
    ttlSeconds: number,
  ): Command => [
    'kenpoReplace',
    key,
    clock.now(),
    previous === undefined ? '' : toJson(previous),
    text,
    Math.ceil(ttlSeconds),
  ]

  const replace = async (key: string, previous: unknown, value: unknown, ttlSeconds: number) => {
    const text = textOf(toJson(value), ttlSeconds)
    forget(key)
    const [written] = await units.send([replacement(key, previous, text, ttlSeconds)])
    if (written === 1) units.current()?.notes.set(key, text)
    return written === 1
  }

  /** Until it is written, or nothing is to be. Not by way of the unit, which waits for this. */
  const replaceAnew = async (
    key: string,
    ttlSeconds: number,
    anew: (current: unknown) => unknown,
  ): Promise<void> => {
    for (let writes = 1; writes <= MAX_WRITES; writes++) {
      const current = parse(await units.reach(() => redis.get(key)))
      const value = anew(current)
      if (value === undefined) return
      const command = replacement(key, current, textOf(toJson(value), ttlSeconds), ttlSeconds)
      const [, ...keyAndArguments] = command
      if ((await units.reach(() => replaceScript(...keyAndArguments))) === 1) return
    }
    throw new StoreUnavailableError('redis: a value that never stands still')
  }

  /** The conditional write that is still queued here and has left `value`. */
  const queuedBefore = (key: string, value: unknown): Replacing | undefined => {
    const written = units.current()?.queued(key) && writtenText(key)
    if (!written?.replacing || value === undefined) return undefined
    return written.text.slice(written.text.indexOf(' ') + 1) === toJson(value)
      ? written.replacing
      : undefined
  }

  /** Two conditional writes in one. */
  const inTurn = ({ previous, anew: first }: Replacing, second: Replacing['anew']): Replacing => ({
    previous,
    anew: (current) => {
      const value = first(current)
      return value === undefined ? undefined : second(value)
    },
  })

  const replaceLater = async (
    key: string,
    previous: unknown,
    value: unknown,
    ttlSeconds: number,
    anew: (current: unknown) => unknown,
  ) => {
    const text = textOf(toJson(value), ttlSeconds)
    const before = queuedBefore(key, previous)
    // Whatever else the unit itself has put there is written first.
    if (!before && units.current()?.queued(key)) await units.settle()
    const replacing = before ? inTurn(before, anew) : { previous, anew }
    await queue(
      key,
      { text, lasts: false, replacing },
      {
        commands: [replacement(key, replacing.previous, text, ttlSeconds)],
        finish: async ([written]) => {
          if (written === 0) await replaceAnew(key, ttlSeconds, replacing.anew)
          else units.current()?.notes.set(key, text)
        },
      },
    )
  }

  const take = async <T>(key: string): Promise<T | undefined> => {
    forget(key)
    return parse<T>((await units.send([['getdel', key]]))[0])
  }

  return {
    store: {
      put: (key, ...rest) => put(keyOf(key), ...rest),
      get: (key) => get(keyOf(key)),
      take: (key) => take(keyOf(key)),
      replace: (key, ...rest) => replace(keyOf(key), ...rest),
      replaceLater: (key, ...rest) => replaceLater(keyOf(key), ...rest),
    },
    foresee: (name) => {
      const key = keyOf(name)
      return {
        key,
        commands: [['get', key]],
        absorb: ([text]) => units.current()?.notes.set(key, text),
      }
    },
  }
}

/**
 * What expires, in Redis: each value one string, its end and its JSON, so that `clock` rules and
 * Redis's own expiry only cleans up. `replace` compares JSON text, so the order of keys counts.
 * Everything throws StoreUnavailableError where Redis does not serve. Within a unit of work `put`
 * is queued, and no session read before it is answered from memory after it.
 */
export const createTransientStore = (redis: RedisClient, clock: Clock): TransientStore =>
  createTransients(createUnits(redis), clock).store
