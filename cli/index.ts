#!/usr/bin/env node
import { showProgress } from './import/progress.ts'
import { run } from './program.ts'

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  progress: showProgress,
})
