import mongoose, { type Model, type mongo, Schema } from 'mongoose'
import type { EpochSeconds } from '../../accounts/member.ts'

// In mongoose an empty text counts as missing; here it is a text.
Schema.Types.String.checkRequired((value) => typeof value === 'string')

/** A kind of value, taken as it is: "5" is no number and 5 no text. */
export const text = { type: String, cast: false } as const
export const number = {
  type: Number,
  cast: false,
  validate: (value: number) => Number.isFinite(value),
} as const
export const flag = { type: Boolean, cast: false, enum: [true] } as const
/** For TTL indexes only: every other time is in epoch seconds. */
export const date = { type: Date, cast: false } as const
export const dateOf = (at: EpochSeconds): Date => new Date(at * 1000)
export const secondsOf = (at: Date): EpochSeconds => at.getTime() / 1000
/** Made by the writer: orders what one instance has written, and others' by the second. */
export const sequence = { type: Schema.Types.ObjectId } as const
/** Any JSON value, which its owner alone reads. */
export const anything = { type: Schema.Types.Mixed } as const

/** The words of a union, each of which the compiler asks for. */
export const oneOf = <Word extends string>(words: Readonly<Record<Word, true>>) => ({
  ...text,
  enum: Object.keys(words),
})

export const required = <T extends object>(kind: T) => ({ ...kind, required: true as const })
export const listOf = (kind: object) => ({ type: [kind], castNonArrays: false })

const OPTIONS = {
  strict: 'throw',
  strictQuery: 'throw',
  id: false,
  versionKey: false,
  minimize: false,
  autoIndex: false,
  autoCreate: false,
} as const

/** A document of exactly these fields. */
export const documentOf = (fields: Readonly<Record<string, object>>) => new Schema(fields, OPTIONS)

/** An object of exactly these fields inside a document. */
export const partOf = (fields: Readonly<Record<string, object>>) =>
  new Schema(fields, { ...OPTIONS, _id: false })

/** Operators in a filter of ours: sanitizeFilter lets no other pass. */
export const trusted = mongoose.trusted

/** The document as it may be stored: every field known, of its kind, and there if it has to be. */
export const checked = async <T extends object>(model: Model<T>, fields: T): Promise<T> => {
  const document = new model(fields)
  await document.validate()
  // What the schema lets pass is what the type says.
  return document.toObject({ minimize: false }) as unknown as T
}

/** The driver's collection, for writing what has been checked. */
export const collectionOf = <T extends mongo.Document>(model: Model<T>): mongo.Collection<T> =>
  // Mongoose's own wrapper, whose types know no documents.
  model.collection as unknown as mongo.Collection<T>
