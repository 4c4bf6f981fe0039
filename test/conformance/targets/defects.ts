import { createHash } from 'node:crypto'
import { importJWK, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { payloadOf } from '../flows.ts'

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>

/** One rule broken on purpose, and the module that must notice. */
export type Defect = Readonly<{
  id: string
  /** What an integrator would see. */
  what: string
  module: string
  /** The condition that is not met, in English. */
  rule: string
  /** FAILED where not said. */
  result?: 'WARNING'
  configuration?: Partial<Configuration>
  change?: (provider: Provider) => void
  middleware?: (of: Readonly<{ issuer: string; key: JWK }>) => Middleware
  isWithoutPageHeaders?: true
}>

type Fields = Record<string, unknown>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** Changes the JSON that an endpoint answers with. */
const answers =
  (path: string, change: (body: Fields, ctx: KoaContextWithOIDC) => void | Promise<void>) =>
  (): Middleware =>
  async (ctx, next) => {
    await next()
    if (ctx.path === path && isObject(ctx.body)) await change(ctx.body, ctx)
  }

/** Changes the parameters of authorization requests before the engine sees them. */
const asks = (change: (params: URLSearchParams) => void) => (): Middleware => async (ctx, next) => {
  if (ctx.path === '/auth') {
    const params = new URLSearchParams(ctx.querystring)
    change(params)
    ctx.querystring = params.toString()
  }
  await next()
}

const locationOf = (ctx: KoaContextWithOIDC): string => String(ctx.response.headers.location ?? '')

/** Changes where an answer sends the browser. */
const sendsTo = (change: (target: URL) => void) => (): Middleware => async (ctx, next) => {
  await next()
  const location = locationOf(ctx)
  if (!location.startsWith('https://rp.')) return
  const target = new URL(location)
  change(target)
  ctx.set('location', target.href)
}

/** Signs the ID token anew, with other claims. */
const claims =
  (change: (payload: Fields) => void, sign?: (payload: JWTPayload) => string) =>
  ({ key }: Readonly<{ key: JWK }>): Middleware =>
  async (ctx, next) => {
    await next()
    if (ctx.path !== '/token' || !isObject(ctx.body)) return
    if (typeof ctx.body.id_token !== 'string') return
    const payload: Fields = { ...payloadOf(ctx.body.id_token) }
    change(payload)
    ctx.body.id_token = sign
      ? sign(payload)
      : await new SignJWT(payload)
          .setProtectedHeader({ alg: 'RS256', kid: String(key.kid) })
          .sign(await importJWK(key, 'RS256'))
  }

const bodyOf = async (ctx: KoaContextWithOIDC): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer) // a request in binary
  return Buffer.concat(chunks).toString('utf8')
}

/** Hands the engine a body that was read before it. */
const giveBody = (ctx: KoaContextWithOIDC, body: unknown): void => {
  Object.assign(ctx.req, { body })
}

/** Changes the form of a token request before the engine sees it. */
const tokenForm = async (
  ctx: KoaContextWithOIDC,
  change: (form: URLSearchParams) => void | Promise<void>,
): Promise<void> => {
  const form = new URLSearchParams(await bodyOf(ctx))
  await change(form)
  giveBody(ctx, Object.fromEntries(form))
}

/** Changes the metadata that a client registers with. */
const registers = (change: (metadata: Fields) => void) => (): Middleware => async (ctx, next) => {
  if (ctx.path === '/reg' && ctx.method === 'POST') {
    const metadata: unknown = JSON.parse(await bodyOf(ctx))
    if (isObject(metadata)) change(metadata)
    giveBody(ctx, metadata)
  }
  await next()
}

const codeIn = (ctx: KoaContextWithOIDC): string | undefined => {
  const location = locationOf(ctx)
  return URL.canParse(location)
    ? (new URL(location).searchParams.get('code') ?? undefined)
    : undefined
}

const pages =
  (change: (ctx: KoaContextWithOIDC) => void) => (): Middleware => async (ctx, next) => {
    await next()
    change(ctx)
  }

