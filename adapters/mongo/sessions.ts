import { StoreUnavailableError } from '../../accounts/errors.ts'
import type { EpochSeconds } from '../../accounts/member.ts'
import type { SessionIndex } from '../../accounts/ports.ts'
import { newsOf, type SessionRecord } from '../../accounts/sign-ins.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import {
  checked,
  collectionOf,
  date,
  dateOf,
  documentOf,
  listOf,
  number,
  required,
  secondsOf,
  text,
  trusted,
} from './schema.ts'

type SessionDocument = Omit<SessionRecord, 'uid' | 'seenAt' | 'sids'> &
  Readonly<{
    _id: string
    seenAt: Date
    /** JSON: a client ID may hold what a field's name may not. */
    sids: string
    /** When its end is next looked into; missing: everybody knows. */
    dueAt?: EpochSeconds
    /** One more with each write. */
    version: number
  }>

const SESSION = {
  _id: required(text),
  memberId: required(text),
  device: required(text),
  since: required(number),
  seenAt: required(date),
  grantIds: required(listOf(text)),
  sids: required(text),
  endsAt: required(number),
  dueAt: number,
  version: required(number),
} satisfies Record<keyof SessionDocument, object>

/** So often others may write a session while we read it; then something is wrong. */
const MOST_LOST_RACES = 100

const recordOf = ({ _id, ...document }: SessionDocument): SessionRecord => ({
  uid: _id,
  memberId: document.memberId,
  device: document.device,
  since: document.since,
  seenAt: secondsOf(document.seenAt),
  grantIds: document.grantIds,
  // Only `see` and `settle` write the field.
  sids: JSON.parse(document.sids) as SessionRecord['sids'],
  endsAt: document.endsAt,
})

/** Which sessions are a member's, in MongoDB: each written by compare-and-set on its version. */
export const createSessionIndex = ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): SessionIndex => {
  const sessions = connection.model<SessionDocument>(
    'Session',
    documentOf(SESSION),
    'member_sessions',
  )

  /** False: another has written it since version `previous` (0: there was none). */
  const write = async (session: SessionRecord, previous: number): Promise<boolean> => {
    const { uid, seenAt, sids, ...rest } = session
    const fields = {
      ...rest,
      _id: uid,
      seenAt: dateOf(seenAt),
      sids: JSON.stringify(sids),
      dueAt: session.endsAt,
      version: previous + 1,
    }
    const document = await reach(() => checked(sessions, fields))
    const collection = collectionOf(sessions)
    if (previous > 0) {
      const { _id, ...replacement } = document
      const { matchedCount } = await reach(() =>
        collection.replaceOne({ _id, version: previous }, replacement),
      )
      return matchedCount === 1
    }
    try {
      await reach(() => collection.insertOne(document))
      return true
    } catch (error) {
      if (error instanceof DuplicateKeyError) return false
      throw error
    }
  }

  return {
    see: async (session) => {
      for (let lost = 0; lost < MOST_LOST_RACES; lost += 1) {
        const held = await reach(() =>
          sessions.findOne({ _id: session.uid }).lean<SessionDocument>().exec(),
        )
        const newest = newsOf(held ? recordOf(held) : undefined, session)
        if (!newest || (await write(newest, held?.version ?? 0))) return
      }
      throw new StoreUnavailableError('mongo: a session is written without end')
    },

    list: async (memberId) => {
      const found = await reach(() =>
        sessions
          .find({ memberId })
          .sort({ seenAt: -1, since: -1 })
          .lean<SessionDocument[]>()
          .exec(),
      )
      return found.map(recordOf)
    },

    remove: async (uid) => {
      await reach(() => sessions.deleteOne({ _id: uid }).exec())
    },

    claimEnded: async (now, limit, leaseSeconds) => {
      const claimed: SessionRecord[] = []
      while (claimed.length < limit) {
        const found = await reach(() =>
          sessions
            .findOneAndUpdate(
              { dueAt: trusted({ $lte: now }) },
              { $set: { dueAt: now + leaseSeconds }, $inc: { version: 1 } },
              { sort: { dueAt: 1 }, returnDocument: 'before' },
            )
            .lean<SessionDocument>()
            .exec(),
        )
        if (!found) break
        claimed.push(recordOf(found))
      }
      return claimed
    },

    settle: async (uid, endsAt) => {
      await reach(() =>
        sessions
          .updateOne(
            { _id: uid, endsAt: trusted({ $lte: endsAt }) },
            { $unset: { dueAt: true }, $set: { sids: '{}' }, $inc: { version: 1 } },
          )
          .exec(),
      )
    },
  }
}
