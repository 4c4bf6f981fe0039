import { createHash, createPrivateKey } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import type { Localized } from '../accounts/society.ts'
import { DEFAULT_FEATURES, FEATURES, type Features, isFeature } from '../clients/features.ts'

/** One environment variable: what it takes, and why one would change it. */
export type Option = Readonly<{
  /** Messages end a sentence that starts with the variable's name and never hold its value. */
  schema: z.ZodType<unknown, string>
  /** Can also be read from the file that `<name>_FILE` names. */
  secret?: true
  /** Used where the variable is not set, in either mode. */
  fallback?: string
  /** Used where it is not set, outside production only. */
  development?: string
  /** Production does without it, or needs it with another option only. */
  optional?: true
  /** What happens without it, where there is no fallback. */
  absent?: Localized
  /** Shape or unit of the value. */
  unit: Localized
  why: Localized
  /** Command or value shown in .env.example. */
  example?: string
}>

/** Every secret needs this many characters; the ones made for development are marked by a prefix. */
const SECRET_CHARACTERS = 32
export const DEVELOPMENT_PREFIX = 'development-only-'

const RANDOM_SECRET = '$(openssl rand -hex 32)'

const whole = (minimum: number, maximum: number) => {
  const rule = `must be a whole number from ${minimum} to ${maximum}`
  return z
    .string()
    .regex(/^\d{1,9}$/, { message: rule, abort: true })
    .transform(Number)
    .pipe(z.number().min(minimum, rule).max(maximum, rule))
}

const parsedUrl = (text: string) => (URL.canParse(text) ? new URL(text) : undefined)

const issuer = z
  .string()
  .refine((text) => /^https?:$/.test(parsedUrl(text)?.protocol ?? ''), {
    message: 'must be an http or https URL',
    abort: true,
  })
  .refine((text) => parsedUrl(text)?.origin === text, {
    message: 'must be an origin: lower case, no path, query, trailing slash or default port',
  })

const smtpUrl = z.string().refine(
  (text) => {
    const url = parsedUrl(text)
    return (
      /^smtps?:$/.test(url?.protocol ?? '') &&
      url?.hostname !== '' &&
      ['', '?requireTLS=true'].includes(url?.search ?? '')
    )
  },
  { message: 'must be smtps://user:password@host:port or smtp://…?requireTLS=true' },
)

const MONGO_URL = 'must be mongodb://host:port/database or mongodb+srv://host/database'
const mongoUrl = z
  .string()
  .regex(/^mongodb(\+srv)?:\/\/[^/\s]+\/[A-Za-z0-9_-]+(\?\S*)?$/, MONGO_URL)

const redisUrl = z.string().refine(
  (text) => {
    const url = parsedUrl(text)
    return (
      /^rediss?:$/.test(url?.protocol ?? '') &&
      url?.hostname !== '' &&
      /^(\/\d*)?$/.test(url?.pathname ?? '') &&
      url?.search === ''
    )
  },
  { message: 'must be redis://user:password@host:port or rediss://…' },
)

const NODES = 'must be host:port, comma-separated'
/** An IPv6 address stands in brackets. */
const node = z.string().transform((text, context) => {
  const url = parsedUrl(`redis://${text.trim()}`)
  if (url?.port && url.host === text.trim().toLowerCase()) {
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) }
  }
  context.addIssue({ code: 'custom', message: NODES })
  return z.NEVER
})
const nodes = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(node))

const redisSentinels = z
  .string()
  .regex(/^[\w.-]+@.+$/, 'must be name@host:port,host:port')
  .transform((text) => {
    const [name = '', sentinels = ''] = text.split('@')
    return { name, sentinels }
  })
  .pipe(z.object({ name: z.string(), sentinels: nodes }))

const onOff = z.enum(['on', 'off'], 'must be on or off').transform((value) => value === 'on')

