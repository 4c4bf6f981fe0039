import { createInterface } from 'node:readline/promises'
import type { Arrival, Browser, CreateDriver, Page } from './driver.ts'
import type { Member } from './page-rules.ts'

/**
 * A person at a browser of their own: each address is printed, and what the browser's address bar
 * shows in the end is pasted back. Pages are judged by eye, so their modules end in REVIEW.
 */
const create: CreateDriver = (kit) => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })

  const browserOf = (member: Member): Browser => ({
    member,
    async walk(start, { isBack }): Promise<Arrival> {
      const { url, form } = start
      const ask = form
        ? `\nSend these by a form (POST) to ${url}:\n${JSON.stringify(form, undefined, 2)}\n`
        : `\nOpen as ${member.username}, in this person's own browser window:\n${url}\n`
      const answer = await terminal.question(
        `${ask}Paste the last address, or press Enter if a page of the provider is shown: `,
      )
      const way = { hops: [], pages: [] }
      const last = URL.canParse(answer) ? new URL(answer) : new URL(url)
      if (isBack(last)) {
        const inFragment = last.hash.length > 1
        return {
          ...way,
          kind: 'back',
          url: last,
          mode: inFragment ? 'fragment' : 'query',
          params: inFragment ? new URLSearchParams(last.hash.slice(1)) : last.searchParams,
        }
      }
      const page: Page = { url: last, status: undefined, headers: {}, html: '', asking: undefined }
      return { ...way, kind: 'page', page, pages: [page] }
    },
    close: async () => undefined,
  })

  return {
    name: 'manual',
    members: kit.members.length > 0 ? kit.members : [{ username: 'first' }, { username: 'second' }],
    can: { passkey: true, headers: false },
    open: async (member) => browserOf(member),
    close: async () => terminal.close(),
  }
}
export default create
