import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Member } from '../../accounts/member.ts'
import { addDemoMembers, DEMO_MEMBERS, type DemoMember } from '../../config/demo-members.ts'
import { hashPassword } from '../../factors/password.ts'
import { enterMailedCode, press } from '../browser/signing-in.ts'
import { startCommand } from '../cli/command.ts'
import { ROOT, sourceText } from '../style/sources.ts'
import { freePort } from '../support/deployment.ts'
import type { Idp } from '../support/idp.ts'

const GUIDE = sourceText('docs/integrate.md')

/** The commands under `<!-- example:name -->` of the guide. */
export const guideExample = (name: string): string => {
  const block = new RegExp(`<!-- example:${name} -->\n\`\`\`\\w+\n(.*?)\n\`\`\``, 's')
  const text = block.exec(GUIDE)?.[1]
  if (text === undefined) throw new Error(`docs/integrate.md has no example "${name}"`)
  return text
}

/** The words of one command of the guide, without its line continuations and quotes. */
export const wordsOf = (command: string): readonly string[] =>
  [...command.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  )

/** The demo member whom the guide lets sign in. */
export const theDemoMember = (): DemoMember => {
  const named = DEMO_MEMBERS.filter(({ loginId }) => GUIDE.includes(`\`${loginId}\``))
  const [member] = named
  if (!member || named.length > 1 || !GUIDE.includes(`\`${member.password}\``)) {
    throw new Error('docs/integrate.md does not name one demo member with the password')
  }
  return member
}

/** Puts the demo's members into the store, as `npm start` does; returns the guide's. */
export const withDemoMembers = async (idp: Idp): Promise<Member> => {
  const { members, settings } = idp.services
  await addDemoMembers({
    members,
    societies: settings.societies,
    clientFile: { clients: new Map() },
    hashPassword,
    now: idp.clock.now(),
  })
  const { societyId, loginId } = theDemoMember()
  const member = await members.findByLoginId(societyId, loginId)
  if (!member) throw new Error(`there is no demo member ${loginId}`)
  return member
}

export type Example = Readonly<{
  /** http://localhost:port */
  home: string
  /** What `client create` printed. */
  registered: Readonly<Record<string, string>>
  /** What the app wrote to its standard error. */
  said(): string
  stop(): Promise<void>
}>

/**
 * Registers an example by the guide's own command, at another port, and starts it as its `npm start`
 * does, with what was printed.
 */
export const startExample = async (name: 'express' | 'spa', idp: Idp): Promise<Example> => {
  const [npx, command, ...args] = wordsOf(guideExample(`register-${name}`))
  if (npx !== 'npx' || command !== 'kenpo-idp') throw new Error(`${npx} ${command} is no command`)
  const home = `http://localhost:${await freePort()}`
  const here = args.map((arg) => arg.replace(/http:\/\/localhost:400\d/, home))
  const env = { ...idp.stores.env, IDP_ISSUER: idp.issuer }
  const { code, out, err } = await startCommand(idp.dataDir, env, here).ended
  if (code !== 0) throw new Error(`client create: ${err}`)
  const registered = Object.fromEntries(
    [...out.matchAll(/^(\w+) {2,}(\S.*)$/gm)].map(([, key, value]) => [key, value]),
  )

  const folder = join(ROOT, 'examples', name)
  const { scripts } = JSON.parse(sourceText(`examples/${name}/package.json`)) as {
    scripts: Readonly<Record<string, string>>
  }
  const [program, ...parameters] = (scripts.start ?? '').split(' ')
  if (program !== 'node') throw new Error(`npm start of ${name} runs ${program}`)
  const child: ChildProcess = spawn(process.execPath, parameters, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      ISSUER: idp.issuer,
      APP_URL: home,
      CLIENT_ID: registered.client_id,
      CLIENT_SECRET: registered.client_secret,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const exited = once(child, 'exit')
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes(`Open ${home}/`)) resolve()
    })
    exited.then(() => reject(new Error(`the example ${name} ended: ${errors}`)))
  })
  return {
    home,
    registered,
    said: () => errors,
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** From our login page back to the app: user ID, password, the code that was mailed. */
export const signInAsDemoMember = async (page: Page, idp: Idp, member: Member): Promise<void> => {
  const { loginId, password } = theDemoMember()
  await page.getByLabel('ユーザID').fill(loginId)
  await page.getByLabel('パスワード', { exact: true }).fill(password)
  await press(page, 'ログイン')
  await enterMailedCode(page, idp, member)
}

/** The JSON that the example shows in its n-th block. */
export const shownJson = async (page: Page, index = 0): Promise<Record<string, unknown>> =>
  JSON.parse((await page.locator('pre').nth(index).textContent()) ?? '')
