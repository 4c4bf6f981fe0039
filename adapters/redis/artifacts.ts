import { hash } from 'node:crypto'
import { Cluster } from 'ioredis'
// biome-ignore lint/style/noRestrictedImports: this adapter is the engine's; it refuses in its words
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Clock } from '../../accounts/ports.ts'
import { defineScript, type RedisClient, reach } from './connect.ts'

export type ArtifactOptions = Readonly<{
  /** How long a revoked grant is remembered: not less than the longest token lives. */
  tombstoneSeconds?: number
}>

/**
 * The keys. A hash tag keeps together what one command touches:
 * - `kenpo:<model>:{<id>}`, the record: one line of its end in epoch seconds (empty: none), a
 *   space and its grant (empty: none), then the payload's JSON;
 * - `kenpo:<model>:{<id>}:consumed`, when it was consumed, apart from the record so that a later
 *   save cannot undo it;
 * - `kenpo:revoked:{<grant>}`, a revoked grant's tombstone, in the slot of the grant itself;
 * - `kenpo:<model>.<field>:{<value>}`, a pointer to an ID.
 * IDs and grants stand there as SHA-256, so that a look at the store yields no live token and no
 * caller can choose a slot or the length of a key.
 */
const digest = (id: string): string => hash('sha256', id, 'base64url')
const recordKey = (model: string, id: string) => `kenpo:${model}:{${digest(id)}}`
const markKey = (model: string, id: string) => `${recordKey(model, id)}:consumed`
const pointerKey = (model: string, value: string) =>
  `kenpo:${model}.${POINTERS[model]}:{${digest(value)}}`
const TOMBSTONE = 'kenpo:revoked:{'
const tombstoneKey = (grant: string) => `${TOMBSTONE}${grant}}`

/** The models that stand and fall with their grant. An Interaction only mentions one. */
const GRANTABLE: ReadonlySet<string> = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
])

/** KEYS: record, mark. ARGV: the tombstones' prefix. On one server only: the tombstone's key is
 * found on the way, and need not be in the record's slot. */
const FIND = `
local record = redis.call('GET', KEYS[1])
if not record then return false end
local grant = string.match(record, '^%d* ([%w_-]*)')
if grant ~= '' and redis.call('EXISTS', ARGV[1] .. grant .. '}') == 1 then return false end
return { record, redis.call('GET', KEYS[2]) }`

/** KEYS: record, mark. ARGV: record, seconds ('' for ever), consumed ('' for no), and for what may
 * be saved once only, now ('' otherwise). A mark that is there lives on with its record. */
const SAVE = `
if ARGV[4] ~= '' then
  local held = redis.call('GET', KEYS[1])
  local ends = held and tonumber(string.match(held, '^%d+'))
  if held and not (ends and ends <= tonumber(ARGV[4])) then return 0 end
end
local seconds = tonumber(ARGV[2])
if seconds and seconds <= 0 then
  redis.call('DEL', KEYS[1])
  return 1
end
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'NX') end
if seconds then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', seconds)
  if redis.call('TTL', KEYS[2]) < seconds then redis.call('EXPIRE', KEYS[2], seconds + 1) end
else
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('PERSIST', KEYS[2])
end
return 1`

/** KEYS: record, mark. ARGV: now, and on one server the tombstones' prefix ('' on a Cluster).
 * Returns the record's grant ('' for none), or nothing where it is not to be had. */
const CONSUME = `
local record = redis.call('GET', KEYS[1])
if not record then return false end
local ends, grant = string.match(record, '^(%d*) ([%w_-]*)')
if ends ~= '' and tonumber(ends) <= tonumber(ARGV[1]) then return false end
if ARGV[2] ~= '' and grant ~= '' and redis.call('EXISTS', ARGV[2] .. grant .. '}') == 1 then
  return false
end
local left = redis.call('PTTL', KEYS[1])
local first
if left == -1 then
  first = redis.call('SET', KEYS[2], ARGV[1], 'NX')
else
  first = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', left + 1000)
end
if not first then return false end
return grant`

type Held = Readonly<{ record: string; mark: string | null }>

/** The two models that are looked for by more than their ID, and by what. */
const POINTERS: Readonly<Record<string, 'uid' | 'userCode'>> = {
  Session: 'uid',
  DeviceCode: 'userCode',
}

const grantOf = (model: string, id: string, payload: AdapterPayload): string => {
  const grantId = model === 'Grant' ? id : GRANTABLE.has(model) ? payload.grantId : undefined
  return grantId === undefined ? '' : digest(grantId)
}

/** An artifact's own ID, which its key only holds a digest of, is left out of the JSON. */
const recordOf = (id: string, payload: AdapterPayload, grant: string, end: number | undefined) =>
  `${end ?? ''} ${grant}\n${JSON.stringify(payload.jti === id ? { ...payload, jti: '' } : payload)}`

const partsOf = (record: string) => {
  const line = record.indexOf('\n')
  const [end = '', grant = ''] = record.slice(0, line).split(' ')
  return { end: end === '' ? undefined : Number(end), grant, json: record.slice(line + 1) }
}

