import { Presets, SingleBar } from 'cli-progress'
import type { Locale } from '../../accounts/member.ts'

export type Progress = Readonly<{ advance(rows: number): void; end(): void }>

const EVERY = 1000

/** A bar on a terminal, a line every thousand rows elsewhere; on standard error. */
export const showProgress = (
  total: number,
  locale: Locale,
  output: NodeJS.WriteStream = process.stderr,
): Progress => {
  if (output.isTTY) {
    const bar = new SingleBar(
      { stream: output, format: '{bar} {percentage}% {value}/{total} ETA {eta_formatted}' },
      Presets.shades_classic,
    )
    bar.start(total, 0)
    return { advance: (rows) => bar.increment(rows), end: () => bar.stop() }
  }
  let done = 0
  return {
    advance: (rows) => {
      const before = Math.floor(done / EVERY)
      done += rows
      if (Math.floor(done / EVERY) === before) return
      output.write(locale === 'ja' ? `${done}/${total}行\n` : `${done} of ${total} rows\n`)
    },
    end: () => {},
  }
}
