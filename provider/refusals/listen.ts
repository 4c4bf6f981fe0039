import type { EventEmitter } from 'node:events'
import type { Context, Middleware } from 'koa'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { StoreUnavailableError } from '../../accounts/errors.ts'
import type { Clock, Log } from '../../accounts/ports.ts'
import type { KnownClient } from '../../clients/directory.ts'
import type { Clients } from '../../clients/index.ts'
import { diagnose, type Thrown } from './diagnosis.ts'
import { masked } from './masking.ts'
import {
  createRefusalKeeper,
  type Endpoint,
  type RefusalPorts,
  type RefusalRecord,
} from './record.ts'
import { askedOf } from './request.ts'

/** The engine's events for requests that it refuses, and where those were sent. */
const EVENTS = {
  'authorization.error': 'authorization',
  'pushed_authorization_request.error': 'pushed_authorization_request',
  'grant.error': 'token',
  'userinfo.error': 'userinfo',
  'introspection.error': 'introspection',
  'revocation.error': 'revocation',
  'registration_create.error': 'registration',
  'registration_read.error': 'registration',
  'registration_update.error': 'registration',
  'registration_delete.error': 'registration',
  'end_session.error': 'end_session',
  'end_session_confirm.error': 'end_session',
  'end_session_success.error': 'end_session',
} as const satisfies Readonly<Record<string, Endpoint>>
type Event = keyof typeof EVENTS | 'server_error'

const ROUTES: Readonly<Record<string, Endpoint>> = {
  resume: 'authorization',
  client: 'registration',
  client_update: 'registration',
  client_delete: 'registration',
  end_session_confirm: 'end_session',
  end_session_success: 'end_session',
}
/** A fault has one event for all endpoints. */
const endpointOf = (event: Event, ctx: KoaContextWithOIDC): Endpoint | undefined => {
  if (event !== 'server_error') return EVENTS[event]
  const route: string = ctx.oidc?.route ?? ''
  return ROUTES[route] ?? Object.values(EVENTS).find((endpoint) => endpoint === route)
}

/** A request of a browser's that our own code has refused before the engine saw it. */
export type OwnRefusal = Readonly<{
  /** Absent: an authorization request. */
  event?: 'authorization.error' | 'end_session.error'
  error: string
  description: string
  /** For the operator alone, and not answered. */
  cause?: string
}>

declare module 'koa' {
  interface DefaultState {
    /** Set by whoever refuses such a request in the engine's place, to be explained. */
    refused?: OwnRefusal
  }
}

type Refusal = Readonly<{ event: Event; error: Error }>

/** What an error of the engine's says; its own fields, or those of any code that threw. */
const thrownOf = ({ event, error }: Refusal): Thrown => {
  const { message, cause, ...fields } = error as Error & Readonly<Record<string, unknown>>
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  if (event === 'server_error') {
    return { error: 'server_error', description: '', detail: '' }
  }
  const scope = text(fields.scope)
  return {
    error: message,
    description: text(fields.error_description),
    detail: text(fields.error_detail),
    ...(scope !== '' && { scope }),
    ...(cause !== undefined && { cause }),
  }
}

/** As the engine would have thrown it. */
const refusalOf = ({
  event = 'authorization.error',
  error,
  description,
  cause,
}: OwnRefusal): Refusal => ({
  event,
  error: Object.assign(new Error(error, { ...(cause !== undefined && { cause }) }), {
    error_description: description,
  }),
})

/** What an own refusal was for, behind what was answered. */
const withCause = (description: string, cause: unknown): string =>
  typeof cause === 'string' ? `${description} (${cause})` : description

const clientOf = (
  id: string | undefined,
  known: KnownClient | undefined,
): Pick<RefusalRecord, 'client'> => {
  if (known) {
    const { client } = known
    const state = client.disabled ? 'disabled' : 'enabled'
    return { client: { id: client.id, name: client.metadata.client_name, state } }
  }
  return id === undefined ? {} : { client: { id: masked(id), state: 'unknown' } }
}

/** RFC 6749 section 5.2 allows these characters in a description. */
export const withReference = (description: string | undefined, reference: string): string =>
  description ? `${description} (reference ${reference})` : `reference ${reference}`

/** The address with the reference in its error_description, in the query or in the fragment. */
const addressWith = (location: string, reference: string): string => {
  const url = new URL(location)
  const amend = (params: URLSearchParams): boolean => {
    if (!params.has('error')) return false
    const described = params.get('error_description') ?? undefined
    params.set('error_description', withReference(described, reference))
    return true
  }
  if (amend(url.searchParams)) return url.href
  const fragment = new URLSearchParams(url.hash.slice(1))
  if (amend(fragment)) url.hash = fragment.toString()
  return url.href
}

