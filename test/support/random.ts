import { createHash } from 'node:crypto'
import type { RandomBytes } from '../../accounts/ports.ts'

/** Bytes that look random and are the same in every run. */
export const seededRandom = (seed: string): RandomBytes => {
  let calls = 0
  return (size) => {
    calls += 1
    const blocks: Buffer[] = []
    for (let block = 0; block * 32 < size; block += 1) {
      blocks.push(createHash('sha256').update(`${seed}|${calls}|${block}`).digest())
    }
    return Buffer.concat(blocks).subarray(0, size)
  }
}
