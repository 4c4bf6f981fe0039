import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ACR_LADDER, assuranceOf, type Proof } from '../../accounts/assurance.ts'
import {
  DuplicateLoginIdError,
  ForgedRequestError,
  OverloadedError,
  StaleInteractionError,
  StaleMemberError,
} from '../../accounts/errors.ts'
import { CHOSEN_FACTORS, UNDO_SECONDS } from '../../accounts/member.ts'
import {
  DESK_PASS_MINUTES,
  ENROLMENT_WINDOW_SECONDS,
  INTERACTION_SECONDS,
  REGISTRATION_WINDOW_SECONDS,
  SESSION_IDLE_SECONDS,
  SESSION_SECONDS,
} from '../../accounts/policy.ts'
import { AUDIT_ACTS, MAIL_TEMPLATES } from '../../accounts/ports.ts'
import { DEVICE_SECONDS, FRESH_PROOF_SECONDS, HISTORY_SECONDS } from '../../accounts/sign-ins.ts'
import { LIMITS } from '../../accounts/throttle.ts'
import { openDatabase } from '../../adapters/embedded/database.ts'
import { createMemberStore } from '../../adapters/embedded/members.ts'
import { createMetrics } from '../../adapters/metrics.ts'
import { DEMO_MEMBERS } from '../../config/demo-members.ts'
import { withConfigTable } from '../../config/docs.ts'
import { loadConfig } from '../../config/index.ts'
import { CODE_SECONDS, LINK_SECONDS } from '../../factors/email-code.ts'
import { PASSKEY_SECONDS } from '../../factors/passkey.ts'
import { UnreadableSecretError } from '../../factors/seal.ts'
import { ACCESS_TOKEN_SECONDS, ttl } from '../../provider/ttl.ts'
import { catalogue, FAULT_REASONS } from '../../views/messages/index.ts'
import { ROOT, sourceFiles, sourceText } from '../style/sources.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { A_PASSWORD, anEnrolledMember } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { codeIn } from '../support/smtp-sink.ts'

const README = { en: sourceText('README.md'), ja: sourceText('README.ja.md') } as const
const LOCALES = ['en', 'ja'] as const

const EXAMPLES = [
  'client',
  'app',
  'encryptionKeys',
  'societies',
  'backup',
  'pass',
  'audit',
] as const

/** The code block under `<!-- example:name -->`. */
const example = (name: (typeof EXAMPLES)[number], locale: keyof typeof README = 'en'): string => {
  const block = new RegExp(`<!-- example:${name} -->\n\`\`\`\\w+\n(.*?)\n\`\`\``, 's')
  const code = block.exec(README[locale])?.[1]
  if (code === undefined) throw new Error(`the ${locale} README has no example "${name}"`)
  return code
}

/** The document without its code blocks. */
const prose = (text: string): string => text.replace(/^```.*?^```$/gms, '')

