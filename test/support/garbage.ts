import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** libsql lets go of a closed file, and of the locks on it, once its statements are collected. */
export const collectGarbage = async (): Promise<void> => {
  setFlagsFromString('--expose_gc')
  const collect: unknown = runInNewContext('gc')
  for (let round = 0; round < 3; round += 1) {
    if (typeof collect === 'function') collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
