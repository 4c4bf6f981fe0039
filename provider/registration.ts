import { type AdapterPayload, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { RandomBytes } from '../accounts/ports.ts'
import type { RegistrationLimits } from '../clients/client.ts'
import type { Clients } from '../clients/index.ts'
import { ClientRefusedError, refusalText } from '../clients/refusal.ts'
import { ANY_HOST, requireWithin } from '../clients/registration.ts'
import type { PolicyEntry } from '../clients/schema.ts'

const DOOR = { unknown: 'ignore', secrets: 'made' } as const
const ID_BYTES = 10
const SECRET_BYTES = 32
/** The one policy that every initial and registration access token stands under. */
const POLICY = 'registered'
/** Stands in for the initial access token of software that has none. */
const OPEN_TOKEN = 'open'

/** Under which terms software may register itself without asking anybody. */
export type OpenTerms = Readonly<{ policy: PolicyEntry; scopes: readonly string[] }>

/** What the engine adds by itself. */
const given = ({
  client_id_issued_at: _issued,
  client_secret_expires_at: _expires,
  client_secret: _secret,
  registration_access_token: _token,
  registration_client_uri: _uri,
  ...metadata
}: AdapterPayload): AdapterPayload => metadata

/** In characters that an error_description may have (RFC 6749 section 5.2). */
const described = (error: ClientRefusedError): string =>
  error.refusals
    .map(refusalText)
    .join(' | ')
    .replace(/["\\]/g, "'")
    .replace(/[^\x20-\x7e]/g, '?')

const inItsWords = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ClientRefusedError)) throw error
    // With its cause, of which an explanation can be given (refusals/).
    throw new errors.InvalidClientMetadata(described(error), { cause: error })
  }
}

/**
 * Dynamic Client Registration (RFC 7591, RFC 7592) by way of our own registry: initial access tokens
 * are the operators', a client has their terms and stays within their limits when it changes itself.
 * With `open` terms, which the conformance profile alone has, software needs no such token.
 */
export const createClientRegistration = (
  { registry, tokens }: Pick<Clients, 'registry' | 'tokens'>,
  randomBytes: RandomBytes,
  open?: OpenTerms,
) => {
  /** A public client always sends a code_challenge (RFC 9700 section 2.1.1). */
  const openTermsFor = ({ policy: { pkce, ...policy }, scopes }: OpenTerms, isPublic: boolean) => ({
    policy: { ...policy, ...(pkce !== undefined && !isPublic && { pkce }) },
    limits: { tokenId: OPEN_TOKEN, hosts: [ANY_HOST], scopes },
  })

  const tokenOf = (ctx: KoaContextWithOIDC | undefined): string | undefined =>
    ctx?.oidc.entities.InitialAccessToken?.jti

  /** Of the token that registers it, or of the one that did. */
  const termsFor = async (ctx: KoaContextWithOIDC) => {
    const token = tokenOf(ctx)
    if (token === OPEN_TOKEN && open) {
      return openTermsFor(open, ctx.oidc.body?.token_endpoint_auth_method === 'none')
    }
    if (token !== undefined) {
      const record = await tokens.usable(token)
      if (!record) throw new errors.InvalidToken('initial access token not found')
      const { id: tokenId, hosts, scopes, policy } = record
      return { policy, limits: { tokenId, hosts, scopes } }
    }
    const client = await registry.find(ctx.oidc.client?.clientId ?? '')
    if (!client.registration) throw new errors.InvalidRequest('the client cannot change itself')
    return { policy: client.policy, limits: client.registration }
  }

  const apply = async (ctx: KoaContextWithOIDC, properties: AdapterPayload): Promise<void> => {
    const { policy, limits } = await termsFor(ctx)
    Object.assign(properties, {
      policy,
      // A client that names no scope could ask for any.
      scope: properties.scope ?? limits.scopes.join(' '),
      // A name is optional (RFC 7591 section 2): members are shown the ID then.
      client_name: properties.client_name ?? properties.client_id,
    })
    await inItsWords(async () => requireWithin(registry.check(given(properties), DOOR), limits))
  }

  const actor = ({ tokenId }: RegistrationLimits) =>
    ({ operator: `registration token ${tokenId}`, door: 'registration' }) as const

  return {
    /** The engine's features `registration` and `registrationManagement`. */
    features: (enabled: boolean) =>
      enabled
        ? {
            registration: {
              enabled,
              initialAccessToken: true,
              policies: { [POLICY]: apply },
              idFactory: () => randomBytes(ID_BYTES).toString('hex'),
              secretFactory: () => randomBytes(SECRET_BYTES).toString('base64url'),
            },
            registrationManagement: { enabled, rotateRegistrationAccessToken: true },
          }
        : {},

    /** Lets software without an initial access token in, where that is open. */
    openDoor: async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
      const { headers } = ctx.req
      const isRegistering = ctx.method === 'POST' && ctx.path === '/reg'
      if (open && isRegistering) headers.authorization ??= `Bearer ${OPEN_TOKEN}`
      await next()
    },

    initialAccessToken: async (token: string): Promise<AdapterPayload | undefined> => {
      if (token === OPEN_TOKEN && open) {
        return { jti: token, kind: 'InitialAccessToken', policies: [POLICY] }
      }
      const record = await tokens.usable(token)
      return (
        record && {
          jti: token,
          kind: 'InitialAccessToken',
          iat: record.createdAt,
          exp: record.expiresAt,
          policies: [POLICY],
        }
      )
    },

    /** The engine stores what it has let pass: a new client, or one that changed itself. */
    save: (id: string, payload: AdapterPayload): Promise<void> =>
      inItsWords(async () => {
        const ctx = Provider.ctx
        if (!ctx) throw new TypeError('the engine registers clients within requests only')
        const { limits } = await termsFor(ctx)
        const token = tokenOf(ctx)
        const { client_secret: secret } = payload
        if (token === undefined) {
          const options = { unknown: 'ignore', ...(secret !== undefined && { secret }) } as const
          await registry.replace(id, () => given(payload), actor(limits), options)
          return
        }
        const claim = async () => {
          if (token === OPEN_TOKEN || (await tokens.spend(token))) return
          throw new errors.InvalidToken('initial access token was used up meanwhile')
        }
        const input = { ...given(payload), ...(secret !== undefined && { client_secret: secret }) }
        const options = { unknown: 'ignore', registration: limits, claim } as const
        await registry.create(input, actor(limits), options)
      }),

    remove: async (id: string): Promise<void> => {
      const { registration } = await registry.find(id)
      if (registration) await registry.remove(id, actor(registration))
    },
  }
}
export type ClientRegistration = ReturnType<typeof createClientRegistration>
