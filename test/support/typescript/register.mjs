import { register } from 'node:module'

// node --import ./register.mjs file.ts: the same on every Node we support, whether or
// not it strips types by itself.
register('./hooks.mjs', import.meta.url)
