import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import { ROOT, sourceText } from '../style/sources.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const UNIT = sourceText('deploy/kenpo-id.service')
const SECRETS: Readonly<Record<string, string>> = {
  'cookie-keys': randomBytes(32).toString('hex'),
  'code-key': randomBytes(32).toString('hex'),
  'encryption-keys': `2026-11:${randomBytes(32).toString('base64url')}`,
  'pairwise-salt': randomBytes(32).toString('hex'),
  'smtp-url': 'smtps://user:password@mail.example.jp:465',
}

describe('deploy/kenpo-idp.sh', () => {
  const at = (...path: readonly string[]) => join(folder, ...path)
  const files = at('var/lib/kenpo-id-files')
  const program = at('bin/kenpo-idp')
  const env = { PATH: `${at('bin')}:${process.env.PATH}`, KENPO_TEST_ROOT: folder }
  const write = (path: string, text: string) => writeFileSync(at(path), text, { mode: 0o755 })
  const idp = (...args: readonly string[]) => spawnSync(program, args, { env, encoding: 'utf8' })

  beforeAll(() => {
    for (const path of ['bin', 'etc/secrets', 'var/lib']) mkdirSync(at(path), { recursive: true })
    for (const [name, secret] of Object.entries(SECRETS))
      write(`etc/secrets/${name}`, `${secret}\n`)
    copyFileSync(join(ROOT, 'config/demo/societies.json'), at('etc/societies.json'))
    write(
      'etc/kenpo-id.env',
      `IDP_ISSUER=https://id.example.jp
IDP_TRUSTED_PROXY_HOPS=1
IDP_STORE=embedded
IDP_SOCIETIES_FILE=${at('etc/societies.json')}
IDP_MAIL_FROM=no-reply@id.example.jp
IDP_LOG_LEVEL=warn
`,
    )
    // A line of "systemctl edit" comes after the unit's, and is the one that counts.
    write('unit', `${UNIT}\n[Service]\nEnvironment=IDP_LOG_LEVEL=error\n`)
    execFileSync('sed', ['-i', `s|/etc/kenpo-id/|${at('etc')}/|`, at('unit')])
    write('bin/systemctl', `#!/bin/sh\n[ "$*" = "cat kenpo-id.service" ] && cat ${at('unit')}\n`)
    const run = join(ROOT, 'test/deploy/systemd-run.js')
    write('bin/systemd-run', `#!/bin/sh\nexec ${process.execPath} ${run} "$@"\n`)
    const script = sourceText('deploy/kenpo-idp.sh')
    write(
      'bin/kenpo-idp',
      script.replace('/usr/bin/node', process.execPath).replace('/opt/kenpo-id', ROOT),
    )
  })

  test('works on the unit’s store with its secrets, wherever it is typed', () => {
    mkdirSync(files)
    const csv = 'ユーザID,生年月日\n12345-801,1985-04-01\n'
    writeFileSync(join(files, 'members.csv'), csv)
    const [operator, lang] = [
      ['--operator', 'Ta$na ka'],
      ['--lang', 'en'],
    ]
    const rest = ['--society', 'sakura', ...operator, ...lang, '--passwords-file', 'passwords.csv']
    const { status, stderr } = idp('member', 'import', 'members.csv', ...rest)
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('problem')])
    expect(existsSync(join(files, 'passwords.csv'))).toBe(true)
    expect(readdirSync(at('var/lib/kenpo-id'))).toContain('kenpo-id.sqlite')
    const shown = idp('member', 'show', 'sakura', '12345-801', ...operator, ...lang)
    expect(shown).toMatchObject({ status: 0, stdout: expect.stringContaining('Ta$na ka') })
  })

  test('has every setting of the unit that a command needs, what was edited last', () => {
    const needed = /^(User|Group|EnvironmentFile|Environment|LoadCredential|StateDirectory)=(.*)$/gm
    const properties = execFileSync('cat', [at('properties')], { encoding: 'utf8' }).split('\n')
    const names = (lines: readonly string[]) =>
      lines.map((line) => /^\w+=(?:\w+(?==)|[\w-]+(?=:)|)/.exec(line)?.[0])
    const taken = names(properties)
    const wanted = names([...UNIT.matchAll(needed)].map(([line]) => line))
    expect(wanted.length).toBeGreaterThan(12)
    expect(wanted.filter((name) => !taken.includes(name))).toEqual([])
    expect(properties).toContain('User=kenpo-id')
    expect(properties.some((line) => /%[a-zA-Z]/.test(line))).toBe(false)
    const edited = properties.indexOf('Environment=IDP_LOG_LEVEL=error')
    expect(edited).toBeGreaterThan(properties.indexOf('Environment=NODE_ENV=production'))
  })

  test('backs up and restores by the scripts, and says how it ended', () => {
    const scripts = { ...env, KENPO_IDP: 'kenpo-idp' }
    execFileSync(join(ROOT, 'deploy/backup.sh'), [files], { env: scripts })
    const [backup = ''] = readdirSync(files).filter((name) => name.endsWith('.backup'))
    const restore = () =>
      spawnSync(join(ROOT, 'deploy/restore.sh'), [join(files, backup)], {
        env: scripts,
        encoding: 'utf8',
      })
    expect(restore().status).toBe(1)
    execFileSync('rm', ['-r', at('var/lib/kenpo-id')])
    expect(restore()).toMatchObject({ status: 0, stdout: expect.stringContaining('members 1') })
    expect(idp('member', 'nothing').status).toBe(2)
  })
})
