import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { watchClientFile } from '../../adapters/client-file.ts'
import { createLog } from '../../adapters/system.ts'
import { ConfigError } from '../../config/index.ts'
import { temporaryFolder } from './embedded/temporary.ts'

test('all that is wrong with a changed clients file is in the log, however much it is', async () => {
  const { folder, remove } = temporaryFolder()
  const path = join(folder, 'clients.json')
  writeFileSync(path, '[]')
  const wrong = Array.from({ length: 45 }, (_, index) => ({
    name: `clients.json: app-${index}: "redirect_uris[0]"`,
    rule: `is http, which is for a developer's own machine (${'x'.repeat(100)})`,
    remedy: 'Register an https address.',
  }))
  const lines: { msg: string; problems: string[]; count: number }[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const reread = () => {
    throw new ConfigError(wrong)
  }
  const file = watchClientFile(
    { path, clients: new Map(), reread },
    createLog({ level: 'info', pretty: false, destination }),
    20,
  )
  try {
    for (let tries = 1; tries < 200 && lines.length < 3; tries += 1) {
      // The first of them may be what the watch begins with.
      if (lines.length === 0) writeFileSync(path, '[]'.padEnd(tries + 2))
      await delay(50)
    }
  } finally {
    file.close()
    remove()
  }
  for (const line of lines) expect(line).toMatchObject({ msg: 'clients_file_refused', count: 0 })
  expect(lines.slice(0, 3).flatMap(({ problems }) => problems)).toEqual(
    wrong.map(({ name, rule, remedy }) => `${name} ${rule}. ${remedy}`),
  )
})