const SUITE = 'must be https://host/test/a/alias, without a slash at the end'
const suiteUrl = z.string().refine((text) => {
  const url = parsedUrl(text)
  return url?.protocol === 'https:' && /^\/test\/a\/[\w-]+$/.test(url.pathname) && url.href === text
}, SUITE)

const isStrong = (secret: string) =>
  secret.length >= SECRET_CHARACTERS && new Set(secret).size >= 10
const STRONG = `must be random and at least ${SECRET_CHARACTERS} characters`

const cookieKeys = z
  .string()
  .transform((text) => text.split(',').map((key) => key.trim()))
  .pipe(z.array(z.string().refine(isStrong, `${STRONG}, each`)))

/** 32 bytes in base64url, or in base64 as openssl writes it. */
const BASE64_32_BYTES = /^[A-Za-z0-9+/_-]{43}=?$/

const encryptionKeys = z
  .string()
  .transform((text) =>
    text.split(',').map((pair) => {
      const [id = '', key = '', ...rest] = pair.trim().split(':')
      return { id, key: rest.length === 0 ? key : '' }
    }),
  )
  .pipe(
    z.array(
      z.object({
        id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be id:key, each'),
        key: z
          .string()
          .refine(
            (key) => BASE64_32_BYTES.test(key) && isStrong(key),
            'must be id:key, each key 32 random bytes in base64url',
          )
          .transform((key) => Buffer.from(key, 'base64url')),
      }),
    ),
  )
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'repeats an id')

const ADMIN_TOKEN = 'must be name:token or name:sha256:hash, each; a token is random'
const adminToken = z.string().transform((text, context) => {
  const [operator = '', ...rest] = text.trim().split(':')
  const token = rest.join(':')
  const [, hashed] = /^sha256:([0-9a-f]{64})$/.exec(token) ?? []
  if (/^[\w.-]{1,64}$/.test(operator) && (hashed !== undefined || isStrong(token))) {
    const hash = hashed ? Buffer.from(hashed, 'hex') : createHash('sha256').update(token).digest()
    return { operator, hash }
  }
  context.addIssue({ code: 'custom', message: ADMIN_TOKEN })
  return z.NEVER
})
const adminTokens = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(adminToken))

const BUILT_ON = [
  ['request-uri', 'request-objects'],
  ['unsigned-request-uri', 'request-uri'],
] as const
const features = z.string().transform((text, context): Features => {
  const entries = text.split(',').map((entry) => entry.trim())
  const unknown = entries.find((entry) => !isFeature(entry.replace(/^-/, '')))
  if (unknown !== undefined) {
    const message = `must be some of ${FEATURES.join(', ')}, each with or without "-" before it`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
  const off = entries.filter((entry) => entry.startsWith('-')).map((entry) => entry.slice(1))
  const on = new Set(
    [...DEFAULT_FEATURES, ...entries.filter(isFeature)].filter((name) => !off.includes(name)),
  )
  const orphan = BUILT_ON.find(([feature, base]) => on.has(feature) && !on.has(base))
  if (orphan) {
    context.addIssue({ code: 'custom', message: `has ${orphan[0]} without ${orphan[1]}` })
    return z.NEVER
  }
  return on
})

const OUTBOUND = 'must be CIDR ranges, host names or host:port, comma-separated'
const outbound = z.string().transform((text, context) => {
  const entries = text.split(',').map((entry) => entry.trim())
  const ranges = entries.filter((entry) => ipaddr.isValidCIDR(entry))
  const hosts = entries.filter((entry) => !ranges.includes(entry))
  if (hosts.every((host) => parsedUrl(`http://${host}/`)?.host === host && !host.includes('*'))) {
    return { ranges, hosts }
  }
  context.addIssue({ code: 'custom', message: OUTBOUND })
  return z.NEVER
})

const jwk = z.looseObject({
  kid: z.string('needs a "kid" in every key').min(1, 'needs a "kid" in every key'),
  kty: z.enum(['RSA', 'EC', 'OKP'], 'must hold RSA, EC or OKP keys'),
  alg: z.string('needs an "alg" in every key'),
})
type Jwk = z.output<typeof jwk>

const isPrivate = (key: Jwk): boolean => {
  try {
    const { asymmetricKeyDetails } = createPrivateKey({ key, format: 'jwk' })
    return key.kty !== 'RSA' || (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
  } catch {
    return false
  }
}

const jwks = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' })
      return z.NEVER
    }
  })
  .pipe(
    z
      .object({ keys: z.array(jwk, 'must be a JWK set: {"keys": [...]}') }, 'must be a JWK set')
      .refine(({ keys }) => keys.every(isPrivate), 'must hold private keys, RSA of 2048 bits or up')
      .refine(
        ({ keys }) => new Set(keys.map((key) => key.kid)).size === keys.length,
        'repeats a "kid"',
      )
      .refine(
        // Every OpenID provider signs with RS256 (OIDC Core section 15.1).
        ({ keys }) => keys.some((key) => key.alg === 'RS256'),
        'must hold an RS256 key',
      ),
  )

