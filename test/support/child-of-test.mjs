// node --import ./child-of-test.mjs file.js: the date is the one in the file that
// KENPO_TEST_DATE_FILE names (milliseconds since 1970, a double), read each time that it is asked
// for; timers go by the machine's clock. What is written to standard output is there at once. And
// the process ends with the test, whose end of the pipe is its standard input, however that ends.
import fs from 'node:fs'

const file = fs.openSync(process.env.KENPO_TEST_DATE_FILE, 'r')
const bytes = Buffer.alloc(8)

const now = () => {
  fs.readSync(file, bytes, 0, 8, 0)
  return bytes.readDoubleLE()
}

Date.now = now
globalThis.Date = new Proxy(Date, {
  construct: (target, given, self) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, self),
  apply: (target) => new target(now()).toString(),
})

// pino's stream writes the next lines when it hears that those before are written.
const STDOUT = 1
const { write } = fs
fs.write = (fd, ...rest) => {
  if (fd !== STDOUT) return write(fd, ...rest)
  const written = rest.pop()
  return written(null, fs.writeSync(fd, ...rest))
}

// A cluster's workers end with their primary.
if (process.env.NODE_UNIQUE_ID === undefined) {
  const end = () => process.kill(process.pid, 'SIGKILL')
  process.stdin.once('end', end).once('error', end).resume().unref()
}
