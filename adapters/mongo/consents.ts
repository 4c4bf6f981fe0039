import type { Consent } from '../../accounts/consents.ts'
import type { ConsentStore } from '../../accounts/ports.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import { checked, documentOf, listOf, number, required, text } from './schema.ts'

/** `_id`: `<member> <client ID>`, neither of which has a space. */
type ConsentDocument = Consent & Readonly<{ _id: string }>

const CONSENT = {
  _id: required(text),
  memberId: required(text),
  clientId: required(text),
  since: required(number),
  updatedAt: required(number),
  scopes: required(listOf(text)),
  claims: required(listOf(text)),
  resources: required(listOf(text)),
} satisfies Record<keyof ConsentDocument, object>

const keyOf = (memberId: string, clientId: string): string => `${memberId} ${clientId}`

const consentOf = ({ _id, ...consent }: ConsentDocument): Consent => consent

/** What members have allowed relying parties, in MongoDB: one document each. */
export const createConsentStore = ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): ConsentStore => {
  const consents = connection.model<ConsentDocument>('Consent', documentOf(CONSENT), 'consents')

  return {
    find: async (memberId, clientId) => {
      const found = await reach(() =>
        consents
          .findOne({ _id: keyOf(memberId, clientId) })
          .lean<ConsentDocument>()
          .exec(),
      )
      return found === null ? undefined : consentOf(found)
    },

    list: async (memberId) => {
      const found = await reach(() =>
        consents.find({ memberId }).sort({ since: -1 }).lean<ConsentDocument[]>().exec(),
      )
      return found.map(consentOf)
    },

    give: async (consent) => {
      const _id = keyOf(consent.memberId, consent.clientId)
      const { memberId, clientId, since, updatedAt, scopes, claims, resources } = await reach(() =>
        checked(consents, { ...consent, _id }),
      )
      const change = {
        $setOnInsert: { memberId, clientId, since },
        $max: { updatedAt },
        $addToSet: {
          scopes: { $each: scopes },
          claims: { $each: claims },
          resources: { $each: resources },
        },
      }
      const write = () => reach(() => consents.updateOne({ _id }, change, { upsert: true }).exec())
      try {
        await write()
      } catch (error) {
        // Made by another between our look and our write: now it is there.
        if (!(error instanceof DuplicateKeyError)) throw error
        await write()
      }
    },

    withdraw: async (memberId, clientId) => {
      const { deletedCount } = await reach(() =>
        consents.deleteOne({ _id: keyOf(memberId, clientId) }).exec(),
      )
      return deletedCount === 1
    },
  }
}
