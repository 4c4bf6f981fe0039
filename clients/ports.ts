import { IdentityError } from '../accounts/errors.ts'
import type { RegisteredClient } from './client.ts'
import type { RegistrationToken } from './tokens.ts'

/** Anything that is kept by its ID and changed by compare-and-set. */
export type Kept = Readonly<{ id: string; revision: number }>

/** Someone else saved or removed it first; load it again and apply the change anew. */
export class StaleRecordError extends IdentityError {
  constructor(id: string) {
    super('stale_client', 409, `${id} was saved or removed by another meanwhile`)
  }
}

/** Records of one kind, lasting. Contract: test/contracts/client-store.ts */
export interface RecordStore<R extends Kept> {
  find(id: string): Promise<R | undefined>
  /** Every one, by ID. */
  list(): Promise<readonly R[]>
  /** Insert when `revision` is 0, else compare-and-set on it. Returns the record as stored, one
   * revision up. @throws StaleRecordError */
  save(record: R): Promise<R>
  /** Compare-and-set on `revision` too. @throws StaleRecordError */
  remove(record: Kept): Promise<void>
}

export type ClientStore = RecordStore<RegisteredClient>
export type RegistrationTokenStore = RecordStore<RegistrationToken>
