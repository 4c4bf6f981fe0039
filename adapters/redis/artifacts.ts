// biome-ignore lint/style/noRestrictedImports: this adapter is the engine's; it refuses in its words
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Clock } from '../../accounts/ports.ts'
import { aliasOf, digest, digestOf, grantIdOf, withId, withoutIds } from '../artifact-ids.ts'
import { alreadyConsumed, jtiAlreadyUsed } from '../engine-refusals.ts'
import { defineScript, type RedisClient } from './connect.ts'
import { type Batch, type Command, createUnits, type Prefetch, type Units } from './unit-of-work.ts'

export type ArtifactOptions = Readonly<{
  /** How long a revoked grant is remembered: not less than the longest token lives. */
  tombstoneSeconds?: number
}>

/**
 * The keys. A hash tag keeps together what one command touches:
 * - `kenpo:<model>:{<id>}`, the record: one line of its end in epoch seconds, its grant and its
 *   session's uid (empty: none), then the payload's JSON;
 * - `kenpo:<model>:{<id>}:consumed`, when it was consumed, apart from the record so that a later
 *   save cannot undo it;
 * - `kenpo:revoked:{<grant>}`, a revoked grant's tombstone, in the slot of the grant itself;
 * - `kenpo:<model>.<field>:{<value>}`, a pointer to an ID.
 * IDs, grants and uids stand there as SHA-256, in pointers too, so that a look at the store yields
 * no live token and no caller can choose a slot or the length of a key.
 */
const recordKey = (model: string, id: string) => `kenpo:${model}:{${digestOf(id)}}`
const markOf = (record: string) => `${record}:consumed`
const pointerKey = (model: string, value: string) =>
  `kenpo:${model}.${POINTERS[model]}:{${digest(value)}}`
const TOMBSTONE = 'kenpo:revoked:{'
const tombstoneKey = (grant: string) => `${TOMBSTONE}${grant}}`

/** KEYS: record, mark. ARGV: the tombstones' prefix, and whether the record's grant and session are
 * wanted too (''  for no). On one server only: those keys are found on the way, and need not be in
 * the record's slot. Returns record, mark, grant's record, session's digest, session's record. */
const FIND = `
local record = redis.call('GET', KEYS[1])
if not record then return false end
local grant, session = string.match(record, '^%d* ([%w_-]*) ?([%w_-]*)')
if grant ~= '' and redis.call('EXISTS', ARGV[1] .. grant .. '}') == 1 then return false end
local found = { record, redis.call('GET', KEYS[2]), false, false, false }
if ARGV[2] == '' then return found end
if grant ~= '' then found[3] = redis.call('GET', 'kenpo:Grant:{' .. grant .. '}') end
if session ~= '' then
  local id = redis.call('GET', 'kenpo:Session.uid:{' .. session .. '}')
  found[4] = id
  if id then found[5] = redis.call('GET', 'kenpo:Session:{' .. id .. '}') end
end
return found`

/** KEYS: record, mark. ARGV: record, seconds, consumed ('' for no), for what may be
 * saved once only, now ('' otherwise), and on one server the tombstone that stands against it (''
 * for none). A mark that is there lives on with its record. */
const SAVE = `
if ARGV[5] ~= '' and redis.call('EXISTS', ARGV[5]) == 1 then
  redis.call('DEL', KEYS[1], KEYS[2])
  return 1
end
if ARGV[4] ~= '' then
  local held = redis.call('GET', KEYS[1])
  local ends = held and tonumber(string.match(held, '^%d+'))
  if held and not (ends and ends <= tonumber(ARGV[4])) then return 0 end
end
local seconds = tonumber(ARGV[2])
if seconds <= 0 then
  redis.call('DEL', KEYS[1])
  return 1
end
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'NX') end
redis.call('SET', KEYS[1], ARGV[1], 'EX', seconds)
if redis.call('TTL', KEYS[2]) < seconds then redis.call('EXPIRE', KEYS[2], seconds + 1) end
return 1`

/** KEYS: record, mark. ARGV: now, and on one server the tombstones' prefix ('' on a Cluster).
 * Returns the record's grant ('' for none), or nothing where it is not to be had. */