/** Every variable that the product reads. .env.example and the README's table are made from it. */
export const OPTIONS = {
  IDP_ISSUER: {
    schema: issuer,
    development: 'http://localhost:3000',
    absent: { en: 'required in production', ja: '本番では必須' },
    unit: { en: 'origin', ja: 'オリジン' },
    why: {
      en: 'The public address; relying parties and passkeys are bound to it, so it never changes later. Outside production on this machine only (localhost).',
      ja: '公開するアドレス。接続先とパスキーがこれに結び付くため、後から変えられません。本番以外では、このマシンの上（localhost）だけです。',
    },
    example: 'https://id.example.jp',
  },
  IDP_HOST: {
    schema: z.string().regex(/^[0-9A-Za-z.:-]+$/, 'must be a host name or IP address'),
    fallback: 'localhost',
    unit: { en: 'host name or IP address', ja: 'ホスト名またはIPアドレス' },
    why: {
      en: 'Listen address; `0.0.0.0` in a container whose port only the TLS front reaches.',
      ja: '待ち受けるアドレス。TLS終端だけが届くコンテナ内では`0.0.0.0`。',
    },
  },
  IDP_PORT: {
    schema: whole(1, 65_535),
    fallback: '3000',
    unit: { en: 'TCP port', ja: 'TCPポート' },
    why: { en: 'Another service uses the port.', ja: 'ほかのサービスがポートを使っているとき。' },
  },
  IDP_MANAGEMENT_HOST: {
    schema: z.string().regex(/^[0-9A-Za-z.:-]+$/, 'must be a host name or IP address'),
    fallback: 'localhost',
    unit: { en: 'host name or IP address', ja: 'ホスト名またはIPアドレス' },
    why: {
      en: 'Where probes and Prometheus come in; never reachable for the public.',
      ja: '監視とPrometheusが届くアドレス。一般からは届かないように。',
    },
  },
  IDP_MANAGEMENT_PORT: {
    schema: whole(1, 65_535),
    fallback: '9000',
    unit: { en: 'TCP port', ja: 'TCPポート' },
    why: {
      en: 'Another service uses the port of `/healthz`, `/readyz` and `/metrics`, or a second instance runs on this machine.',
      ja: 'ほかのサービスや同じマシンの2つ目のインスタンスが、`/healthz`、`/readyz`、`/metrics`のポートを使っているとき。',
    },
  },
  IDP_STOP_DELAY_SECONDS: {
    schema: whole(0, 60),
    development: '0',
    optional: true,
    absent: { en: '`5` in production', ja: '本番では`5`' },
    unit: { en: 'seconds', ja: '秒' },
    why: {
      en: 'How long a server that was told to stop still takes requests while `/readyz` says 503: longer than your balancer needs to notice.',
      ja: '停止の指示の後、`/readyz`が503を返しながら要求を受け続ける時間。ロードバランサーが気付くより長く。',
    },
    example: '5',
  },
  IDP_TRUSTED_PROXY_HOPS: {
    schema: whole(0, 10),
    fallback: '0',
    unit: { en: 'proxies', ja: 'プロキシの数' },
    why: {
      en: 'How many proxies of yours add to X-Forwarded-For: at least 1 in production, for the TLS front.',
      ja: 'X-Forwarded-Forに書き足す自前のプロキシの数。本番ではTLS終端の分で1以上。',
    },
  },
  IDP_STORE: {
    schema: z.enum(['embedded', 'redis+mongo'], 'must be embedded or redis+mongo'),
    development: 'embedded',
    absent: { en: 'required in production', ja: '本番では必須' },
    unit: { en: '`embedded` or `redis+mongo`', ja: '`embedded`か`redis+mongo`' },
    why: {
      en: 'Sessions in Redis and accounts in MongoDB, for as many instances as it takes; or one file on one machine, which production has to say on purpose.',
      ja: 'セッションはRedis、アカウントはMongoDBに置き、何台でも動かせます。1台の中の1ファイルでよければ、本番では明記します。',
    },
    example: 'redis+mongo',
  },
  IDP_MONGO_URL: {
    schema: mongoUrl,
    secret: true,
    optional: true,
    absent: { en: 'required with `redis+mongo`', ja: '`redis+mongo`では必須' },
    unit: {
      en: '`mongodb://…/database` or `mongodb+srv://…/database`',
      ja: '`mongodb://…/データベース`または`mongodb+srv://…/データベース`',
    },
    why: {
      en: 'The replica set that holds the accounts; its options (`replicaSet`, `tls`, `maxPoolSize` …) go into the URL.',
      ja: 'アカウントを置くレプリカセット。接続の設定（`replicaSet`、`tls`、`maxPoolSize`など）はURLに書きます。',
    },
    example:
      'mongodb://user:password@a.example.jp,b.example.jp,c.example.jp/kenpo?replicaSet=rs0&tls=true',
  },
  IDP_REDIS_URL: {
    schema: redisUrl,
    secret: true,
    optional: true,
    absent: { en: 'one of the three with `redis+mongo`', ja: '`redis+mongo`では3つのうち1つ' },
    unit: { en: '`redis://…` or `rediss://…`', ja: '`redis://…`または`rediss://…`' },
    why: {
      en: 'The one Redis server that holds the sessions.',
      ja: 'セッションを置く1台のRedis。',
    },
    example: 'rediss://user:password@redis.example.jp:6379',
  },
  IDP_REDIS_SENTINELS: {
    schema: redisSentinels,
    optional: true,
    absent: { en: 'one of the three with `redis+mongo`', ja: '`redis+mongo`では3つのうち1つ' },
    unit: { en: '`name@host:port,host:port`', ja: '`名前@ホスト:ポート,ホスト:ポート`' },
    why: {
      en: 'The Sentinels of a Redis with replicas, and what they call it.',
      ja: 'レプリカを持つRedisのSentinelと、そこでの名前。',
    },
    example: 'kenpo@a.example.jp:26379,b.example.jp:26379,c.example.jp:26379',
  },
  IDP_REDIS_CLUSTER: {
    schema: nodes,
    optional: true,
    absent: { en: 'one of the three with `redis+mongo`', ja: '`redis+mongo`では3つのうち1つ' },
    unit: { en: '`host:port,host:port`', ja: '`ホスト:ポート,ホスト:ポート`' },
    why: {
      en: 'Some nodes of a Redis Cluster: they name the others.',
      ja: 'Redis Clusterのノードのいくつか。残りはそこから分かります。',
    },
    example: 'a.example.jp:6379,b.example.jp:6379,c.example.jp:6379',
  },
  IDP_REDIS_USERNAME: {
    schema: z.string().regex(/^\S+$/, 'must be an ACL user'),
    optional: true,
    absent: { en: 'the default user', ja: '既定のユーザー' },
    unit: { en: 'ACL user', ja: 'ACLユーザー' },
    why: {
      en: 'The ACL user behind Sentinels or on a Cluster; a URL names its own.',
      ja: 'SentinelやClusterで使うACLユーザー。URLの場合はURLに書きます。',
    },
    example: 'kenpo',
  },
  IDP_REDIS_PASSWORD: {
    schema: z.string().min(1),
    secret: true,
    optional: true,
    absent: { en: 'none', ja: 'なし' },
    unit: { en: 'password', ja: 'パスワード' },
    why: { en: "That user's password.", ja: 'そのユーザーのパスワード。' },
  },
  IDP_REDIS_SENTINEL_PASSWORD: {
    schema: z.string().min(1),
    secret: true,
    optional: true,
    absent: { en: 'none', ja: 'なし' },
    unit: { en: 'password', ja: 'パスワード' },
    why: {
      en: 'Your Sentinels ask for one of their own.',
      ja: 'Sentinel自体がパスワードを求めるとき。',
    },
  },
  IDP_REDIS_TLS: {
    schema: onOff,
    fallback: 'off',
    unit: { en: '`on` or `off`', ja: '`on`か`off`' },
    why: {
      en: 'Speak TLS to Sentinels and a Cluster; with a URL `rediss://` says so. A CA of your own goes into `NODE_EXTRA_CA_CERTS`.',
      ja: 'SentinelやClusterとTLSで話します。URLの場合は`rediss://`。自前の認証局は`NODE_EXTRA_CA_CERTS`に。',
    },
  },
  IDP_MONGO_TIMEOUT_MS: {
    schema: whole(100, 30_000),
    fallback: '2000',
    unit: { en: 'milliseconds', ja: 'ミリ秒' },
    why: {
      en: 'No operation on MongoDB waits longer, its retries included: then the member is asked to try again.',
      ja: 'MongoDBの操作を待つ上限（再試行を含む）。過ぎると会員にやり直しをお願いします。',
    },
  },
  IDP_REDIS_TIMEOUT_MS: {
    schema: whole(50, 10_000),
    fallback: '500',
    unit: { en: 'milliseconds', ja: 'ミリ秒' },
    why: {
      en: 'No command to Redis waits longer: then the member is asked to try again. More for a Redis far away.',
      ja: 'Redisの応答を待つ上限。過ぎると会員にやり直しをお願いします。遠いRedisでは増やします。',
    },
  },
  IDP_REDIS_DURABILITY: {
    schema: z.enum(['required', 'waived'], 'must be required or waived'),
    fallback: 'required',
    unit: { en: '`required` or `waived`', ja: '`required`か`waived`' },
    why: {
      en: 'In production a Redis that may forget used codes (no append-only file, an evicting policy) is refused; `waived` accepts it.',
      ja: '本番では、使用済みのコードを忘れかねないRedis（追記ファイルなし、追い出しあり）を拒みます。`waived`で受け入れます。',
    },
  },
  IDP_DATA_DIR: {
    schema: z.string().min(1),
    fallback: './data',
    unit: { en: 'directory', ja: 'ディレクトリ' },
    why: {
      en: 'Where the embedded store keeps its file: a disk that is backed up.',
      ja: '組み込みストアのファイルの置き場所。バックアップされるディスクに。',
    },
  },
  IDP_SOCIETIES_FILE: {
    schema: z.string().min(1),
    development: 'config/demo/societies.json',
    absent: { en: 'required in production', ja: '本番では必須' },
    unit: { en: 'JSON file', ja: 'JSONファイル' },
    why: {
      en: 'Your societies: names, terms, colours, permitted methods and networks.',
      ja: '組合の名称、規約、色、使える認証方法、ネットワーク。',
    },
    example: '/etc/kenpo-id/societies.json',
  },
  IDP_CLIENTS_FILE: {
    schema: z.string().min(1),
    development: 'config/demo/clients.json',
    optional: true,
    absent: { en: 'none in production', ja: '本番ではなし' },
    unit: { en: 'JSON file', ja: 'JSONファイル' },
    why: {
      en: 'Relying parties kept in a file beside those registered by command; holds their secrets, so readable by this service only. Read again when it changes.',
      ja: '接続するアプリを、コマンドで登録するもののほかにファイルでも管理するとき。秘密を含むため、このサービスだけが読めるように。変更すると読み直されます。',
    },
    example: '/etc/kenpo-id/clients.json',
  },
  IDP_REGISTRATION: {
    schema: onOff,
    fallback: 'off',
    unit: { en: '`on` or `off`', ja: '`on`か`off`' },
    why: {
      en: 'Let software register itself as a relying party (RFC 7591), each with a token that `kenpo-idp client token create` made.',
      ja: '`kenpo-idp client token create`で作ったトークンを持つソフトウェアが、自分で接続を登録できるようにします（RFC 7591）。',
    },
  },
  IDP_FEATURES: {
    schema: features,
    optional: true,
    absent: { en: 'all but three', ja: '3つを除くすべて' },
    unit: {
      en: '`name` (on) or `-name` (off), comma-separated',
      ja: '`名前`（使う）または`-名前`（使わない）、コンマ区切り',
    },
    why: {
      en: 'Parts of the protocol that you need, or do not want to offer: docs/clients.md lists them. What is off answers 404 and is not in discovery.',
      ja: 'プロトコルの機能のうち、要るもの・出したくないもの。一覧はdocs/clients.md。使わないものは404になり、ディスカバリーにも載りません。',
    },
    example: 'insured,-client-credentials',
  },
  IDP_ADMIN_TOKENS: {
    schema: adminTokens,
    secret: true,
    optional: true,
    absent: { en: 'no admin API', ja: '管理APIなし' },
    unit: {
      en: '`name:token` or `name:sha256:hash`, comma-separated',
      ja: '`名前:トークン`または`名前:sha256:ハッシュ`、コンマ区切り',
    },
    why: {
      en: 'Who may register relying parties by the admin API on the management port; the name stands in the audit trail.',
      ja: '管理ポートの管理APIで接続するアプリを登録できる人。名前は監査証跡に残ります。',
    },
    example: `alice:${RANDOM_SECRET}`,
  },
  IDP_OUTBOUND_ALLOWED: {
    schema: outbound,
    optional: true,
    absent: { en: 'public addresses by https only', ja: 'httpsで公開アドレスのみ' },
    unit: {
      en: 'CIDR ranges, host names or host:port, comma-separated',
      ja: 'CIDR、ホスト名、ホスト名:ポート、コンマ区切り',
    },
    why: {
      en: 'Relying parties inside your own network name addresses there (keys, sign-out): they are not called unless listed.',
      ja: '内部ネットワークの接続先が、鍵やログアウトの通知先にその中のアドレスを使うとき。書かない限り呼び出しません。',
    },
    example: '10.20.0.0/16,portal.internal.example.jp',
  },
  IDP_EXTRA_CA_FILE: {
    schema: z.string().min(1),
    optional: true,
    absent: { en: 'the public authorities', ja: '公的な認証局のみ' },
    unit: { en: 'PEM file', ja: 'PEMファイル' },
    why: {
      en: 'Relying parties inside your own network have certificates of your own authority: it is trusted too where they are called.',
      ja: '内部ネットワークの接続先が自前の認証局の証明書を使うとき。接続先を呼び出す際に、その認証局も信頼します。',
    },
    example: '/etc/kenpo-id/internal-ca.pem',
  },
  IDP_COOKIE_KEYS: {
    schema: cookieKeys,
    secret: true,
    absent: {
      en: 'required in production, made and kept otherwise',
      ja: '本番では必須、ほかでは自動作成',
    },
    unit: {
      en: 'comma-separated, newest first, 32+ characters each',
      ja: 'カンマ区切り、新しい順、各32文字以上',
    },
    why: {
      en: 'Sign cookies and forms. To rotate, put a new one in front and drop the old a day later.',
      ja: 'Cookieとフォームの署名。交換は先頭に追加し、1日後に古いものを消します。',
    },
    example: RANDOM_SECRET,
  },
  IDP_CODE_KEY: {
    schema: z
      .string()
      .refine(isStrong, STRONG)
      .transform((text) => Buffer.from(text, 'utf8')),
    secret: true,
    absent: {
      en: 'required in production, made and kept otherwise',
      ja: '本番では必須、ほかでは自動作成',
    },
    unit: { en: '32+ characters', ja: '32文字以上' },
    why: {
      en: 'Derives e-mail codes and mailed links; a new one makes those on their way invalid.',
      ja: '確認コードとメールのリンクの元。変えると送信済みのものが無効になります。',
    },
    example: RANDOM_SECRET,
  },
  IDP_ENCRYPTION_KEYS: {
    schema: encryptionKeys,
    secret: true,
    absent: {
      en: 'required in production, made and kept otherwise',
      ja: '本番では必須、ほかでは自動作成',
    },
    unit: {
      en: 'comma-separated `id:key`, newest first, keys of 32 bytes in base64url',
      ja: '`id:key`のカンマ区切り、新しい順、鍵は32バイトのbase64url',
    },
    why: {
      en: "Encrypt the signing keys and the secrets of apps and relying parties at rest, and guard recovery codes. Put a new one in front and keep the old: whoever's key is gone cannot use their secret.",
      ja: '署名鍵と、認証アプリや接続先の秘密の暗号化、回復コードの保護。交換は先頭に追加し、古いものも残します。消すと、その鍵で守った秘密は使えなくなります。',
    },
    example: '2026-11:$(openssl rand -base64 32)',
  },
  IDP_PAIRWISE_SALT: {
    schema: z.string().refine(isStrong, STRONG),
    secret: true,
    absent: {
      en: 'required in production, made and kept otherwise',
      ja: '本番では必須、ほかでは自動作成',
    },
    unit: { en: '32+ characters', ja: '32文字以上' },
    why: {
      en: "Makes each relying party's `sub`. Never change it: every member would become a stranger.",
      ja: '接続先ごとの`sub`の元。変えると全員が別人になるため、変えません。',
    },
    example: RANDOM_SECRET,
  },
  IDP_JWKS: {
    schema: jwks,
    secret: true,
    optional: true,
    absent: {
      en: 'made at the first start and kept in the store, encrypted',
      ja: '最初の起動で作り、暗号化してストアに保存',
    },
    unit: { en: 'JWK set, private keys, RS256 among them', ja: '秘密鍵のJWK Set（RS256を含む）' },
    why: {
      en: 'Sign ID tokens with keys that you keep yourself, in place of those that `kenpo-idp keys` lists and rotates. One for ES256 too, where clients were made by a preset. `kenpo-idp keys adopt` hands yours over.',
      ja: 'IDトークンの署名に、`kenpo-idp keys`で一覧・交換する鍵ではなく、自分で管理する鍵を使うとき。プリセットで登録したアプリがあればES256の鍵も入れます。`kenpo-idp keys adopt`で引き渡せます。',
    },
  },
  IDP_SMTP_URL: {
    schema: smtpUrl,
    secret: true,
    absent: {
      en: 'required in production, the development mailbox otherwise',
      ja: '本番では必須、ほかでは開発用メールボックス',
    },
    unit: {
      en: '`smtps://…` or `smtp://…?requireTLS=true`',
      ja: '`smtps://…`または`smtp://…?requireTLS=true`',
    },
    why: { en: 'The server that takes your mail.', ja: 'メールを渡すサーバー。' },
    example: 'smtps://user:password@mail.example.jp:465',
  },
  IDP_MAIL_FROM: {
    schema: z.email('must be one bare e-mail address'),
    development: 'no-reply@id.example.jp',
    absent: { en: 'required in production', ja: '本番では必須' },
    unit: { en: 'e-mail address', ja: 'メールアドレス' },
    why: {
      en: 'Where mails come from; members must be able to allow it at their carrier.',
      ja: '差出人。会員が受信許可に登録できる、変わらないものに。',
    },
    example: 'no-reply@id.example.jp',
  },
  IDP_LOG_LEVEL: {
    schema: z.enum(
      ['debug', 'info', 'warn', 'error', 'silent'],
      'must be debug, info, warn, error or silent',
    ),
    fallback: 'info',
    unit: {
      en: '`debug`, `info`, `warn`, `error` or `silent`',
      ja: '`debug`、`info`、`warn`、`error`、`silent`',
    },
    why: { en: 'More lines while looking for a fault.', ja: '不具合を調べる間だけ増やします。' },
  },
  IDP_DEMO: {
    schema: onOff,
    development: 'on',
    optional: true,
    absent: { en: '`off` in production', ja: '本番では`off`' },
    unit: { en: '`on` or `off`', ja: '`on`か`off`' },
    why: {
      en: 'Demo portal, mailbox and fictional members; cannot be on in production.',
      ja: 'デモのポータル、メールボックス、架空の会員。本番では使えません。',
    },
  },
  IDP_PORTAL_PORT: {
    schema: whole(1, 65_535),
    fallback: '3001',
    unit: { en: 'TCP port', ja: 'TCPポート' },
    why: {
      en: 'Another service uses the port of the demo portal.',
      ja: 'ほかのサービスがデモのポータルのポートを使っているとき。',
    },
  },
  IDP_MAILBOX_PORT: {
    schema: whole(1, 65_535),
    fallback: '3002',
    unit: { en: 'TCP port', ja: 'TCPポート' },
    why: {
      en: 'Another service uses the port of the development mailbox.',
      ja: 'ほかのサービスが開発用メールボックスのポートを使っているとき。',
    },
  },
  IDP_CONFORMANCE_ISSUERS: {
    schema: z
      .string()
      .transform((text) => text.split(',').map((one) => one.trim()))
      .pipe(z.array(issuer)),
    optional: true,
    absent: { en: 'this machine only', ja: 'このマシン上のみ' },
    unit: { en: 'origins, comma-separated', ja: 'オリジン、コンマ区切り' },
    why: {
      en: 'Where `kenpo-idp serve --profile conformance` may run: its members and their passwords are public. See docs/conformance.md.',
      ja: '`kenpo-idp serve --profile conformance`を動かしてよいアドレス。会員とパスワードが公開のものになります。docs/conformance.md参照。',
    },
    example: 'https://op.conformance.example.jp',
  },
  IDP_CONFORMANCE_SUITE: {
    schema: suiteUrl,
    fallback: 'https://www.certification.openid.net/test/a/kenpo-id',
    unit: { en: 'URL', ja: 'URL' },
    why: {
      en: 'Where the OpenID Foundation’s suite that asks the conformance profile has its test instances, with the alias at the end.',
      ja: '適合性プロファイルを試すOpenID Foundationのスイートのテストのアドレス。最後はエイリアス。',
    },
  },
} as const satisfies Record<string, Option>

export type OptionName = keyof typeof OPTIONS
/** The value of an option once read. */
export type OptionValue<Name extends OptionName> = z.output<(typeof OPTIONS)[Name]['schema']>

/** The secrets that are made outside production where they are missing. */
export const GENERATED_SECRETS = [
  'IDP_COOKIE_KEYS',
  'IDP_CODE_KEY',
  'IDP_ENCRYPTION_KEYS',
  'IDP_PAIRWISE_SALT',
] as const satisfies readonly OptionName[]
export type GeneratedSecret = (typeof GENERATED_SECRETS)[number]
