/** What stands between this process and its members' requests. */
export type Readiness = Readonly<{
  /** One plain sentence for each thing that is missing; empty: ready. Answers within two seconds. */
  missing(): Promise<readonly string[]>
  /** From here on the process listens, and is ready as far as `check` finds nothing missing. */
  serve(check: () => Promise<readonly string[]>): void
  /** From here on it is not ready, whatever else holds: the balancer is to send nothing more. */
  stop(): void
}>

const CHECK_MS = 2000

/** An answer in time, whatever becomes of the check. */
const inTime = async (check: () => Promise<readonly string[]>): Promise<readonly string[]> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(() => resolve(['the stores have not answered in time']), CHECK_MS)
  })
  try {
    return await Promise.race([check(), late])
  } catch {
    return ['the stores could not be asked']
  } finally {
    clearTimeout(timer)
  }
}

/** Not ready until `serve`, and never again after `stop`. */
export const createReadiness = (): Readiness => {
  let check: (() => Promise<readonly string[]>) | undefined
  let stopping = false
  return {
    async missing() {
      if (stopping) return ['the server is stopping']
      return check ? inTime(check) : ['the server is starting: its stores are not open yet']
    },
    serve(asked) {
      check = asked
    },
    stop() {
      stopping = true
    },
  }
}
