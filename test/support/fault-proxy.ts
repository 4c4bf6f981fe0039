import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What the way to a server does to what is sent on it:
 * - `ok`: nothing;
 * - `delayMs`: each piece arrives so much later, in either direction;
 * - `blackhole`: connections are accepted and stand, and nothing gets through. As on a network that
 *   is mended, what was held arrives late, when the fault is over;
 * - `refuse`: standing connections are cut, new ones refused (ECONNREFUSED);
 * - `cutAfter`: each connection is reset once so many bytes of requests or of replies have passed,
 *   counted from now on. `{ cutAfter: 0, of: 'replies' }`: the server has read the request and acted
 *   on it, and nobody hears of it. With `where`, only on connections whose client sends this text
 *   from now on: other connections (a driver's heartbeat) and earlier phases (SMTP's greeting) are
 *   left alone.
 */
export type Fault =
  | 'ok'
  | 'blackhole'
  | 'refuse'
  | Readonly<{ delayMs: number }>
  | Readonly<{ cutAfter: number; of: 'requests' | 'replies'; where?: string }>

/** A TCP proxy on loopback before any server, for tests of what happens when the way there fails. */
export interface FaultProxy {
  readonly host: string
  readonly port: number
  /** Takes effect at once, on standing connections too. */
  set(fault: Fault): Promise<void>
  /** Resets every standing connection; what was held on its way is lost. */
  cut(): void
  /** How many connections have been made through it. */
  connections(): number
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const listenAt = async (server: Server, port: number): Promise<number> => {
  server.listen(port, HOST)
  await once(server, 'listening')
  // It listens on a port, not on a pipe.
  return (server.address() as AddressInfo).port
}

/** While its own end is on its way Node fails to reset a connection (EINVAL), and then never closes it:
 * the process could not end. */
const reset = (socket: Socket): void => {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}

type Direction = 'requests' | 'replies'

/** Starts a proxy before the server at this address. */
export const startFaultProxy = async (
  target: Readonly<{ host: string; port: number }>,
  first: Fault = 'ok',
): Promise<FaultProxy> => {
  let fault: Fault = 'ok'
  let made = 0
  const changes = new EventEmitter().setMaxListeners(0)
  const open = new Set<() => void>()

  /** Resolves when a piece that came at this time may go on. */
  const passage = async (arrived: number): Promise<void> => {
    for (;;) {
      const now = fault
      if (now === 'blackhole') await once(changes, 'change')
      else if (typeof now === 'object' && 'delayMs' in now) {
        const left = arrived + now.delayMs - performance.now()
        if (left <= 0) return
        await Promise.race([sleep(left), once(changes, 'change')])
      } else return
    }
  }

  const server = createServer((client) => {
    made += 1
    const upstream = connect({ ...target, noDelay: true })
    client.setNoDelay(true)
    const end = () => {
      open.delete(end)
      reset(client)
      reset(upstream)
    }
    open.add(end)

    /** What this connection has seen of the present fault. */
    let seen: { of: Fault; named: boolean; passed: number } = { of: fault, named: false, passed: 0 }
    const write = (chunk: Buffer, to: Socket, direction: Direction): void => {
      if (to.destroyed) return
      if (typeof fault !== 'object' || !('cutAfter' in fault)) {
        to.write(chunk)
        return
      }
      if (seen.of !== fault) seen = { of: fault, named: false, passed: 0 }
      const { cutAfter, of, where } = fault
      if (direction === 'requests') seen.named ||= where === undefined || chunk.includes(where)
      if (direction !== of || !(seen.named || where === undefined)) {
        to.write(chunk)
        return
      }
      const rest = cutAfter - seen.passed
      seen.passed += chunk.length
      if (chunk.length <= rest) to.write(chunk)
      else if (rest > 0) to.write(chunk.subarray(0, rest), end)
      else end()
    }

    const pump = (from: Socket, to: Socket, direction: Direction): void => {
      let last = Promise.resolve()
      from.on('data', (chunk: Buffer) => {
        const arrived = performance.now()
        last = last.then(() => passage(arrived)).then(() => write(chunk, to, direction))
      })
      from.on('end', () => {
        last = last.then(() => passage(0)).then(() => void to.end())
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        last = last
          .then(() => passage(0))
          .then(() => {
            open.delete(end)
            to.destroySoon()
          })
      })
    }
    pump(client, upstream, 'requests')
    pump(upstream, client, 'replies')
  })
  const port = await listenAt(server, 0)

  const cut = () => {
    for (const end of open) end()
  }
  const refuse = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    cut()
    await closed
  }
  const set = async (next: Fault): Promise<void> => {
    fault = next
    changes.emit('change')
    if (next === 'refuse') await refuse()
    else if (!server.listening) await listenAt(server, port)
  }
  await set(first)

  return {
    host: HOST,
    port,
    set,
    cut,
    connections: () => made,
    stop: () => set('refuse'),
  }
}
