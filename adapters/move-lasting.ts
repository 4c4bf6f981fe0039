import { isDeepStrictEqual } from 'node:util'
import mongoose, { type mongo } from 'mongoose'
import type { Permissions } from '../accounts/consents.ts'
import type { Member } from '../accounts/member.ts'
import type { AuditEvent, Clock, DeliveryState } from '../accounts/ports.ts'
import {
  DEVICE_SECONDS,
  HISTORY_SECONDS,
  SESSION_RECORD_SECONDS,
  type SignIn,
} from '../accounts/sign-ins.ts'
import type { Database } from './embedded/database.ts'
import { DuplicateKeyError, type MongoConnection } from './mongo/connect.ts'
import type { MongoStores } from './mongo/index.ts'
import { dateOf } from './mongo/schema.ts'
import type { Kind, Moved } from './move-kind.ts'
import { ARTIFACTS_OF, movedArtifact } from './move-passing.ts'

type SignInRow = Readonly<{
  id: string
  at: number
  device: string
  client_id: string
  factors: string
}>
type DeviceRow = Readonly<{ member_id: string; device_id: string; used_at: number }>
type SessionRow = Readonly<{
  uid: string
  member_id: Member['id']
  device: string
  since: number
  seen_at: number
  grant_ids: string
  sids: string
  ends_at: number
  due_at: number | null
}>
type QueueRow = Readonly<{
  id: string
  queue: string
  state: DeliveryState
  item: string | null
  attempts: number
  due_at: number
  expires_at: number
  finished_at: number | null
}>
type ConsentRow = Readonly<{
  member_id: Member['id']
  client_id: string
  since: number
  updated_at: number
  permissions: string
}>
type RecordRow = Readonly<{ id: string; revision: number; document: string }>
type Collection = mongo.Collection<mongo.Document & { _id?: string }>

/** `stateOf` answers for a finished item this long: the embedded file's own week. */
const FINISHED_SECONDS = 7 * 86_400

const same = (a: unknown, b: unknown): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(a ?? null)), JSON.parse(JSON.stringify(b ?? null)))

/**
 * All of the file that lasts and belongs in MongoDB; the members come last, so that nobody signs in
 * where not everything else is there yet.
 */
