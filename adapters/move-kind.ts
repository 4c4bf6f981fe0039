import type { EpochSeconds } from '../accounts/member.ts'

/** A record of the embedded file, or some that must stay in their order. */
export type Moved = Readonly<{
  count: number
  /** When it is gone by itself; missing: never. */
  endsAt?: EpochSeconds
  /** May be done again, over what an earlier attempt has written. */
  write(): Promise<void>
  /** Read back from the target: it is there and the same. */
  isThere(): Promise<boolean>
}>

/** What the operator reads in one line of the table. */
export type Kind = Readonly<{
  name: string
  /** All of the file's that have not ended. */
  records(): Iterable<Moved>
  /** How many the target holds, wherever they come from. */
  inTarget(): Promise<number>
}>

const AT_ONCE = 16

/** Works on all of them, some at a time; after a failure no more are begun. @throws the first */
export const each = async <T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const iterator = items[Symbol.iterator]()
  const worker = async () => {
    try {
      for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value)
    } catch (error) {
      iterator.return?.()
      throw error
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
