import { createReadStream } from 'node:fs'

const LINE_FEED = 0x0a

/**
 * A file's lines as bytes, one at a time: 0x0A alone ends one, which is part of no other character
 * in UTF-8 or Shift_JIS. `node:readline` ends lines at U+2028 and U+2029 too (Node 24), which JSON
 * leaves as they are. What is left at the end without one is a line if it is not empty; one longer
 * than `longest` bytes is the last, as far as it was read.
 */
export async function* linesOf(
  path: string,
  longest = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(path)) {
    let from = 0
    const bytes = Buffer.concat([rest, chunk as Buffer]) // a stream without an encoding gives bytes
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, from)) {
      yield bytes.subarray(from, end)
      from = end + 1
    }
    rest = bytes.subarray(from)
    if (rest.length > longest) break
  }
  if (rest.length > 0) yield rest
}