const CONSUME = `
local record = redis.call('GET', KEYS[1])
if not record then return false end
local ends, grant = string.match(record, '^(%d+) ([%w_-]*)')
if tonumber(ends) <= tonumber(ARGV[1]) then return false end
if ARGV[2] ~= '' and grant ~= '' and redis.call('EXISTS', ARGV[2] .. grant .. '}') == 1 then
  return false
end
local left = redis.call('PTTL', KEYS[1])
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', left + 1000) then return false end
return grant`

type Held = Readonly<{ record: string; mark: string | null }>
/** A pointer's target, or an artifact, that was looked for and is not there. */
const NONE = null

/** The two models that are looked for by more than their ID, and by what. */
const POINTERS: Readonly<Record<string, 'uid' | 'userCode'>> = {
  Session: 'uid',
  DeviceCode: 'userCode',
}

const grantOf = (model: string, id: string, payload: AdapterPayload): string => {
  const grantId = grantIdOf(model, id, payload)
  return grantId === undefined ? '' : digestOf(grantId)
}

/** The session that an artifact is looked at together with. */
const sessionOf = ({ sessionUid, session }: AdapterPayload): string => {
  const uid = sessionUid ?? session?.uid
  return uid === undefined ? '' : digest(uid)
}

const recordOf = (id: string, payload: AdapterPayload, grant: string, end: number) =>
  `${end} ${grant} ${sessionOf(payload)}\n${JSON.stringify(withoutIds(id, payload))}`

const partsOf = (record: string) => {
  const line = record.indexOf('\n')
  const [end = '', grant = ''] = record.slice(0, line).split(' ')
  return { end: Number(end), grant, json: record.slice(line + 1) }
}

const payloadOf = (id: string, json: string, mark: string | null): AdapterPayload => {
  // Only `upsert` writes records, and it takes nothing but a payload.
  const payload = withId(id, JSON.parse(json) as AdapterPayload)
  if (mark !== null) payload.consumed = Number(mark)
  return payload
}

/** Sessions in the notes of a unit of work: what others end, so no write may be followed by an older
 * look at one. */
export const forgetSessions = (notes: Map<string, unknown>, isQueued: (key: string) => boolean) => {
  for (const key of notes.keys()) {
    if (key.startsWith('kenpo:Session') && !isQueued(key)) notes.delete(key)
  }
}

export type Artifacts = Readonly<{
  adapterFor: (model: string) => Adapter
  /** The read of an artifact that is likely to be asked for. */
  foresee: (model: string, id: string) => Prefetch
}>

