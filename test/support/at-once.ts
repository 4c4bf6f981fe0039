import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Idp } from './idp.ts'
import { instancesBehind } from './round-robin.ts'

/** A form or a request for tokens, as it is sent. */
export type Post = Readonly<{
  address: string | URL
  headers?: Readonly<Record<string, string>>
  fields?: Readonly<Record<string, string>>
}>

export type Answer = Readonly<{ status: number; location: string; body: string }>

/** One post on a connection of its own, with what the balancer would have said of it. */
const send = ({ address, headers, fields }: Post, port: number): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { host, pathname, search } = new URL(address)
    const body = fields === undefined ? '' : new URLSearchParams(fields).toString()
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `${pathname}${search}`,
        agent: false,
        headers: {
          Host: host,
          'X-Forwarded-For': '127.0.0.1',
          'X-Forwarded-Proto': 'http',
          ...(fields && { 'Content-Type': 'application/x-www-form-urlencoded' }),
          'Content-Length': Buffer.byteLength(body),
          ...headers,
        },
      },
      (answer) => {
        const { statusCode: status = 0, headers: told } = answer
        text(answer).then(
          (content) => resolve({ status, location: told.location ?? '', body: content }),
          reject,
        )
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })

/**
 * Sends these over and over until there are so many, all at once and each as often to each instance:
 * straight to them, as the balancer would cost more than some of the answers. No redirect is
 * followed.
 */
export const postAtOnce = (
  { port: balancer }: Pick<Idp, 'port'>,
  posts: readonly Post[],
  total: number,
): Promise<readonly Answer[]> => {
  const ports = instancesBehind(balancer)
  const once = posts.flatMap((post) => ports.map((port) => ({ post, port })))
  const all = Array.from({ length: total / once.length }, () => once).flat()
  return Promise.all(all.map(({ post, port }) => send(post, port)))
}
