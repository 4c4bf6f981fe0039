import { register } from 'node:module'
import '../../adapters/embedded/register-typescript.mjs'

// node --import ./test/support/jest/register.js node_modules/jest/bin/jest.js: see runtime.cjs.
register('./hooks.js', import.meta.url)
