import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DEMO_MEMBERS } from '../../config/demo-members.ts'
import { runWith } from '../cli/command.ts'
import { freePort, startProcess } from '../support/deployment.ts'

const random = (digit: string) => `0123456789abcdef${digit.repeat(48)}`

describe('A store that the demo has written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-demo-store-'))
  const dataDir = join(folder, 'data')
  let secrets: Record<string, string>
  let production: Record<string, string>

  /** One that comes up or says why not, and is gone. */
  const started = async (env: Record<string, string>): Promise<string> => {
    const { until, probe, child, exited } = await startProcess({ entry: 'server.ts', env })
    const said = await until('ready', async () => (await probe('/readyz')).status === 200).then(
      () => 'ready',
      (error: unknown) => String(error),
    )
    child.kill()
    await exited
    return said
  }

  beforeAll(async () => {
    secrets = {
      IDP_COOKIE_KEYS: random('1'),
      IDP_CODE_KEY: random('2'),
      IDP_ENCRYPTION_KEYS: 'test:ZW5jcnlwdGlvbi1rZXktb2YtdGhlLXRlc3QtMDEyMzQ',
      IDP_PAIRWISE_SALT: random('3'),
      IDP_DATA_DIR: dataDir,
      IDP_HOST: '127.0.0.1',
      IDP_PORT: String(await freePort()),
    }
    const societies = join(folder, 'societies.json')
    copyFileSync('config/demo/societies.json', societies)
    production = {
      ...secrets,
      NODE_ENV: 'production',
      IDP_ISSUER: 'https://id.example.jp',
      IDP_TRUSTED_PROXY_HOPS: '1',
      IDP_STORE: 'embedded',
      IDP_SOCIETIES_FILE: societies,
      IDP_SMTP_URL: 'smtps://user:password@mail.example.jp:465',
      IDP_MAIL_FROM: 'no-reply@id.example.jp',
      IDP_STOP_DELAY_SECONDS: '0',
    }
    const demo = {
      ...secrets,
      IDP_PORTAL_PORT: String(await freePort()),
      IDP_MAILBOX_PORT: String(await freePort()),
    }
    expect(await started(demo)).toBe('ready')
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is refused in production, until each of its members is disabled', async () => {
    const said = await started(production)
    expect(said).toContain('(exit 1)')
    for (const { societyId, loginId } of DEMO_MEMBERS) {
      expect(said).toContain(`- ${societyId} ${loginId}`)
      const request = [societyId, loginId, '--operator', 'Tanaka']
      const { code } = await runWith(dataDir, production, 'member', 'disable', ...request)
      expect(code).toBe(0)
    }
    expect(await started(production)).toBe('ready')
  }, 120_000)

  test('is opened by no command that lacks NODE_ENV=production', async () => {
    const { NODE_ENV: _, ...env } = production
    const elsewhere = join(folder, 'elsewhere')
    for (const command of [
      ['member', 'unlock', 'sakura', '12345-704', '--operator', 'Tanaka'],
      ['client', 'list'],
      ['keys', 'list'],
      ['society', 'check'],
      ['store', 'backup', '--to', join(folder, 'a.backup')],
      ['store', 'restore', '--from', join(folder, 'a.backup')],
    ]) {
      const { code, out, err } = await runWith(elsewhere, { ...env, NODE_ENV: '' }, ...command)
      expect([command, code, out, err]).toEqual([
        command,
        1,
        '',
        expect.stringContaining('Set NODE_ENV=production'),
      ])
    }
    expect(existsSync(elsewhere)).toBe(false)
  })
})