/** One at a time in a provider that keeps all the rules otherwise. */
export const DEFECTS: readonly Defect[] = [
  {
    id: 'issuer-slash',
    what: 'the issuer in the configuration has a slash more',
    module: 'disc-issuer',
    rule: 'it is the same, character by character',
    middleware: answers('/.well-known/openid-configuration', (body) => {
      body.issuer = `${String(body.issuer)}/`
    }),
  },
  {
    id: 'member-missing',
    what: 'subject_types_supported is missing',
    module: 'disc-required',
    rule: 'subject_types_supported is a list',
    middleware: answers('/.well-known/openid-configuration', (body) => {
      delete body.subject_types_supported
    }),
  },
  {
    id: 'no-rs256',
    what: 'RS256 is not offered',
    module: 'disc-rs256',
    rule: 'RS256 is listed',
    middleware: answers('/.well-known/openid-configuration', (body) => {
      body.id_token_signing_alg_values_supported = ['ES256']
    }),
  },
  {
    id: 'none-offered',
    what: '"none" is offered for ID tokens',
    module: 'disc-no-none',
    rule: 'id_token_signing_alg_values_supported is without "none"',
    result: 'WARNING',
    middleware: answers('/.well-known/openid-configuration', (body) => {
      body.id_token_signing_alg_values_supported = ['RS256', 'none']
    }),
  },
  {
    id: 'private-key',
    what: 'the JWK set shows a private key',
    module: 'disc-jwks',
    rule: 'no private part is published',
    middleware: answers('/jwks', (body) => {
      body.keys = [body.keys].flat().map((key) => ({ ...(isObject(key) && key), d: 'AQAB' }))
    }),
  },
  {
    id: 'wrong-iss',
    what: 'the ID token names another issuer',
    module: 'code-idtoken',
    rule: 'iss is exactly the issuer',
    middleware: claims((payload) => {
      payload.iss = 'https://other.example'
    }),
  },
  {
    id: 'wrong-aud',
    what: 'the ID token is for another client',
    module: 'code-basic',
    rule: 'aud is the client',
    middleware: claims((payload) => {
      payload.aud = 'another'
    }),
  },
  {
    id: 'no-nonce',
    what: 'the nonce is left out',
    module: 'code-idtoken',
    rule: 'the nonce is the one sent',
    middleware: claims((payload) => {
      delete payload.nonce
    }),
  },
  {
    id: 'expired',
    what: 'the ID token has expired when it is issued',
    module: 'code-idtoken',
    rule: 'exp has not passed',
    middleware: claims((payload) => {
      payload.exp = Number(payload.iat) - 3600
    }),
  },
  {
    id: 'wrong-at-hash',
    what: 'at_hash is of another token',
    module: 'code-idtoken',
    rule: 'at_hash is of this access token',
    middleware: claims((payload) => {
      payload.at_hash = createHash('sha256').update('x').digest('base64url').slice(0, 22)
    }),
  },
  {
    id: 'alg-none',
    what: 'ID tokens are not signed',
    module: 'code-kid',
    rule: 'its kid names a key',
    middleware: claims(
      () => undefined,
      (payload) => new UnsecuredJWT(payload).encode(),
    ),
  },
  {
    id: 'bad-signature',
    what: 'the signature is of something else',
    module: 'code-post',
    rule: 'its signature verifies with a key of the JWK set',
    middleware: answers('/token', (body) => {
      const [header, , signature] = String(body.id_token).split('.')
      const payload = { ...payloadOf(String(body.id_token)), admin: true }
      const changed = Buffer.from(JSON.stringify(payload)).toString('base64url')
      body.id_token = `${header}.${changed}.${signature}`
    }),
  },
  {
    id: 'no-state',
    what: 'the state is not returned',
    module: 'code-state',
    rule: 'every printable character is as it was',
    middleware: sendsTo((target) => target.searchParams.delete('state')),
  },
  {
    id: 'wrong-iss-parameter',
    what: 'the response names another issuer',
    module: 'code-iss-param',
    rule: 'iss is exactly the issuer',
    middleware: sendsTo((target) => target.searchParams.set('iss', 'https://other.example')),
  },
  {
    id: 'form-post-as-query',
    what: 'form_post is answered in the address',
    module: 'code-form-post',
    rule: 'by POST',
    middleware: asks((params) => params.delete('response_mode')),
  },
  {
    id: 'duplicates-taken',
    what: 'of a parameter sent twice the first is taken',
    module: 'code-dup-param',
    rule: 'the error is invalid_request',
    middleware: asks((params) => {
      for (const name of new Set(params.keys())) params.set(name, params.get(name) ?? '')
    }),
  },
  {
    id: 'redirect-prefix',
    what: 'a redirect URI need only begin like the registered one',
    module: 'code-redirect-variants',
    rule: 'a query added: the browser is not sent to the address',
    change: (provider) => {
      provider.Client.prototype.redirectUriAllowed = function allowed(uri: string) {
        return this.redirectUris?.some((known) => uri.startsWith(known)) ?? false
      }
    },
  },
  {
    id: 'error-redirect',
    what: 'errors are sent to whatever redirect_uri the request names',
    module: 'code-redirect-unregistered',
    rule: 'the browser is not sent to the address',
    middleware: pages((ctx) => {
      const asked = ctx.query.redirect_uri
      if (ctx.path !== '/auth' || ctx.status !== 400 || typeof asked !== 'string') return
      ctx.redirect(`${asked}?error=invalid_request`)
    }),
  },
  {
    id: 'code-reuse',
    what: 'a code works again and again',
    module: 'code-reuse',
    rule: 'the token endpoint refuses: invalid_grant',
    middleware: () => {
      const given = new Map<string, unknown>()
      return async (ctx, next) => {
        if (ctx.path !== '/token') return next()
        let code = ''
        await tokenForm(ctx, (form) => {
          code = form.get('code') ?? ''
        })
        const before = given.get(code)
        if (before !== undefined) {
          ctx.body = before
          return
        }
        await next()
        if (ctx.status === 200) given.set(code, ctx.body)
      }
    },
  },
  {
    id: 'code-forever',
    what: 'a code lives for an hour',
    module: 'code-expired',
    rule: 'it is refused after 2 s',
    result: 'WARNING',
    configuration: { ttl: { AuthorizationCode: 3600 } },
  },
  {
    id: 'code-of-anybody',
    what: 'a code works for any client',
    module: 'code-other-client',
    rule: 'the token endpoint refuses: invalid_grant',
    middleware: () => {
      const owners = new Map<string, string>()
      return async (ctx, next) => {
        if (ctx.path === '/token') {
          await tokenForm(ctx, (form) => {
            const owner = owners.get(form.get('code') ?? '')
            const secret = `a-secret-of-${owner}-0123456789abcdef`
            const basic = Buffer.from(`${owner}:${secret}`).toString('base64')
            if (owner !== undefined) ctx.req.headers.authorization = `Basic ${basic}`
          })
        }
        await next()
        const code = codeIn(ctx)
        const { client } = ctx.oidc ?? {}
        if (code !== undefined && client) owners.set(code, client.clientId)
      }
    },
  },
  {
    id: 'secret-400',
    what: 'a wrong secret is answered with 400',
    module: 'token-bad-secret',
    rule: 'the status is 401',
    middleware: pages((ctx) => {
      if (ctx.path === '/token' && ctx.status === 401) ctx.status = 400
    }),
  },
  {
    id: 'token-stored',
    what: 'the token response may be stored',
    module: 'token-headers',
    rule: 'Cache-Control is no-store',
    middleware: pages((ctx) => {
      if (ctx.path === '/token') ctx.remove('cache-control')
    }),
  },
  {
    id: 'none-shows-page',
    what: 'prompt=none is answered with a page',
    module: 'prompt-none-fresh',
    rule: 'the error is login_required or interaction_required',
    middleware: asks((params) => {
      if (params.get('prompt') === 'none') params.delete('prompt')
    }),
  },
  {
    id: 'none-and-login',
    what: 'prompt=none beside another value is taken for that one',
    module: 'prompt-none-plus-login',
    rule: 'the error is invalid_request',
    middleware: asks((params) => {
      if (params.get('prompt') === 'none login') params.set('prompt', 'login')
    }),
  },
  {
    id: 'stale-auth-time',
    what: 'auth_time is that of the first sign-in',
    module: 'prompt-login',
    rule: 'auth_time is later than before',
    middleware: (of) => {
      let first: unknown
      return claims((payload) => {
        first ??= payload.auth_time
        if (payload.auth_time !== undefined) payload.auth_time = first
      })(of)
    },
  },
  {
    id: 'max-age-ignored',
    what: 'max_age is ignored',
    module: 'max-age-1',
    rule: 'the sign-in page was shown',
    middleware: asks((params) => params.delete('max_age')),
  },
  {
    id: 'hint-ignored',
    what: 'id_token_hint is ignored',
    module: 'id-token-hint',
    rule: 'the error is login_required or interaction_required or account_selection_required',
    middleware: asks((params) => params.delete('id_token_hint')),
  },
  {
    id: 'cancel-without-state',
    what: 'who cancels comes back without the state',
    module: 'user-cancel',
    rule: 'the state is returned unchanged',
    middleware: sendsTo((target) => {
      if (target.searchParams.get('error') === 'access_denied') target.searchParams.delete('state')
    }),
  },
  {
    id: 'other-sub',
    what: 'UserInfo tells of somebody else',
    module: 'userinfo-get',
    rule: 'its sub is exactly that of the ID token',
    middleware: answers('/me', (body) => {
      body.sub = 'somebody-else'
    }),
  },
  {
    id: 'token-in-address',
    what: 'UserInfo takes the token from the address',
    module: 'userinfo-query-token',
    rule: 'it is refused',
    middleware: () => async (ctx, next) => {
      const token = ctx.query.access_token
      if (ctx.path === '/me' && typeof token === 'string') {
        ctx.querystring = ''
        ctx.req.headers.authorization = `Bearer ${token}`
      }
      await next()
    },
  },
  {
    id: 'no-challenge-header',
    what: 'UserInfo refuses without WWW-Authenticate',
    module: 'userinfo-bad-token',
    rule: 'WWW-Authenticate says invalid_token',
    middleware: pages((ctx) => {
      if (ctx.path === '/me') ctx.remove('www-authenticate')
    }),
  },
  {
    id: 'unasked-claims',
    what: 'UserInfo tells the address of mail unasked',
    module: 'scope-claims',
    rule: 'openid alone gives no claim of email',
    middleware: answers('/me', (body) => {
      body.email = 'alice@example.jp'
    }),
  },
  {
    id: 'bad-claims-taken',
    what: 'a malformed claims parameter is ignored',
    module: 'claims-param',
    rule: 'the error is invalid_request',
    middleware: asks((params) => {
      if (params.get('claims') === '{') params.delete('claims')
    }),
  },
  {
    id: 'pkce-ignored',
    what: 'any code_verifier will do',
    module: 'pkce-wrong-verifier',
    rule: 'the token endpoint refuses: invalid_grant',
    middleware: () => async (ctx, next) => {
      if (ctx.path === '/token') {
        await tokenForm(ctx, (form) => form.delete('code_verifier'))
      }
      await asks((params) => {
        params.delete('code_challenge')
        params.delete('code_challenge_method')
      })()(ctx, next)
    },
  },
  {
    id: 'pkce-not-needed',
    what: 'a public client needs no PKCE',
    module: 'pkce-public-missing',
    rule: 'the error is invalid_request',
    configuration: { pkce: { required: () => false } },
  },
  {
    id: 'pkce-plain',
    what: 'the plain method is taken',
    module: 'pkce-plain',
    rule: 'no code is given',
    result: 'WARNING',
    middleware: asks((params) => {
      if (params.get('code_challenge_method') !== 'plain') return
      const verifier = params.get('code_challenge') ?? ''
      params.set('code_challenge', createHash('sha256').update(verifier).digest('base64url'))
      params.set('code_challenge_method', 'S256')
    }),
  },
  {
    id: 'pkce-downgrade',
    what: 'a verifier is ignored where there was no challenge',
    module: 'pkce-downgrade',
    rule: 'the token request is refused',
    middleware: () => {
      const bare = new Set<string>()
      return async (ctx, next) => {
        if (ctx.path === '/token') {
          await tokenForm(ctx, (form) => {
            if (bare.has(form.get('code') ?? '')) form.delete('code_verifier')
          })
        }
        await next()
        const code = codeIn(ctx)
        if (code !== undefined && ctx.oidc?.params?.code_challenge === undefined) bare.add(code)
      }
    },
  },
  {
    id: 'fragment-registered',
    what: 'a redirect URI with a fragment is registered without it',
    module: 'dcr-fragment',
    rule: 'it is refused with 400',
    middleware: registers((metadata) => {
      metadata.redirect_uris = [metadata.redirect_uris]
        .flat()
        .map((uri) => String(uri).split('#')[0])
    }),
  },
  {
    id: 'script-registered',
    what: 'a redirect URI of a script is taken',
    module: 'dcr-bad-scheme',
    rule: 'it is refused with 400',
    middleware: registers((metadata) => {
      if (/^javascript:/.test(String(metadata.redirect_uris))) {
        metadata.redirect_uris = ['https://rp.conformance.example/callback']
      }
    }),
  },
  {
    id: 'open-registration',
    what: 'anybody may register clients',
    module: 'dcr-no-token',
    rule: 'the status is 401',
    configuration: {
      features: {
        devInteractions: { enabled: true },
        registration: { enabled: true },
        registrationManagement: { enabled: true },
      },
    },
  },
  {
    id: 'logout-anywhere',
    what: 'signing out sends the browser anywhere',
    module: 'logout-bad-uri',
    rule: 'a page is shown, and the browser is sent nowhere',
    change: (provider) => {
      provider.Client.prototype.postLogoutRedirectUriAllowed = () => true
    },
  },
  {
    id: 'hint-unverified',
    what: 'nobody looks at who signed an id_token_hint',
    module: 'logout-forged-hint',
    rule: 'a page is shown, and the browser is sent nowhere',
    change: (provider) => {
      provider.IdToken.validate = async (jwt: string) => ({ header: {}, payload: payloadOf(jwt) })
    },
  },
  {
    id: 'logout-by-link',
    what: 'a link alone signs out',
    module: 'logout-csrf',
    rule: 'until the answer the session stays',
    middleware: pages((ctx) => {
      if (ctx.path === '/session/end' && ctx.method === 'GET') ctx.cookies.set('_session', null)
    }),
  },
  {
    id: 'framable',
    what: 'pages can be put into a frame',
    module: 'frame-deny',
    rule: 'sign-in page: framing is forbidden',
    isWithoutPageHeaders: true,
  },
  {
    id: 'password-sent-on',
    what: 'a typed password is answered with 307',
    module: 'no-307',
    rule: 'no form is answered with 307 or 308',
    middleware: () => async (ctx, next) => {
      const { res } = ctx
      const end = res.end.bind(res)
      if (ctx.path.startsWith('/interaction/')) {
        // The engine answers here below its own framework.
        res.end = ((...said: Parameters<typeof end>) => {
          if (res.statusCode === 303) res.statusCode = 307
          return end(...said)
        }) as typeof res.end
      }
      await next()
    },
  },
  {
    id: 'strict-cookies',
    what: 'cookies are not sent along when another site sends the browser',
    module: 'prompt-none-session',
    rule: 'the browser is back at the redirect URI',
    middleware: pages((ctx) => {
      const set = [ctx.response.headers['set-cookie'] ?? []].flat()
      if (set.length > 0) {
        ctx.set(
          'set-cookie',
          set.map((line) => String(line).replace(/samesite=lax/i, 'SameSite=Strict')),
        )
      }
    }),
  },
  {
    id: 'anybodys-page',
    what: 'a sign-in page works in any browser',
    module: 'interaction-bound',
    rule: 'in another browser it is refused',
    middleware: () => async (ctx, next) => {
      if (!ctx.path.startsWith('/interaction/') || ctx.get('cookie') !== '') return next()
      ctx.body = `<!doctype html><form method="post"><input type="hidden" name="prompt" value="login"><input name="login"><input name="password"><button type="submit">Sign-in</button></form>`
    },
  },
  {
    id: 'script-reads-cookies',
    what: 'scripts can read the cookies',
    module: 'cookies',
    rule: '_interaction: HttpOnly',
    middleware: pages((ctx) => {
      const set = [ctx.response.headers['set-cookie'] ?? []].flat()
      if (set.length > 0) {
        ctx.set(
          'set-cookie',
          set.map((line) => String(line).replace(/; ?httponly/i, '')),
        )
      }
    }),
  },
  {
    id: 'markup-run',
    what: 'error pages repeat markup as it came',
    module: 'error-reflect',
    rule: 'it is escaped',
    configuration: {
      renderError: async (ctx) => {
        ctx.type = 'html'
        ctx.body = `<!doctype html><p>cannot go on: ${decodeURIComponent(ctx.querystring)}</p>`
      },
    },
  },
]