/**
 * Puts the reference into whatever tells the application of the refusal: JSON or the address that
 * leads back to it. Our own pages show it by themselves, and the form back to it has it in its fields.
 */
const amendAnswer = (ctx: Context, reference: string): void => {
  const location = ctx.response.get('Location')
  if (location) {
    ctx.redirect(addressWith(location, reference))
    return
  }
  const { body } = ctx
  if (typeof body === 'object' && body !== null && 'error' in body) {
    const { error_description: described } = body as Readonly<{ error_description?: string }>
    ctx.body = { ...body, error_description: withReference(described, reference) }
  }
}

export type RefusalServices = RefusalPorts &
  Readonly<{
    clients: Clients
    clock: Clock
    log: Log
    /** Counted by, never kept. */
    addressOf: (ctx: Context) => string
  }>

/**
 * Why was I refused? Stands around the engine's routes: whatever it refuses there is answered with
 * the request's reference number, told in one log line under that number, and kept under it with the
 * rule that was broken (`findRefusal`).
 */
export const explainRefusals = (provider: Provider, services: RefusalServices): Middleware => {
  const { clients, clock, log, addressOf } = services
  const keep = createRefusalKeeper(services)
  const seen = new WeakMap<object, Refusal[]>()
  // The engine's typed overloads name one event each; all of these are called alike.
  const engine: EventEmitter = provider
  for (const event of [...Object.keys(EVENTS), 'server_error'] as Event[]) {
    engine.on(event, (ctx: object, error: Error) => {
      // A context that is none of ours is of a call from within.
      seen.get(ctx)?.push({ event, error })
    })
  }

  const recordOf = async (
    ctx: KoaContextWithOIDC,
    endpoint: Endpoint,
    refusals: readonly Refusal[],
  ): Promise<RefusalRecord | undefined> => {
    const asked = askedOf(ctx)
    const known =
      asked.clientId === undefined ? undefined : await clients.known.find(asked.clientId)
    const now = clock.now()
    const all = refusals.map(thrownOf)
    const found = await Promise.all(
      all.map((thrown) => diagnose({ ctx, endpoint, thrown, asked, known, clients, now })),
    )
    const [first, ...more] = found.flat()
    const [answered] = all
    if (!first || !answered) return undefined
    return {
      reference: String(ctx.state.reference),
      at: now,
      endpoint,
      error: answered.error,
      ...(answered.description !== '' && {
        description: masked(withCause(answered.description, answered.cause)),
      }),
      ...clientOf(asked.clientId, known),
      findings: [first, ...more],
    }
  }

  const tell = (ctx: KoaContextWithOIDC, { event, error }: Refusal, rule: string | undefined) => {
    const { error_description: described } = error as Readonly<{ error_description?: string }>
    const reason = described && withCause(described, error.cause)
    const facts = { reqId: ctx.state.reference, clientId: ctx.oidc?.client?.clientId, reason, rule }
    if (event === 'server_error') log.error({ ...facts, err: error }, event)
    else log.info({ ...facts, err: error }, event)
  }

  /** Never fails what is refused already: without its explanation there is the log line. */
  const explain = async (
    ctx: KoaContextWithOIDC,
    refusals: readonly [Refusal, ...Refusal[]],
    address: string,
  ): Promise<RefusalRecord | undefined> => {
    const [{ event, error }] = refusals
    const endpoint = endpointOf(event, ctx)
    // Where a store is away nothing can be kept.
    if (!endpoint || error instanceof StoreUnavailableError) return undefined
    try {
      const record = await recordOf(ctx, endpoint, refusals)
      if (record) await keep(record, address)
      return record
    } catch (failure) {
      log.error({ reqId: ctx.state.reference, err: failure }, 'refusal_unexplained')
      return undefined
    }
  }

  return async (ctx, next) => {
    const refusals: Refusal[] = []
    seen.set(ctx, refusals)
    // The engine's context is the application's own: the provider is the Koa application.
    const engineContext = ctx as unknown as KoaContextWithOIDC
    let record: RefusalRecord | undefined
    try {
      await next()
      const own = ctx.state.refused
      if (own) refusals.push(refusalOf(own))
      // It tells of the last last, and that is what it has answered.
      const [answered, ...more] = refusals.toReversed()
      if (!answered) return
      amendAnswer(ctx, ctx.state.reference)
      record = await explain(engineContext, [answered, ...more], addressOf(ctx))
    } finally {
      for (const refusal of refusals) tell(engineContext, refusal, record?.findings[0].rule)
    }
  }
}