export const lastingKinds = (
  db: Database,
  { connection, reach }: Pick<MongoConnection, 'connection' | 'reach'>,
  stores: Pick<
    MongoStores,
    'members' | 'audit' | 'signIns' | 'sessions' | 'consents' | 'lastingArtifacts'
  >,
  models: readonly string[],
  clock: Clock,
): readonly Kind[] => {
  const { members, audit, signIns, sessions, consents, lastingArtifacts } = stores
  // Connected: `reach` has seen to it.
  const collection = (name: string): Collection =>
    connection.collection(name) as unknown as Collection
  const counted =
    (name: string, filter: object = {}) =>
    () =>
      reach(() => collection(name).countDocuments(filter))
  const rows = function* <Row, M extends Moved = Moved>(
    sql: string,
    values: readonly (string | number)[],
    moved: (row: Row) => M,
  ) {
    // The columns a statement names are its caller's to know.
    for (const row of db.prepare(sql).iterate(values) as Iterable<Row>) yield moved(row)
  }
  /** Written once: a document that is there is an earlier attempt's. */
  const insert = async (name: string, document: mongo.Document & { _id: string }) => {
    try {
      await reach(() => collection(name).insertOne(document))
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error
    }
  }
  const findIn = (name: string, filter: object) => reach(() => collection(name).findOne(filter))

  const member = ({ document }: { document: string }): Moved => {
    // Only the embedded store writes the column, and it takes nothing but a Member.
    const held = JSON.parse(document) as Member
    const { id, revision } = held
    return {
      count: 1,
      write: async () => {
        if (!(await members.findById(id))) await members.save({ ...held, revision: 0 })
        // Mails are known by the revision they are about: a second life must not repeat one.
        await reach(() => collection('members').updateOne({ _id: id }, { $set: { revision } }))
      },
      isThere: async () => same(await members.findById(id), held),
    }
  }

  const eventsOf = ({ member_id, events }: { member_id: string; events: string }): Moved => {
    const held = JSON.parse(events) as AuditEvent[]
    return {
      count: held.length,
      write: async () => {
        for (const event of held) await audit.append(event)
      },
      isThere: async () => same(await audit.eventsOf(member_id as AuditEvent['memberId']), held),
    }
  }

  const signInsOf = ({ member_id, rows: json }: { member_id: Member['id']; rows: string }) => {
    const held = JSON.parse(json) as SignInRow[]
    const signIn = ({ id, at, device, client_id, factors }: SignInRow): SignIn => ({
      id,
      memberId: member_id,
      at,
      device,
      clientId: client_id,
      factors: factors.split(' ').filter(Boolean) as SignIn['factors'],
    })
    return {
      count: held.length,
      endsAt: Math.min(...held.map(({ at }) => at)) + HISTORY_SECONDS,
      write: async () => {
        for (const row of held) {
          const { id, at, ...rest } = signIn(row)
          const sequence = new mongoose.mongo.ObjectId()
          await insert('sign_ins', { ...rest, _id: id, at: dateOf(at), sequence })
        }
      },
      isThere: async () => {
        const found = await signIns.list(member_id, 0)
        return held.every((row) => found.some((one) => same(one, signIn(row))))
      },
    }
  }

  const device = ({ member_id, device_id, used_at }: DeviceRow): Moved => {
    const filter = { memberId: member_id, deviceId: device_id }
    const usedAt = dateOf(used_at)
    return {
      count: 1,
      endsAt: used_at + DEVICE_SECONDS,
      write: async () => {
        await reach(() =>
          collection('member_devices').updateOne(filter, { $set: { usedAt } }, { upsert: true }),
        )
      },
      isThere: async () => (await findIn('member_devices', { ...filter, usedAt })) !== null,
    }
  }

  const session = (row: SessionRow): Moved => {
    const held = {
      uid: row.uid,
      memberId: row.member_id,
      device: row.device,
      since: row.since,
      seenAt: row.seen_at,
      grantIds: row.grant_ids.split(' ').filter(Boolean),
      sids: JSON.parse(row.sids) as Record<string, string>,
      endsAt: row.ends_at,
    }
    return {
      count: 1,
      endsAt: row.seen_at + SESSION_RECORD_SECONDS,
      write: async () => {
        await sessions.see(held)
        if (row.due_at === null) await sessions.settle(row.uid, row.ends_at)
      },
      isThere: async () => (await sessions.list(row.member_id)).some((found) => same(found, held)),
    }
  }

  const consent = (row: ConsentRow): Moved => {
    const held = {
      memberId: row.member_id,
      clientId: row.client_id,
      since: row.since,
      updatedAt: row.updated_at,
      // Only the embedded store writes the column, and it takes nothing but these.
      ...(JSON.parse(row.permissions) as Permissions),
    }
    return {
      count: 1,
      write: () => consents.give(held),
      isThere: async () => same(await consents.find(held.memberId, held.clientId), held),
    }
  }

  const queued = (row: QueueRow): Moved => {
    const { id, queue, state, item, attempts, due_at, expires_at, finished_at } = row
    const fields = {
      queue,
      state,
      attempts,
      dueAt: due_at,
      expiresAt: expires_at,
      ...(item !== null && { item }),
      ...(finished_at !== null && { finishedAt: dateOf(finished_at) }),
    }
    return {
      count: 1,
      ...(finished_at !== null && { endsAt: finished_at + FINISHED_SECONDS }),
      write: () =>
        insert('outbox', { ...fields, _id: id, sequence: new mongoose.mongo.ObjectId() }),
      isThere: async () => {
        const found = await findIn('outbox', { _id: id })
        const { _id, sequence: _, ...entry } = found ?? ({} as mongo.Document)
        return _id === id && same(entry, fields)
      },
    }
  }

  const record =
    (kind: string) =>
    ({ id, revision, document }: RecordRow): Moved => {
      const held = { _id: `${kind}:${id}`, kind, revision, document }
      return {
        count: 1,
        write: () => insert('records', held),
        isThere: async () => same(await findIn('records', { _id: held._id }), held),
      }
    }

  const recordsOf = (kind: string, name: string): Kind => ({
    name,
    records: () =>
      rows('SELECT id, revision, document FROM records WHERE kind = ?', [kind], record(kind)),
    inTarget: counted('records', { kind }),
  })

  const queueOf = (queue: string, name: string): Kind => ({
    name,
    records: () =>
      rows(
        `SELECT * FROM outbox WHERE queue = ? AND (finished_at IS NULL OR finished_at > ?)
         ORDER BY sequence`,
        [queue, clock.now() - FINISHED_SECONDS],
        queued,
      ),
    inTarget: counted('outbox', { queue }),
  })

  return [
    ...models.map(
      (model): Kind => ({
        name: `${model} (engine)`,
        records: () =>
          rows(ARTIFACTS_OF, [model, clock.now()], (row: Parameters<typeof movedArtifact>[0]) =>
            movedArtifact(row, lastingArtifacts(model), clock),
          ),
        inTarget: counted('artifacts', { _id: { $regex: `^${model}:` } }),
      }),
    ),
    recordsOf('client', 'registered clients'),
    recordsOf('registrationToken', 'registration tokens'),
    recordsOf('signingKeys', 'signing keys'),
    {
      name: 'audit events',
      records: () =>
        rows(
          `SELECT member_id, json_group_array(json(event)) AS events
           FROM (SELECT member_id, event FROM audit_events ORDER BY member_id, sequence)
           GROUP BY member_id`,
          [],
          eventsOf,
        ),
      inTarget: counted('audit_events'),
    },
    {
      name: 'sign-ins',
      records: () =>
        rows(
          `SELECT member_id, json_group_array(json_object(
             'id', id, 'at', at, 'device', device, 'client_id', client_id, 'factors', factors
           )) AS rows
           FROM (SELECT * FROM sign_ins WHERE at > ? ORDER BY member_id, at, rowid)
           GROUP BY member_id`,
          [clock.now() - HISTORY_SECONDS],
          signInsOf,
        ),
      inTarget: counted('sign_ins'),
    },
    {
      name: 'known devices',
      records: () =>
        rows(
          'SELECT * FROM member_devices WHERE used_at > ?',
          [clock.now() - DEVICE_SECONDS],
          device,
        ),
      inTarget: counted('member_devices'),
    },
    {
      name: 'sessions of members',
      records: () =>
        rows(
          'SELECT * FROM member_sessions WHERE seen_at > ?',
          [clock.now() - SESSION_RECORD_SECONDS],
          session,
        ),
      inTarget: counted('member_sessions'),
    },
    {
      name: 'consents',
      records: () => rows('SELECT * FROM consents', [], consent),
      inTarget: counted('consents'),
    },
    queueOf('mails', 'mails'),
    queueOf('logouts', 'sign-out notices'),
    {
      name: 'members',
      records: () => rows('SELECT document FROM members', [], member),
      inTarget: counted('members'),
    },
  ]
}
