import { z } from 'zod'
import { IdentityError } from '../accounts/errors.ts'
import type { Locale } from '../accounts/member.ts'
import type { Clients } from '../clients/index.ts'
import { PRESETS, presetMetadata } from '../clients/presets.ts'
import { checked, refused } from '../clients/refusal.ts'
import { type Actor, UnknownClientError } from '../clients/registry.ts'
import { type ClientRules, clientSchema } from '../clients/schema.ts'
import { tokenSchema } from '../clients/tokens.ts'
import { clientView, tokenView } from '../clients/view.ts'

/** One request, as far as an operation sees it. */
export type AdminRequest = Readonly<{
  actor: Actor
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, unknown>>
  body: unknown
  /** From If-Match (RFC 9110 section 13.1.1). */
  revision: number | undefined
}>
export type AdminAnswer = Readonly<{ status: number; body?: object; revision?: number }>

/** One operation of the admin API: its route, its documentation and what it does. */
export type Operation = Readonly<{
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As in OpenAPI, below /admin. */
  path: string
  id: string
  summary: string
  /** Status of success. */
  status: number
  body?: z.ZodType
  /** The body says what is to change; null takes a value out (RFC 7396). */
  merges?: true
  query?: z.ZodType
  act: (clients: Clients, request: AdminRequest) => Promise<AdminAnswer>
}>

const DAY = 86_400
const DOOR = { unknown: 'refuse', secrets: 'made' } as const

const rotation = z.strictObject({
  /** How long the secret before is still taken. */
  overlap_seconds: z
    .int()
    .min(0)
    .max(90 * DAY)
    .default(7 * DAY),
  /** The key that sealed the secret before is lost: nobody can read it. */
  lost: z.boolean().default(false),
})
const disabling = z.strictObject({ reason: z.string().min(1).max(200).exactOptional() })
const explanation = z.strictObject({ lang: z.enum(['ja', 'en']).default('en') })
const changing = z.strictObject({ allow_new_sub: z.enum(['true', 'false']).exactOptional() })
const creation = z.strictObject({ preset: z.enum(PRESETS).exactOptional() })

const outcome = (
  status: number,
  { client, secret, dropped }: Awaited<ReturnType<Clients['registry']['create']>>,
): AdminAnswer => ({
  status,
  body: {
    ...clientView(client),
    ...(secret !== undefined && { client_secret: secret }),
    ...(dropped !== undefined && { unreadable_secrets_dropped: dropped }),
  },
  revision: client.revision,
})
const idOf = ({ params }: AdminRequest): string => params.client_id ?? ''
const revisionOf = ({ revision }: AdminRequest) => (revision === undefined ? {} : { revision })
/** What a JSON body holds; without one, nothing. @throws ClientRefusedError */
const objectOf = (body: unknown = {}): object => {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw refused('', 'is no JSON object', 'Send one: {"client_name":"…"}.')
}
/** Of PUT and PATCH. */
const newSubOf = ({ query }: AdminRequest) => {
  const { allow_new_sub: allowed } = checked(changing, query)
  return { newSub: allowed === 'true' }
}

/** Why a request was refused, by its reference number; undefined where there is no record of it. */
export type ExplainRefusal = (reference: string, lang: Locale) => Promise<object | undefined>

