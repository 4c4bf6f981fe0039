// A thread that runs a command on a Redis server while the thread that wants it stands still: see
// server-stores.ts. In JavaScript, since a thread starts without the tests' module hooks.
import { parentPort } from 'node:worker_threads'
import { Redis } from 'ioredis'

const run = async ({ url, command }) => {
  const client = new Redis(url, { retryStrategy: () => null })
  try {
    await client.call(...command)
    return 1
  } catch {
    return 2
  } finally {
    client.disconnect()
  }
}

parentPort.on('message', async ({ done, ...order }) => {
  Atomics.store(done, 0, await run(order))
  Atomics.notify(done, 0)
})