const headings = (text: string): readonly string[] => prose(text).match(/^#{1,6} .+$/gm) ?? []

type Table = readonly (readonly string[])[]
/** Every table, its head first and its rule left out. */
const tables = (text: string): readonly Table[] =>
  (prose(text).match(/(?:^\|.*\|\n?)+/gm) ?? []).map((table) =>
    table
      .trim()
      .split('\n')
      .filter((line) => !/^[|\s-]+$/.test(line))
      .map((line) =>
        line
          .slice(1, -1)
          .split(' | ')
          .map((cell) => cell.trim()),
      ),
  )

/** The rows of the table that has this cell in its first column. */
const rowsWith = (text: string, cell: string): Table => {
  const found = tables(text).find((table) => table.some(([first]) => first === cell))
  if (!found) throw new Error(`the document has no table with "${cell}"`)
  return found.slice(1)
}
const tableWith = (locale: keyof typeof README, cell: string): Table =>
  rowsWith(README[locale], cell)

/** What stands as code in the first column, row after row. */
const codesOf = (rows: Table): readonly string[] =>
  rows.flatMap(([first = '']) => [...first.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code))

const DAY = 86_400
/** The largest unit in which it is whole; a day only where there are several. */
const duration = (seconds: number, locale: keyof typeof README): string => {
  const units = [
    [DAY, ' days', '日'],
    [3600, ' h', '時間'],
    [60, ' min', '分'],
  ] as const
  const [size, en, ja] =
    units.find(([unit]) => seconds % unit === 0 && seconds > (unit === DAY ? DAY : 0)) ?? units[2]
  return `${seconds / size}${locale === 'ja' ? ja : en}`
}

describe.each(LOCALES)('README (%s): what it says of the code is so', (locale) => {
  test('the configuration table is the one that npm run docs writes', () => {
    expect(withConfigTable(README[locale], locale)).toBe(README[locale])
  })

  test('the table of acr values is the ladder, with the amr that goes with each', () => {
    const proofs: readonly (readonly Proof[])[] = [
      [{ factor: 'password', at: 0 }],
      [
        { factor: 'password', at: 0 },
        { factor: 'emailCode', at: 0 },
      ],
      [
        { factor: 'password', at: 0 },
        { factor: 'totp', at: 0 },
      ],
      [
        { factor: 'password', at: 0 },
        { factor: 'recoveryCode', at: 0 },
      ],
      [{ factor: 'passkey', at: 0, synced: false }],
      [{ factor: 'passkey', at: 0, synced: true }],
      [
        { factor: 'password', at: 0 },
        { factor: 'passkey', at: 0, synced: true },
      ],
    ]
    const rows = tableWith(locale, `\`${ACR_LADDER[0]}\``)
    const told = rows.map(([acr = '', amr = '']) => ({
      acr: acr.replaceAll('`', ''),
      amr: (amr.match(/`\w+`/g) ?? []).map((value) => value.slice(1, -1)),
    }))
    expect([...new Set(told.map(({ acr }) => acr))]).toEqual([...ACR_LADDER])
    expect(told).toEqual(proofs.map(assuranceOf))
  })

  test('the tables of methods, mails and audited acts leave nothing out', () => {
    expect(codesOf(tableWith(locale, '`passkey`'))).toEqual([...CHOSEN_FACTORS, 'recoveryCode'])
    expect(codesOf(tableWith(locale, '`confirmAddress`'))).toEqual([...MAIL_TEMPLATES])
    expect(codesOf(tableWith(locale, '`deskPassIssued`'))).toEqual([...AUDIT_ACTS])
  })

  test('every log line that it explains is written somewhere', () => {
    const code = sourceFiles('.ts')
      .filter((path) => !path.startsWith('test/'))
      .map(sourceText)
      .join('\n')
    const told = codesOf(tableWith(locale, '`request`'))
    expect(told).toContain('sign-in refused')
    expect(told.filter((line) => !code.includes(`'${line}'`))).toEqual([])
  })

  test('the table of limits is the product’s', () => {
    const rest = locale === 'ja' ? '残りの時間' : 'rest of the time'
    const told = tableWith(locale, '`password`').map(([id, , ...figures]) => [id, ...figures])
    const real = Object.entries(LIMITS).map(([id, { points, seconds, pauseSeconds }]) => [
      `\`${id}\``,
      String(points),
      duration(seconds, locale),
      pauseSeconds === 0 ? rest : duration(pauseSeconds, locale),
    ])
    expect(told).toEqual(real)
  })

  test('the table of figures is the product’s', () => {
    const { registry } = createMetrics(() => ({ running: 0, waiting: 0 }))
    const own = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('idp_'))
    // The queue is counted once there is a store.
    const names = [...own.map(({ name }) => name), 'idp_mail_queue_depth']
    const told = tableWith(locale, '`idp_login_total`')
    expect(codesOf(told).toSorted()).toEqual(names.toSorted())
  })

  test('the table of lifetimes is the product’s', () => {
    const lives = ttl(() => 0)
    const seconds = [
      SESSION_IDLE_SECONDS,
      SESSION_SECONDS,
      INTERACTION_SECONDS,
      CODE_SECONDS,
      PASSKEY_SECONDS,
      DESK_PASS_MINUTES * 60,
      FRESH_PROOF_SECONDS,
      LINK_SECONDS,
      UNDO_SECONDS,
      ENROLMENT_WINDOW_SECONDS,
      REGISTRATION_WINDOW_SECONDS,
      Number(lives.AuthorizationCode),
      ACCESS_TOKEN_SECONDS,
      HISTORY_SECONDS,
      DEVICE_SECONDS,
    ]
    expect(lives.IdToken).toBe(ACCESS_TOKEN_SECONDS)
    const first = locale === 'ja' ? '使われていないセッション' : 'session, unused'
    expect(tableWith(locale, first).map(([, life]) => life)).toEqual(
      seconds.map((each) => duration(each, locale)),
    )
  })

  test('the demo members are those of the demo', () => {
    const rows = tableWith(locale, '`12345-678`')
    const told = rows.map((row) => row.slice(0, 3).map((cell) => cell.replaceAll('`', '')))
    const real = DEMO_MEMBERS.map(({ loginId, password, birthdate }) => [
      loginId,
      password,
      birthdate,
    ])
    expect(told.length).toBeGreaterThan(2)
    for (const row of told) expect(real).toContainEqual(row)
  })

  test('every npm script that it names exists', () => {
    const { scripts } = JSON.parse(sourceText('package.json')) as {
      scripts: Readonly<Record<string, string>>
    }
    const named = [...README[locale].matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? '')
    expect(named).toContain('check')
    expect(named.filter((name) => !(name in scripts))).toEqual([])
    expect(scripts.start).toContain('node --enable-source-maps --disable-warning=DEP0040 dist')
  })
})

