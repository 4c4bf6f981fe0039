import { serve } from './serve.ts'

await serve({ env: process.env, say: console.log, complain: console.error })