/** `createArtifactAdapter` for stores that share units of work. */
export const createArtifacts = (
  units: Units,
  clock: Clock,
  { tombstoneSeconds = 30 * 86_400 }: ArtifactOptions = {},
): Artifacts => {
  const { redis, isCluster } = units
  defineScript(redis, 'kenpoFind', 2, FIND)
  defineScript(redis, 'kenpoSave', 2, SAVE)
  defineScript(redis, 'kenpoConsume', 2, CONSUME)

  const findCommands = (record: string, together: boolean): readonly Command[] =>
    isCluster
      ? [['mget', record, markOf(record)]]
      : [['kenpoFind', record, markOf(record), TOMBSTONE, together ? 1 : '']]

  const isRevoked = async (grant: string): Promise<boolean> =>
    grant !== '' && (await units.send([['exists', tombstoneKey(grant)]]))[0] === 1

  /** Writes down what a read on one server has found beside the artifact. */
  const noteOthers = (record: string, others: readonly (string | null | undefined)[]) => {
    const notes = units.current()?.notes
    const [, grant = '', session = ''] = record.slice(0, record.indexOf('\n')).split(' ')
    const [ofGrant, sessionDigest, ofSession] = others
    const note = (key: string, value: unknown) => {
      if (notes && !notes.has(key)) notes.set(key, value)
    }
    const held = (text: string | null | undefined) =>
      typeof text === 'string' ? { record: text, mark: null } : NONE
    if (grant !== '') note(`kenpo:Grant:{${grant}}`, held(ofGrant))
    if (session === '') return
    note(`kenpo:Session.uid:{${session}}`, sessionDigest ?? NONE)
    if (typeof sessionDigest === 'string') {
      note(`kenpo:Session:{${sessionDigest}}`, held(ofSession))
    }
  }

  /** What one server has answered to `findCommands`, its companions written down. */
  const heldOf = (reply: unknown): Held | undefined => {
    if (!Array.isArray(reply)) return undefined
    // Both ask for strings only.
    const [record, mark = null, ...others] = reply as (string | null)[]
    if (typeof record !== 'string') return undefined
    if (!isCluster && units.current()) noteOthers(record, others)
    return { record, mark }
  }

  const fetch = async (record: string): Promise<Held | undefined> => {
    const held = heldOf((await units.send(findCommands(record, units.current() !== undefined)))[0])
    const revoked = isCluster && held && (await isRevoked(partsOf(held.record).grant))
    return revoked ? undefined : held
  }

  const read = async (record: string): Promise<Held | undefined> => {
    const unit = units.current()
    if (!unit) return fetch(record)
    if (!unit.notes.has(record) && unit.isForeseen(record)) await units.send([])
    if (!unit.notes.has(record)) unit.notes.set(record, (await fetch(record)) ?? NONE)
    // Only this file writes notes under a record's key.
    return (unit.notes.get(record) as Held | typeof NONE) ?? undefined
  }

  const findById = async (model: string, id: string): Promise<AdapterPayload | undefined> => {
    const held = await read(recordKey(model, id))
    if (!held) return undefined
    const { end, json } = partsOf(held.record)
    return end > clock.now() ? payloadOf(id, json, held.mark) : undefined
  }

  const readPointer = async (key: string): Promise<string | undefined> => {
    const notes = units.current()?.notes
    const target = notes?.has(key) ? notes.get(key) : (await units.send([['get', key]]))[0]
    return typeof target === 'string' ? target : undefined
  }

  const findByPointer = async (model: string, field: 'uid' | 'userCode', value: string) => {
    if (POINTERS[model] !== field) return undefined
    const target = await readPointer(pointerKey(model, value))
    const payload = target === undefined ? undefined : await findById(model, aliasOf(target))
    return payload?.[field] === value ? payload : undefined
  }

  const pointerCommands = (
    model: string,
    id: string,
    payload: AdapterPayload,
    seconds: number,
  ): readonly Command[] => {
    const field = POINTERS[model]
    const value = field && payload[field]
    if (typeof value !== 'string' || seconds <= 0) return []
    const key = pointerKey(model, value)
    const target = digestOf(id)
    units.current()?.notes.set(key, target)
    return [['set', key, target, 'EX', seconds]]
  }

  /** What a save or a deletion in this unit leaves, where the mark of what was there is known. */
  const note = (key: string, text: string | undefined, consumed: string | null): void => {
    const unit = units.current()
    if (!unit) return
    if (text === undefined) unit.notes.set(key, NONE)
    else if (unit.notes.has(key)) {
      const held = unit.notes.get(key) as Held | typeof NONE
      unit.notes.set(key, { record: text, mark: held?.mark ?? consumed })
    }
  }

  /** Saves of one key fold into the last; any other writes are made one after another. */
  const enqueue = (model: string, key: string, batch: Batch): Promise<void> => {
    const before = units.current()?.queued(key)
    const folds = model === 'Session' || model === 'Interaction'
    const isDeletion = before?.commands[0]?.[0] === 'del'
    if (!before || (folds && !isDeletion)) return units.queue(key, batch)
    const share = before.commands.length
    return units.queue(key, {
      commands: [...before.commands, ...batch.commands],
      afterwards: (replies) => [
        ...(before.afterwards?.(replies.slice(0, share)) ?? []),
        ...(batch.afterwards?.(replies.slice(share)) ?? []),
      ],
    })
  }

  const remove = (model: string, key: string): Promise<void> => {
    note(key, undefined, null)
    return enqueue(model, key, { commands: [['del', key, markOf(key)]] })
  }

  const saveOnce = async (save: Command): Promise<void> => {
    const [saved] = await units.send([save])
    if (saved === 0) throw await jtiAlreadyUsed()
  }

  const adapterFor = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) => {
      if (expiresIn === undefined) {
        throw new TypeError(`a ${model} without an end belongs in the lasting store`)
      }
      const grant = grantOf(model, id, payload)
      const seconds = Math.ceil(expiresIn)
      if (grant !== '' && seconds > tombstoneSeconds) {
        throw new TypeError(`a ${model} must not outlive the memory of a revoked grant`)
      }
      const now = clock.now()
      const key = recordKey(model, id)
      const consumed = typeof payload.consumed === 'number' ? `${payload.consumed}` : null
      const text = recordOf(id, payload, grant, now + seconds)
      const isOnce = model === 'ReplayDetection'
      const save: Command = [
        'kenpoSave',
        key,
        markOf(key),
        text,
        seconds,
        consumed ?? '',
        isOnce ? now : '',
        isCluster || grant === '' ? '' : tombstoneKey(grant),
      ]
      if (isOnce) return saveOnce(save)
      note(key, seconds <= 0 ? undefined : text, consumed)
      await enqueue(model, key, {
        commands: [
          save,
          ...pointerCommands(model, id, payload, seconds),
          ...(isCluster && grant !== '' ? [['exists', tombstoneKey(grant)] as const] : []),
        ],
        // Between the two it was stored, but already out of reach.
        afterwards: (replies) =>
          isCluster && grant !== '' && replies.at(-1) === 1 ? [['del', key, markOf(key)]] : [],
      })
    },

    find: (id) => findById(model, id),
    findByUid: (uid) => findByPointer(model, 'uid', uid),
    findByUserCode: (userCode) => findByPointer(model, 'userCode', userCode),

    consume: async (id) => {
      const key = recordKey(model, id)
      // Looked up again by whoever asks: the mark is Redis's to tell.
      units.current()?.notes.delete(key)
      const now = clock.now()
      const [grant] = await units.send([
        ['kenpoConsume', key, markOf(key), now, isCluster ? '' : TOMBSTONE],
      ])
      if (typeof grant !== 'string' || (isCluster && (await isRevoked(grant)))) {
        throw await alreadyConsumed(model)
      }
    },

    destroy: (id) => remove(model, recordKey(model, id)),

    revokeByGrantId: async (grantId) => {
      const grant = recordKey('Grant', grantId)
      await units.send([
        ['set', tombstoneKey(digestOf(grantId)), 1, 'EX', tombstoneSeconds],
        ['del', grant, markOf(grant)],
      ])
      // Sent by now, or about to be refused: nothing of it is to be answered from memory.
      units.current()?.notes.clear()
    },
  })

  const foresee = (model: string, id: string): Prefetch => {
    const key = recordKey(model, id)
    return {
      key,
      commands: findCommands(key, true),
      // On a Cluster whether it was revoked takes a look elsewhere: an Interaction and a Session,
      // which alone are foreseen, have no grant.
      absorb: ([reply]) => {
        const notes = units.current()?.notes
        if (notes && !notes.has(key)) notes.set(key, heldOf(reply) ?? NONE)
      },
    }
  }

  return { adapterFor, foresee }
}

