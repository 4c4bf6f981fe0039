import mongoose, { type mongo } from 'mongoose'
import { AUDIT_ACTS, type AuditEvent, type AuditTrail } from '../../accounts/ports.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import {
  anything,
  checked,
  collectionOf,
  documentOf,
  number,
  required,
  sequence,
  text,
} from './schema.ts'

type EventDocument = Omit<AuditEvent, 'id'> & Readonly<{ _id: string; sequence: mongo.ObjectId }>

const EVENT = {
  _id: required(text),
  at: required(number),
  act: required({ ...text, enum: AUDIT_ACTS }),
  societyId: required(text),
  memberId: required(text),
  operator: text,
  facts: required(anything),
  sequence: required(sequence),
} satisfies Record<keyof EventDocument, object>

/**
 * What was done to accounts, in MongoDB: documents are added and never changed. Events of one
 * instance are told in their order, those of several by the second.
 */
export const createAuditTrail = ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): AuditTrail => {
  const events = connection.model<EventDocument>('AuditEvent', documentOf(EVENT), 'audit_events')

  return {
    append: async ({ id, ...event }) => {
      const fields = { ...event, _id: id, sequence: new mongoose.mongo.ObjectId() }
      const document = await reach(() => checked(events, fields))
      try {
        await reach(() => collectionOf(events).insertOne(document))
      } catch (error) {
        // The event is there already.
        if (!(error instanceof DuplicateKeyError)) throw error
      }
    },

    eventsOf: async (memberId) => {
      const found = await reach(() =>
        events.find({ memberId }).sort({ sequence: 1 }).lean<EventDocument[]>().exec(),
      )
      return found.map(({ _id, sequence: _, ...event }) => ({ ...event, id: _id }))
    },
  }
}
