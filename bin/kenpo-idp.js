#!/usr/bin/env node
import { existsSync } from 'node:fs'

const command = new URL('../dist/cli/index.js', import.meta.url)
if (existsSync(command)) {
  await import(command.href)
} else {
  process.stderr.write('kenpo-idp is not built yet: run "npm run build" first.\n')
  process.exitCode = 1
}
