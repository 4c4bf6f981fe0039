import { describe, expect, test } from '@jest/globals'
import request from 'supertest'
import { createManagementApp } from '../../management/app.ts'
import { createReadiness, type Readiness } from '../../management/readiness.ts'

const portOf = (readiness: Readiness) => {
  const metrics = async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' })
  return request(createManagementApp({ missing: readiness.missing, metrics }).callback())
}

describe('The management port', () => {
  test('a process whose stores are dead is alive and not ready, and says which are dead', async () => {
    const readiness = createReadiness()
    readiness.serve(async () => ['Redis does not answer', 'MongoDB does not answer'])
    const port = portOf(readiness)
    expect((await port.get('/healthz')).status).toBe(200)
    const ready = await port.get('/readyz')
    expect(ready.status).toBe(503)
    expect(ready.text).toBe(
      'not ready: Redis does not answer\nnot ready: MongoDB does not answer\n',
    )
  })

  test('it is ready again as soon as nothing is missing', async () => {
    const readiness = createReadiness()
    let missing = ['Redis does not answer']
    readiness.serve(async () => missing)
    const port = portOf(readiness)
    expect((await port.get('/readyz')).status).toBe(503)
    missing = []
    expect(await port.get('/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
  })

  test('it is not ready before the stores are open', async () => {
    const { status, text } = await portOf(createReadiness()).get('/readyz')
    expect(status).toBe(503)
    expect(text).toContain('starting')
  })

  test('a stopping server is not ready, whatever its stores say', async () => {
    const readiness = createReadiness()
    readiness.serve(async () => [])
    readiness.stop()
    const port = portOf(readiness)
    expect(await port.get('/readyz')).toMatchObject({
      status: 503,
      text: 'not ready: the server is stopping\n',
    })
    expect((await port.get('/healthz')).status).toBe(200)
  })

  test('stores that never answer, or throw, leave the probe an answer', async () => {
    const readiness = createReadiness()
    readiness.serve(() => new Promise(() => {}))
    const hanging = await portOf(readiness).get('/readyz')
    expect(hanging).toMatchObject({ status: 503 })
    expect(hanging.text).toContain('not answered in time')
    readiness.serve(async () => {
      throw new Error('mongodb://user:password@host')
    })
    const broken = await portOf(readiness).get('/readyz')
    expect(broken.status).toBe(503)
    expect(broken.text).not.toContain('password')
  })

  test('the figures are served as Prometheus reads them, and nothing is cached', async () => {
    const { headers, text } = await portOf(createReadiness()).get('/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4')
    expect(headers['cache-control']).toBe('no-store')
    expect(text).toBe('up 1\n')
  })

  test('nothing else is there', async () => {
    expect((await portOf(createReadiness()).get('/')).status).toBe(404)
  })
})
