import { register } from 'node:module'
import '../typescript/register.mjs'

// node --import ./test/support/jest/register.js node_modules/jest/bin/jest.js: see runtime.cjs.
register('./hooks.js', import.meta.url)
