import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { run } from '../../cli/program.ts'
import { ROOT } from '../style/sources.ts'

export type Outcome = Readonly<{ code: number | null; out: string; err: string }>
export type RunningCommand = Readonly<{ child: ChildProcess; ended: Promise<Outcome> }>

/** The command as the operator types it, in a process of its own beside a running server. */
export const startCommand = (
  dataDir: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): RunningCommand => {
  const child = spawn(process.execPath, [join(ROOT, 'bin/kenpo-idp.js'), ...args], {
    env: { ...process.env, NODE_ENV: 'test', ...env, IDP_DATA_DIR: dataDir },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8')
  })
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
  return { child, ended }
}

export const runCommand = (dataDir: string, ...args: readonly string[]): Promise<Outcome> =>
  startCommand(dataDir, {}, args).ended

/** `runHere` with more in the environment. */
export const runWith = async (
  dataDir: string,
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Outcome> => {
  let out = ''
  let err = ''
  const code = await run(args, {
    env: { NODE_ENV: 'test', IDP_DATA_DIR: dataDir, ...env },
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    progress: () => ({ advance: () => {}, end: () => {} }),
  })
  return { code, out, err }
}

/** The command within this process, on stores that no server of this process has open. */
export const runHere = (dataDir: string, ...args: readonly string[]): Promise<Outcome> =>
  runWith(dataDir, {}, ...args)
