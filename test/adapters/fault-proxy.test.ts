import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'

/** What `connection` resolves to when nothing has come. */
const SILENCE = 'silence'

/** Their ends arrive together with the news that their process is gone. */
const MANY_CLIENTS = `
let connected = 0
for (let made = 0; made < 12; made += 1) {
  const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1', () => {
    connected += 1
    if (connected === 12) console.log('connected')
  })
}`

describe('the proxy that the tests break servers with', () => {
  let server: Server
  let received: string
  let proxy: FaultProxy
  beforeEach(async () => {
    received = ''
    server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        received += chunk
        socket.write(`re:${chunk}`)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    // It listens on a port, not on a pipe.
    proxy = await startFaultProxy({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    })
  })
  afterEach(async () => {
    await proxy.stop()
    server.close()
  })

  const open = async () => {
    const socket = connect(proxy.port, proxy.host)
    let text = ''
    let ended: string | undefined
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      ended = error.code
    })
    socket.on('close', () => {
      ended ??= 'closed'
    })
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined)
    return {
      say: (line: string) => socket.write(line),
      /** What has come until this text, or until the connection ended. */
      until: async (end: string): Promise<string> => {
        while (!text.endsWith(end) && ended === undefined) await sleep(5)
        return ended === undefined ? text : `${text}|${ended}`
      },
      within: async (ms: number): Promise<string> => {
        await sleep(ms)
        return text === '' && ended === undefined ? SILENCE : text
      },
      ended: async () => {
        while (ended === undefined) await sleep(5)
        return ended
      },
      end: () => socket.destroy(),
    }
  }

  test('lets all pass in both directions, and counts connections', async () => {
    const client = await open()
    client.say('a')
    expect(await client.until('re:a')).toBe('re:a')
    expect(proxy.connections()).toBe(1)
    client.end()
  })

  test('holds what is sent into a black hole until that is over, in order', async () => {
    const client = await open()
    await proxy.set('blackhole')
    client.say('a')
    client.say('b')
    expect(await client.within(100)).toBe(SILENCE)
    expect(received).toBe('')
    await proxy.set('ok')
    await client.until('b')
    expect(received).toBe('ab')
    client.end()
  })

  test('delays each piece and keeps the order', async () => {
    await proxy.set({ delayMs: 60 })
    const client = await open()
    client.say('a')
    expect(await client.within(30)).toBe(SILENCE)
    await proxy.set('ok')
    client.say('b')
    expect(await client.until('b')).toMatch(/^re:a(re:)?b$/)
    client.end()
  })

  test('refuses: what stands is reset, what is new is not let in, until it is over', async () => {
    const standing = await open()
    await proxy.set('refuse')
    expect(await standing.ended()).toBe('ECONNRESET')
    expect(await (await open()).ended()).toBe('ECONNREFUSED')
    await proxy.set('ok')
    const client = await open()
    client.say('a')
    expect(await client.until('re:a')).toBe('re:a')
    client.end()
  })

  test('cuts after the request has arrived and before its reply', async () => {
    const client = await open()
    await proxy.set({ cutAfter: 0, of: 'replies' })
    client.say('order')
    expect(await client.ended()).toBe('ECONNRESET')
    expect(received).toBe('order')
    expect(await client.within(0)).toBe('')
  })

  test('cuts in the middle of a request or of a reply', async () => {
    await proxy.set({ cutAfter: 3, of: 'requests' })
    const first = await open()
    first.say('order')
    expect(await first.ended()).toBeTruthy()
    await sleep(20)
    expect(received).toBe('ord')
    await proxy.set({ cutAfter: 4, of: 'replies' })
    const second = await open()
    second.say('order')
    expect(await second.until('never')).toMatch(/^re:o\|/)
  })

  test('cuts only the connection that says what was named', async () => {
    await proxy.set({ cutAfter: 0, of: 'replies', where: 'order' })
    const other = await open()
    const named = await open()
    other.say('hello')
    expect(await other.until('hello')).toBe('re:hello')
    named.say('hello')
    expect(await named.until('hello')).toBe('re:hello')
    named.say('order')
    expect(await named.ended()).toBe('ECONNRESET')
    other.say('hello')
    expect(await other.until('hellore:hello')).toBe('re:hellore:hello')
    other.end()
  })

  test('lets go of a connection that ends just as it is cut', async () => {
    const sockets = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    /** Once those that are closing have gone. */
    const standing = async () => {
      for (let last = sockets(); ; last = sockets()) {
        await sleep(50)
        if (sockets() === last) return last
      }
    }
    const before = await standing()
    for (let rounds = 0; rounds < 5; rounds += 1) {
      const args = ['-e', MANY_CLIENTS, String(proxy.port)]
      const client = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      await once(client.stdout, 'data')
      await proxy.set('blackhole')
      const gone = once(client, 'exit')
      client.kill('SIGKILL')
      await gone
      proxy.cut()
      await proxy.set('ok')
    }
    expect(await standing()).toBeLessThanOrEqual(before)
  })
})