const payloadOf = (id: string, json: string, mark: string | null): AdapterPayload => {
  // Only `upsert` writes records, and it takes nothing but a payload.
  const payload = JSON.parse(json) as AdapterPayload
  if (payload.jti === '') payload.jti = id
  if (mark !== null) payload.consumed = Number(mark)
  return payload
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
 * - all that has an end is gone from Redis by then. What has none (a client) stays, without a TTL:
 *   it belongs in the lasting store.
 *
 * On one server an operation is one round trip (two by uid or user code); on a Cluster, where a
 * grant is in another slot than its tokens, finding and consuming these take one more. Everything
 * throws StoreUnavailableError where Redis does not serve.
 */
export const createArtifactAdapter = (
  redis: RedisClient,
  clock: Clock,
  { tombstoneSeconds = 30 * 86_400 }: ArtifactOptions = {},
): ((model: string) => Adapter) => {
  const isCluster = redis instanceof Cluster
  const find = defineScript(redis, 'kenpoFind', 2, FIND)
  const save = defineScript(redis, 'kenpoSave', 2, SAVE)
  const consume = defineScript(redis, 'kenpoConsume', 2, CONSUME)

  const isRevoked = async (grant: string): Promise<boolean> =>
    grant !== '' && (await reach(() => redis.exists(tombstoneKey(grant)))) === 1

  const readFromServer = async (model: string, id: string): Promise<Held | undefined> => {
    const reply = await find(recordKey(model, id), markKey(model, id), TOMBSTONE)
    if (!Array.isArray(reply)) return undefined
    // FIND returns two bulk strings, the second one null where there is no mark.
    const [record, mark] = reply as [string, string | null]
    return { record, mark }
  }

  const readFromCluster = async (model: string, id: string): Promise<Held | undefined> => {
    const [record, mark = null] = await reach(() =>
      redis.mget(recordKey(model, id), markKey(model, id)),
    )
    if (record == null || (await isRevoked(partsOf(record).grant))) return undefined
    return { record, mark }
  }

  const read = isCluster ? readFromCluster : readFromServer

  const findById = async (model: string, id: string): Promise<AdapterPayload | undefined> => {
    const held = await read(model, id)
    if (!held) return undefined
    const { end, json } = partsOf(held.record)
    return end === undefined || end > clock.now() ? payloadOf(id, json, held.mark) : undefined
  }

  const findByPointer = async (model: string, field: 'uid' | 'userCode', value: string) => {
    if (POINTERS[model] !== field) return undefined
    const id = await reach(() => redis.get(pointerKey(model, value)))
    const payload = id === null ? undefined : await findById(model, id)
    return payload?.[field] === value ? payload : undefined
  }

  const savePointer = async (
    model: string,
    id: string,
    payload: AdapterPayload,
    seconds: number | undefined,
  ) => {
    const field = POINTERS[model]
    const value = field && payload[field]
    if (typeof value !== 'string' || (seconds !== undefined && seconds <= 0)) return
    const key = pointerKey(model, value)
    await reach(() =>
      seconds === undefined ? redis.set(key, id) : redis.set(key, id, 'EX', seconds),
    )
  }

  const remove = (model: string, id: string) =>
    reach(() => redis.del(recordKey(model, id), markKey(model, id)))

  return (model) => ({
    upsert: async (id, payload, expiresIn) => {
      const grant = grantOf(model, id, payload)
      const seconds = expiresIn === undefined ? undefined : Math.ceil(expiresIn)
      if (grant !== '' && (seconds === undefined || seconds > tombstoneSeconds)) {
        throw new TypeError(`a ${model} must not outlive the memory of a revoked grant`)
      }
      const now = clock.now()
      const isOnce = model === 'ReplayDetection'
      const [saved, , revoked] = await Promise.all([
        save(
          recordKey(model, id),
          markKey(model, id),
          recordOf(id, payload, grant, seconds === undefined ? undefined : now + seconds),
          seconds ?? '',
          typeof payload.consumed === 'number' ? payload.consumed : '',
          isOnce ? now : '',
        ),
        savePointer(model, id, payload, seconds),
        isRevoked(grant),
      ])
      if (saved === 0) throw new errors.InvalidRequest('jti was already used')
      // Between the two it was stored, but already out of reach.
      if (revoked) await remove(model, id)
    },

    find: (id) => findById(model, id),
    findByUid: (uid) => findByPointer(model, 'uid', uid),
    findByUserCode: (userCode) => findByPointer(model, 'userCode', userCode),

    consume: async (id) => {
      const grant = await consume(
        recordKey(model, id),
        markKey(model, id),
        clock.now(),
        isCluster ? '' : TOMBSTONE,
      )
      if (typeof grant !== 'string' || (isCluster && (await isRevoked(grant)))) {
        throw new errors.InvalidGrant(`${model} already consumed`)
      }
    },

    destroy: async (id) => {
      await remove(model, id)
    },

    revokeByGrantId: async (grantId) => {
      await Promise.all([
        reach(() => redis.set(tombstoneKey(digest(grantId)), 1, 'EX', tombstoneSeconds)),
        remove('Grant', grantId),
      ])
    },
  })
}
