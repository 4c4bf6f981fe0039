const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const CACHE = join(__dirname, '../../../node_modules/.cache/kenpo-id/typescript')

/** Where a TypeScript file is kept as JavaScript (and its source map, with ".map" behind it). */
const compiledPath = (filename, source = readFileSync(filename, 'utf8')) => {
  const name = createHash('sha256').update(filename).update('\0').update(source).digest('hex')
  return join(CACHE, `${name}.mjs`)
}

module.exports = { CACHE, compiledPath }
