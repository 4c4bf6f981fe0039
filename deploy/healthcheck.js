// Exits 0 where the process behind the management port of this container lives.
const port = process.env.IDP_MANAGEMENT_PORT ?? '9000'

try {
  const { ok } = await fetch(`http://127.0.0.1:${port}/healthz`, {
    signal: AbortSignal.timeout(2000),
  })
  process.exitCode = ok ? 0 : 1
} catch {
  process.exitCode = 1
}
