import { runCli } from './cli.ts'

// `… | head` closes the pipe; that ends nothing but the output.
process.stdout.on('error', () => undefined)

process.exitCode = await runCli(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
  isColoured: process.stdout.isTTY === true,
})
