import { expect, test } from '@jest/globals'
import { createLog } from '../../adapters/system.ts'
import { loadLater } from '../../runtime/later.ts'

test('what cannot be loaded after a start is told in the log, and the rest is loaded', async () => {
  const lines: string[] = []
  const log = createLog({
    level: 'info',
    pretty: false,
    destination: { write: (line) => lines.push(line) },
  })
  const loaded: string[] = []
  const absent = 'kenpo-id-module-that-is-not-there'
  await loadLater(
    [async () => loaded.push('first'), () => import(absent), async () => loaded.push('last')],
    log,
  )
  expect(loaded).toEqual(['first', 'last'])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('"not_loaded"')
  expect(lines[0]).toContain(absent)
})
