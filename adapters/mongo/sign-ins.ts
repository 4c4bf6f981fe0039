import mongoose, { type mongo } from 'mongoose'
import { FACTOR_IDS } from '../../accounts/member.ts'
import type { SignInLog } from '../../accounts/ports.ts'
import { DEVICE_SECONDS, type SignIn } from '../../accounts/sign-ins.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import {
  checked,
  collectionOf,
  date,
  dateOf,
  documentOf,
  listOf,
  required,
  secondsOf,
  sequence,
  text,
  trusted,
} from './schema.ts'

type SignInDocument = Omit<SignIn, 'id' | 'at'> &
  Readonly<{ _id: string; at: Date; sequence: mongo.ObjectId }>
type Device = Readonly<{ memberId: string; deviceId: string; usedAt: Date }>

const SIGN_IN = {
  _id: required(text),
  memberId: required(text),
  at: required(date),
  device: required(text),
  clientId: required(text),
  factors: required(listOf({ ...text, enum: FACTOR_IDS })),
  sequence: required(sequence),
} satisfies Record<keyof SignInDocument, object>

const DEVICE = {
  memberId: required(text),
  deviceId: required(text),
  usedAt: required(date),
} satisfies Record<keyof Device, object>

/** Sign-ins and members' browsers, in MongoDB. */
export const createSignInLog = ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): SignInLog => {
  const signIns = connection.model<SignInDocument>('SignIn', documentOf(SIGN_IN), 'sign_ins')
  const devices = connection.model<Device>('Device', documentOf(DEVICE), 'member_devices')

  /** False: it was recorded before. */
  const insert = async ({ id, at, ...signIn }: SignIn): Promise<boolean> => {
    const fields = {
      ...signIn,
      _id: id,
      at: dateOf(at),
      sequence: new mongoose.mongo.ObjectId(),
    }
    const document = await reach(() => checked(signIns, fields))
    try {
      await reach(() => collectionOf(signIns).insertOne(document))
      return true
    } catch (error) {
      if (error instanceof DuplicateKeyError) return false
      throw error
    }
  }

  const touch = async (memberId: string, deviceId: string, at: Date): Promise<void> => {
    const use = (upsert: boolean) =>
      reach(() =>
        devices.updateOne({ memberId, deviceId }, { $max: { usedAt: at } }, { upsert }).exec(),
      )
    try {
      await use(true)
    } catch (error) {
      // Made by another instance between our look and our write: now it is there.
      if (!(error instanceof DuplicateKeyError)) throw error
      await use(false)
    }
  }

  return {
    record: async (signIn, deviceId) => {
      const { memberId, at } = signIn
      // Read before the sign-in is written, which one caller does, and the device touched after:
      // so a repeated record never makes the browser known to the first one's caller.
      const lately = trusted({ $gt: dateOf(at - DEVICE_SECONDS) })
      const used = await reach(() =>
        devices.find({ memberId, usedAt: lately }).lean<Device[]>().exec(),
      )
      const isNews = used.length > 0 && used.every((device) => device.deviceId !== deviceId)
      const isFirst = await insert(signIn)
      await touch(memberId, deviceId, dateOf(at))
      return { newDevice: isFirst && isNews }
    },

    list: async (memberId, since) => {
      const found = await reach(() =>
        signIns
          .find({ memberId, at: trusted({ $gte: dateOf(since) }) })
          .sort({ at: -1, sequence: -1 })
          .lean<SignInDocument[]>()
          .exec(),
      )
      return found.map(({ _id, at, sequence: _, ...signIn }) => ({
        ...signIn,
        id: _id,
        at: secondsOf(at),
      }))
    },
  }
}