/** The admin API, whole: its router and its OpenAPI document are both made of this. */
export const adminOperations = (
  rules: ClientRules,
  explainRefusal: ExplainRefusal,
): readonly Operation[] => {
  const client = clientSchema(rules, DOOR)
  return [
    {
      method: 'get',
      path: '/clients',
      id: 'listClients',
      summary: 'All clients of the store and the file, by client_id',
      status: 200,
      act: async ({ registry }) => ({
        status: 200,
        body: {
          clients: (await registry.list()).map((one) => clientView(one.client, one.origin)),
        },
      }),
    },
    {
      method: 'post',
      path: '/clients',
      id: 'createClient',
      summary: 'Register a client; its secret, where it has one, is told in this answer only',
      status: 201,
      body: client,
      query: creation,
      act: async ({ registry }, { actor, body, query }) => {
        const { preset } = checked(creation, query)
        const under = preset ? presetMetadata(preset, rules) : {}
        return outcome(201, await registry.create({ ...under, ...objectOf(body) }, actor))
      },
    },
    {
      method: 'get',
      path: '/clients/{client_id}',
      id: 'showClient',
      summary: 'One client',
      status: 200,
      act: async ({ known }, request) => {
        const found = await known.find(idOf(request))
        if (!found || found.origin === 'own') throw new UnknownClientError(idOf(request), 'nowhere')
        return {
          status: 200,
          body: clientView(found.client, found.origin),
          ...(found.origin === 'store' && { revision: found.client.revision }),
        }
      },
    },
    {
      method: 'put',
      path: '/clients/{client_id}',
      id: 'replaceClient',
      summary: 'Put another registration in place of all that is registered',
      status: 200,
      body: client,
      query: changing,
      act: async ({ registry }, request) =>
        outcome(
          200,
          await registry.replace(idOf(request), () => request.body, request.actor, {
            ...revisionOf(request),
            ...newSubOf(request),
          }),
        ),
    },
    {
      method: 'patch',
      path: '/clients/{client_id}',
      id: 'updateClient',
      summary: 'Change what is named and keep the rest; null takes a value out',
      status: 200,
      body: client,
      merges: true,
      query: changing,
      act: async ({ registry }, request) => {
        const patch = Object.fromEntries(Object.entries(objectOf(request.body)))
        const options = { ...revisionOf(request), ...newSubOf(request) }
        return outcome(200, await registry.update(idOf(request), patch, request.actor, options))
      },
    },
    {
      method: 'delete',
      path: '/clients/{client_id}',
      id: 'deleteClient',
      summary: 'Remove a client for good',
      status: 204,
      act: async ({ registry }, request) => {
        await registry.remove(idOf(request), request.actor, revisionOf(request))
        return { status: 204 }
      },
    },
    {
      method: 'post',
      path: '/clients/{client_id}/secret',
      id: 'rotateSecret',
      summary: 'Make a new secret; the one before is taken for a while still',
      status: 200,
      body: rotation,
      act: async ({ registry }, request) => {
        const { overlap_seconds: overlapSeconds, lost } = checked(rotation, request.body ?? {})
        const options = { overlapSeconds, lost, ...revisionOf(request) }
        return outcome(200, await registry.rotateSecret(idOf(request), options, request.actor))
      },
    },
    {
      method: 'post',
      path: '/clients/{client_id}/disable',
      id: 'disableClient',
      summary: 'Refuse the client from now on; its tokens are dead for good',
      status: 200,
      body: disabling,
      act: async ({ registry }, request) => {
        const options = { ...checked(disabling, request.body ?? {}), ...revisionOf(request) }
        return outcome(200, await registry.disable(idOf(request), options, request.actor))
      },
    },
    {
      method: 'post',
      path: '/clients/{client_id}/enable',
      id: 'enableClient',
      summary: 'Take the client’s requests again',
      status: 200,
      act: async ({ registry }, request) =>
        outcome(200, await registry.enable(idOf(request), request.actor, revisionOf(request))),
    },
    {
      method: 'get',
      path: '/refusals/{reference}',
      id: 'showRefusal',
      summary: 'Why a request of a client was refused, for seven days',
      status: 200,
      query: explanation,
      act: async (_, { params, query }) => {
        const { lang } = checked(explanation, query)
        const body = await explainRefusal(params.reference ?? '', lang)
        if (body) return { status: 200, body }
        const detail =
          'There is no record of this reference number: look for it in the log (reqId).'
        throw new IdentityError('unknown_reference', 404, detail)
      },
    },
    {
      method: 'get',
      path: '/registration-tokens',
      id: 'listRegistrationTokens',
      summary: 'All initial access tokens, without the tokens themselves',
      status: 200,
      act: async ({ tokens }) => ({
        status: 200,
        body: { registration_tokens: (await tokens.list()).map(tokenView) },
      }),
    },
    {
      method: 'post',
      path: '/registration-tokens',
      id: 'createRegistrationToken',
      summary: 'Make a token by which software registers itself; it is told in this answer only',
      status: 201,
      body: tokenSchema(rules),
      act: async ({ tokens }, { actor, body }) => {
        const { record, token } = await tokens.create(body, actor)
        return { status: 201, body: { ...tokenView(record), token } }
      },
    },
    {
      method: 'delete',
      path: '/registration-tokens/{id}',
      id: 'revokeRegistrationToken',
      summary: 'Let the token register nobody any more',
      status: 200,
      act: async ({ tokens }, { actor, params }) => ({
        status: 200,
        body: tokenView(await tokens.revoke(params.id ?? '', actor)),
      }),
    },
  ]
}