/**
 * The engine's artifacts in Redis. Beyond the engine's own adapter contract:
 * - `consume` is one compare-and-set; of any number of callers all but one get InvalidGrant, and a
 *   consumed artifact stays so even when it is saved again;
 * - `revokeByGrantId` leaves a tombstone: nothing under that grant, the grant itself included, is
 *   found any more or stored later, whoever wins the race. What was stored before stays, out of
 *   reach, until its own time is over;
 * - a ReplayDetection record (a client assertion's or DPoP proof's `jti`) is stored once while it
 *   lives; a second, parallel one is refused;
 * - what is found by its uid or user code comes with a stand-in for its ID, good in this process;
 * - all is gone from Redis by its end; what has none (a client) is refused, as a bug of ours: it
 *   belongs in the lasting store.
 *
 * Within a unit of work saves and deletions are queued, and what was read is remembered; `consume`,
 * `revokeByGrantId` and what may be stored once only are done there and then.
 *
 * On one server an operation is one round trip (two by uid or user code); on a Cluster, where a
 * grant is in another slot than its tokens, finding and consuming these take one more. Everything
 * throws StoreUnavailableError where Redis does not serve.
 */
export const createArtifactAdapter = (
  redis: RedisClient,
  clock: Clock,
  options: ArtifactOptions = {},
): ((model: string) => Adapter) => createArtifacts(createUnits(redis), clock, options).adapterFor