describe('README: English and Japanese say the same', () => {
  test('they have the same headings, level by level', () => {
    const [en, ja] = LOCALES.map((locale) =>
      headings(README[locale]).map((line) => line.replace(/ .*/, '')),
    )
    expect(ja).toEqual(en)
  })

  test('their tables have the same rows, named alike where the name is code', () => {
    const shape = (text: string) =>
      tables(text).map((table) =>
        table.map((row) => ({
          columns: row.length,
          codes: row[0]?.match(/`[^`]+`/g) ?? [],
        })),
      )
    expect(shape(README.ja)).toEqual(shape(README.en))
  })

  test('their lists have the same number of points, their examples the same text', () => {
    const points = (text: string) => (prose(text).match(/^(?:\d+\.|-) /gm) ?? []).length
    expect(points(README.ja)).toBe(points(README.en))
    for (const name of EXAMPLES) expect(example(name, 'ja')).toBe(example(name))
  })
})

describe('The documents as a whole', () => {
  /** GitHub's own name for a heading. */
  const anchor = (heading: string) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')

  test('every relative link leads to a file, and to a heading of it where it names one', () => {
    const links = sourceFiles('.md').flatMap((path) =>
      [...prose(sourceText(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => ({
        path,
        to,
      })),
    )
    expect(links.length).toBeGreaterThan(20)
    const broken = links
      .filter(({ to }) => !/^[a-z]+:/.test(to))
      .filter(({ path, to }) => {
        const [file = '', heading] = to.split('#')
        const target = file === '' ? path : join(dirname(path), file)
        if (!existsSync(join(ROOT, target))) return true
        return heading !== undefined && !headings(sourceText(target)).map(anchor).includes(heading)
      })
    expect(broken).toEqual([])
  })

  test('every code that our pages can answer with is explained', () => {
    const codes = [
      new StaleMemberError(''),
      new StaleInteractionError(''),
      new ForgedRequestError(''),
      new OverloadedError(''),
      new UnreadableSecretError(''),
    ].map(({ code, status }) => `\`${code}\` | ${status}`)
    const text = sourceText('docs/errors.md')
    expect(codes.filter((code) => !text.includes(code))).toEqual([])
    // The store's word to whoever adds members: no page says it.
    expect(text).not.toContain(new DuplicateLoginIdError('').code)
  })

  test('every reason to stop, and everything said of a method, is explained', () => {
    const text = sourceText('docs/errors.md')
    const stops = codesOf(rowsWith(text, '`blocked`'))
    expect(stops.toSorted()).toEqual(
      [...Object.keys(catalogue('en').stopped.reasons), 'networkForbids'].toSorted(),
    )
    const ofMethods = Object.keys(FAULT_REASONS).filter((reason) =>
      /^(?:pk|totp|recovery|pass|method)\./.test(reason),
    )
    expect(codesOf(rowsWith(text, '`pk.cancel`')).toSorted()).toEqual(ofMethods.toSorted())
  })
})

/** A folder in which the examples find this repository's packages. */
const aFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-readme-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir')
  return folder
}

const replaced = (text: string, from: string, to: string): string => {
  if (!text.includes(from)) throw new Error(`the example does not mention ${from}`)
  return text.replaceAll(from, to)
}

describe('README: its examples work', () => {
  test('production starts from the checklist: key command, societies and clients', () => {
    const folder = aFolder()
    const encryptionKeys = execFileSync('sh', ['-c', example('encryptionKeys')], {
      cwd: folder,
      encoding: 'utf8',
    }).trim()
    rmSync(folder, { recursive: true })
    const files: Readonly<Record<string, string>> = {
      'societies.json': example('societies'),
      'clients.json': replaced(
        `[${example('client')}]`,
        'http://localhost:4000',
        'https://app.example.jp',
      ),
    }
    const random = (digit: string) => `0123456789abcdef${digit.repeat(48)}`
    const config = loadConfig(
      {
        NODE_ENV: 'production',
        IDP_ISSUER: 'https://id.example.jp',
        IDP_TRUSTED_PROXY_HOPS: '1',
        IDP_STORE: 'embedded',
        IDP_SOCIETIES_FILE: 'societies.json',
        IDP_CLIENTS_FILE: 'clients.json',
        IDP_COOKIE_KEYS: random('1'),
        IDP_CODE_KEY: random('2'),
        IDP_ENCRYPTION_KEYS: encryptionKeys,
        IDP_PAIRWISE_SALT: random('3'),
        IDP_SMTP_URL: 'smtps://user:password@mail.example.jp:465',
        IDP_MAIL_FROM: 'no-reply@id.example.jp',
      },
      (path) => files[path] ?? '',
    )
    expect(config.encryptionKeys.map(({ key }) => key.length)).toEqual([32])
    expect(config.clientFile.clients.get('my-app')?.client.policy.society).toBe('sakura')
    expect(config.societies.get('sakura')?.factors).toEqual([...CHOSEN_FACTORS])
  })

  test('the client entry is accepted on a developer’s machine as it stands', () => {
    const files: Readonly<Record<string, string>> = {
      'clients.json': `[${example('client')}]`,
      'societies.json': example('societies'),
    }
    const config = loadConfig(
      { IDP_CLIENTS_FILE: 'clients.json', IDP_SOCIETIES_FILE: 'societies.json' },
      (path) => files[path] ?? '',
    )
    expect([...config.clientFile.clients.keys()]).toEqual(['my-app'])
  })
})

/** A port that nobody listens on just now. */
const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo // TCP, so no path
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

describe('README: the app and the backup, against a running provider', () => {
  let idp: Idp
  let app: ChildProcess
  let home: string
  let folder: string
  let said = ''
  const secret = String(JSON.parse(example('client')).client_secret)

  beforeAll(async () => {
    home = `http://localhost:${await freePort()}`
    const entry = JSON.parse(replaced(example('client'), 'http://localhost:4000', home))
    idp = await startIdp({ clients: [entry] })
    await idp.addMember(anEnrolledMember(), A_PASSWORD)

    folder = aFolder()
    const code = replaced(example('app'), 'http://localhost:4000', home)
    writeFileSync(join(folder, 'app.mjs'), replaced(code, 'http://localhost:3000', idp.issuer))
    app = spawn(process.execPath, ['app.mjs'], {
      cwd: folder,
      env: { ...process.env, CLIENT_SECRET: secret },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    app.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8')
    })
    for (let tries = 0; tries < 500; tries += 1) {
      if (app.exitCode !== null) throw new Error(`the app of the README ended: ${said}`)
      const answers = await fetch(home).then(
        () => true,
        () => false,
      )
      if (answers) return
      await delay(20)
    }
    throw new Error(`the app of the README does not answer: ${said}`)
  })

  afterAll(async () => {
    app?.kill('SIGKILL')
    await idp?.close()
    if (folder) rmSync(folder, { recursive: true })
  })

  const signIn = async (visitor: Visitor): Promise<void> => {
    const before = idp.mails.mails.length
    await visitor.visit(home)
    await visitor.follow('Sign in')
    await visitor.submit('password', { username: '12345-678', password: A_PASSWORD })
    const mail = await idp.mails.waitFor((one) => idp.mails.mails.indexOf(one) >= before)
    await visitor.submit('verifyFactor', { code: codeIn(mail) })
  }

  test('the app passes TypeScript’s strict checks', () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/typescript/bin/tsc'),
        ...['--ignoreConfig', '--noEmit', '--allowJs', '--checkJs', '--strict', '--skipLibCheck'],
        ...['--module', 'nodenext', '--target', 'es2023', '--types', 'node', 'app.mjs'],
      ],
      { cwd: folder, encoding: 'utf8' },
    )
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
  })

  test('a member signs in to the app, which learns who and how, and signs out everywhere', async () => {
    const visitor = aVisitor()
    await signIn(visitor)
    expect(visitor.page.url.href).toBe(`${home}/`)
    expect(said).toBe('')
    const claims = JSON.parse((await visitor.visit(`${home}/claims`)).body)
    expect(claims).toMatchObject({
      iss: idp.issuer,
      aud: 'my-app',
      acr: 'urn:kenpo-id:acr:email',
      amr: ['pwd', 'otp', 'mca'],
      email: 'hanako@example.com',
    })
    expect(claims.auth_time).toBe(idp.clock.now())

    await visitor.visit(home)
    await visitor.submit('Sign out')
    expect(visitor.page.heading).toBe('ログアウトしますか')
    await visitor.submit('ログアウトする')
    expect(visitor.page.url.href).toBe(`${home}/`)
    expect((await visitor.visit(`${home}/claims`)).status).toBe(404)
    await visitor.visit(home)
    expect((await visitor.follow('Sign in')).heading).toBe('ログイン')
  })

  test('a member who turns back is at the app again, not signed in', async () => {
    const visitor = aVisitor()
    await visitor.visit(home)
    await visitor.follow('Sign in')
    const page = await visitor.submit('abort')
    expect(page.hops.map(({ url }) => url).join(' ')).toContain('error=access_denied')
    expect(page.url.href).toBe(`${home}/`)
    expect((await visitor.visit(`${home}/claims`)).status).toBe(404)
  })

  test('an answer that was not asked for signs nobody in', async () => {
    const visitor = aVisitor()
    await visitor.visit(home)
    await visitor.follow('Sign in')
    const forged = `${home}/callback?code=x&state=y&iss=${encodeURIComponent(idp.issuer)}`
    expect((await visitor.visit(forged)).status).toBe(502)
    expect((await aVisitor().visit(forged)).url.href).toBe(`${home}/`)
    expect((await visitor.visit(`${home}/claims`)).status).toBe(404)
  })

  /** Our command as this checkout has it. */
  const asTyped = (command: string): string =>
    replaced(command, 'npx kenpo-idp', `node ${join(ROOT, 'bin/kenpo-idp.js')}`)

  test('the desk’s command issues a pass, which the audit trail tells of', () => {
    const command = asTyped(replaced(example('pass'), '12345-704', '12345-678'))
    const shown = execFileSync('sh', ['-c', command], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_ENV: 'test', IDP_DATA_DIR: idp.dataDir },
    })
    const [pass = ''] = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec(shown) ?? []
    expect(pass).not.toBe('')

    const data = `${idp.dataDir}/kenpo-id.sqlite`
    const listing = replaced(example('audit'), 'data/kenpo-id.sqlite', data)
    const trail = execFileSync('sh', ['-c', listing], { cwd: folder, encoding: 'utf8' })
    const [event] = trail.trim().split('\n')
    expect(JSON.parse(event ?? '')).toMatchObject({
      act: 'deskPassIssued',
      societyId: 'sakura',
      operator: 'Tanaka',
      facts: { minutes: '30' },
    })
    expect(trail).not.toContain(pass)
  })

  test('the addresses it gives for the account page lead there', async () => {
    const wellKnown = await fetch(`${idp.issuer}/.well-known/passkey-endpoints`)
    const { manage } = (await wellKnown.json()) as { manage: string }
    expect(manage).toBe(`${idp.issuer}/account`)
    const own = await fetch(`${manage}/sakura`, { redirect: 'manual' })
    expect(own.headers.get('location')).toContain('client_id=account-sakura')
    const origins = await fetch(`${idp.issuer}/.well-known/webauthn`)
    expect(await origins.json()).toEqual({ origins: [idp.issuer] })
    for (const path of ['/account/<society>', '/.well-known/webauthn']) {
      expect(README.en).toContain(path)
    }
  })

  test('the backup of a running server holds its members', async () => {
    execFileSync('sh', ['-c', asTyped(example('backup'))], {
      cwd: folder,
      env: { ...process.env, NODE_ENV: 'test', IDP_DATA_DIR: idp.dataDir },
    })
    const backup = join(folder, 'kenpo-id.backup')
    expect(statSync(backup).mode & 0o077).toBe(0)
    const copy = openDatabase(backup)
    try {
      const member = await createMemberStore(copy).findByLoginId('sakura', '12345-678')
      expect(member?.email?.address).toBe('hanako@example.com')
    } finally {
      copy.close()
    }
  })
})
