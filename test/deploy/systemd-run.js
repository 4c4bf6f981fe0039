// As much of systemd-run as deploy/kenpo-idp.sh asks of it, in folders below KENPO_TEST_ROOT.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = process.env.KENPO_TEST_ROOT ?? ''
const given = process.argv.slice(2)
const first = given.findIndex((one) => !one.startsWith('--'))
const options = given.slice(0, first)
const [command = '', ...args] = given.slice(first)
const of = (name) =>
  options.filter((one) => one.startsWith(`--${name}=`)).map((one) => one.slice(name.length + 3))
const properties = (name) =>
  of('property')
    .filter((one) => one.startsWith(`${name}=`))
    .map((one) => one.slice(name.length + 1))
const below = (path) => path.replace(/^\/(run|var)\//, `${root}/$1/`)

const credentials = below(`/run/credentials/${of('unit')[0]}.service`)
mkdirSync(credentials, { recursive: true })
for (const one of properties('LoadCredential')) {
  const [id = '', path = ''] = one.split(':')
  copyFileSync(path, join(credentials, id))
}
for (const name of properties('StateDirectory')) {
  mkdirSync(below(`/var/lib/${name}`), { recursive: true })
}
const lines = [
  ...properties('Environment'),
  // What stands in a file is stronger.
  ...properties('EnvironmentFile').flatMap((path) => readFileSync(path, 'utf8').split('\n')),
].filter((line) => line.includes('='))
const env = Object.fromEntries(
  lines.map((line) => {
    const at = line.indexOf('=')
    return [line.slice(0, at), below(line.slice(at + 1))]
  }),
)
writeFileSync(join(root, 'properties'), of('property').join('\n'))
const { status } = spawnSync(
  command,
  args.map((one) => one.replaceAll('$$', '$')),
  { cwd: below(of('working-directory')[0] ?? ''), env, stdio: 'inherit' },
)
process.exitCode = status ?? 1
