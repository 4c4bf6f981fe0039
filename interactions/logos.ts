import { createHash } from 'node:crypto'
import Router from '@koa/router'
import type { ClientPolicy } from '../accounts/policy.ts'
import type { Log, TransientStore } from '../accounts/ports.ts'

type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** What a client's logo address has led to: an image of this name, made of its content, or none. */
type Kept = Readonly<{ uri: string; name?: string }>
type Image = Readonly<{ name: string; type: string; base64: string }>

const DAY_SECONDS = 86_400
/** Pages that were shown just before it ends still find it. */
const IMAGE_SECONDS = 2 * DAY_SECONDS
/** A logo that could not be taken is tried again after this. */
const FAILED_SECONDS = 600
/** Longer than a call may last. */
const FETCHING_SECONDS = 15
/** A member waits no longer for a picture; it is there for the next page. */
const PATIENCE_MS = 1000
const MAX_BYTES = 100 * 1024
const NAME = /^[A-Za-z0-9_-]{43}$/
const CLIENT_ID = /^[A-Za-z0-9._~-]{1,128}$/

const digest = (content: string | Buffer): string =>
  createHash('sha256').update(content).digest('base64url')
/** One of each per client, whatever addresses it names one after another. */
const keyOf = (clientId: string): string => `logo:${clientId}`
const imageKey = (clientId: string): string => `logo-image:${clientId}`

const begins = (bytes: Buffer, at: number, text: string): boolean =>
  bytes.subarray(at, at + text.length).toString('latin1') === text

/** By its first bytes, whatever the server calls it. No SVG: that is a page of its own. */
const typeOf = (bytes: Buffer): string | undefined => {
  if (begins(bytes, 0, '\x89PNG\r\n\x1a\n')) return 'image/png'
  if (begins(bytes, 0, '\xff\xd8\xff')) return 'image/jpeg'
  return begins(bytes, 0, 'RIFF') && begins(bytes, 8, 'WEBP') ? 'image/webp' : undefined
}

/** The pictures of relying parties. */
export type Logos = Readonly<{
  /** Where the page finds the client's logo; undefined: it has none, or not yet. */
  pathOf(client: ClientPolicy): Promise<string | undefined>
  /** `/logos/<client>/<name>`: what is kept, and nothing else. */
  router(): Router
}>

/**
 * Logos are fetched once a day, by whoever shows the client first, and kept and served by us: no
 * browser of a member's calls a relying party because of a picture. A client has one at a time. One that cannot be fetched, is
 * longer than 100 KB or no PNG, JPEG or WebP is left out, and the log says why.
 */
export const createLogos = ({
  transient,
  fetch,
  log,
}: Readonly<{ transient: TransientStore; fetch: Fetch; log: Log }>): Logos => {
  const take = async (uri: string, clientId: string): Promise<Kept> => {
    const response = await fetch(uri, { headers: { accept: 'image/png,image/jpeg,image/webp' } })
    if (response.status !== 200) throw new Error(`the server answers ${response.status}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    if (bytes.length > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`)
    const type = typeOf(bytes)
    if (!type) throw new Error('it is no PNG, JPEG or WebP')
    const name = digest(bytes)
    const image: Image = { name, type, base64: bytes.toString('base64') }
    await transient.put(imageKey(clientId), image, IMAGE_SECONDS)
    return { uri, name }
  }

  const fetchOnce = async (
    uri: string,
    clientId: string,
    former: Kept | undefined,
  ): Promise<Kept | undefined> => {
    const key = keyOf(clientId)
    // One process fetches, for all.
    if (!(await transient.replace(key, former, { uri }, FETCHING_SECONDS))) return undefined
    try {
      const kept = await take(uri, clientId)
      await transient.put(key, kept, DAY_SECONDS)
      return kept
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'no answer'
      log.warn({ clientId, host: new URL(uri).host, reason }, 'logo not taken')
      await transient.put(key, { uri }, FAILED_SECONDS)
      return undefined
    }
  }

  /** What comes later is kept for the next page; that a store fails then is no fault of this one. */
  const soon = async (fetched: Promise<Kept | undefined>): Promise<Kept | undefined> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, undefined)
    })
    const found = fetched.catch(() => undefined)
    return Promise.race([found, late]).finally(() => clearTimeout(timer))
  }

  return {
    async pathOf({ clientId, logoUri }) {
      if (logoUri === undefined) return undefined
      const former = await transient.get<Kept>(keyOf(clientId))
      const kept =
        former?.uri === logoUri ? former : await soon(fetchOnce(logoUri, clientId, former))
      return kept?.name === undefined ? undefined : `/logos/${clientId}/${kept.name}`
    },

    router() {
      const router = new Router()
      router.get('/logos/:client/:name', async (ctx) => {
        const { client = '', name = '' } = ctx.params
        // Not for every name that anybody tries.
        if (!CLIENT_ID.test(client) || !NAME.test(name)) return
        const image = await transient.get<Image>(imageKey(client))
        if (image?.name !== name) return
        ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
        // Of somebody else's making: it is a picture and nothing that does anything.
        ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
        ctx.type = image.type
        ctx.body = Buffer.from(image.base64, 'base64')
      })
      return router
    },
  }
}
