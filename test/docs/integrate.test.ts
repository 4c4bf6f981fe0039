import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ACR_LADDER } from '../../accounts/assurance.ts'
import { DEMO_MEMBERS } from '../../config/demo-members.ts'
import { runHere } from '../cli/command.ts'
import { guideExample, theDemoMember, wordsOf } from '../examples/support.ts'
import { ROOT, sourceText } from '../style/sources.ts'

const GUIDE = sourceText('docs/integrate.md')
const EXAMPLES = ['express', 'spa'] as const

type Manifest = Readonly<{
  private?: boolean
  engines?: Readonly<Record<string, string>>
  dependencies?: Readonly<Record<string, string>>
  devDependencies?: Readonly<Record<string, string>>
}>
const manifest = (folder: string): Manifest => JSON.parse(sourceText(join(folder, 'package.json')))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kenpo-id-guide-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A printed table of names and values. */
const table = (text: string) =>
  Object.fromEntries(
    [...text.matchAll(/^([\w#]+) {2,}(\S.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )

describe('docs/integrate.md: what it says is so', () => {
  test('the registration of the Express example prints what the guide shows', async () => {
    const [, , ...args] = wordsOf(guideExample('register-express'))
    const { code, out, err } = await runHere(folder, ...args)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const shown = table(guideExample('printed-express'))
    const printed = table(out)
    expect(printed).toMatchObject({ ...shown, client_secret: expect.stringMatching(/^[\w-]{43}$/) })
    expect(shown.client_secret).toHaveLength(printed.client_secret?.length ?? 0)
    // The command that starts it has that ID and that secret.
    expect(guideExample('run-express')).toContain(
      `CLIENT_ID=${shown.client_id} CLIENT_SECRET=${shown.client_secret} npm start`,
    )
  })

  test('the registration of the single-page example gives no secret', async () => {
    const [, , ...args] = wordsOf(guideExample('register-spa'))
    const { code, out } = await runHere(folder, ...args)
    expect(code).toBe(0)
    const printed = table(out)
    expect(printed).toMatchObject({ token_endpoint_auth_method: 'none' })
    expect(printed).not.toHaveProperty('client_secret')
    expect(guideExample('run-spa')).toContain(`CLIENT_ID=${printed.client_id} npm start`)
  })

  test('every other flag and metadata name of its text is understood by the command', async () => {
    const flags = new Set([...GUIDE.matchAll(/`(--set [^`]+)`/g)].map(([, flag = '']) => flag))
    expect(flags.size).toBeGreaterThan(2)
    const sets = [...flags].flatMap(wordsOf)
    const made = await runHere(
      folder,
      'client',
      'create',
      '--id',
      'flags',
      '--name',
      'Flags',
      '--society',
      'sakura',
      '--redirect-uri',
      'https://app.example.jp/callback',
      ...sets,
    )
    expect({ code: made.code, err: made.err }).toEqual({ code: 0, err: '' })
    const help = (await runHere(folder, 'client', 'create', '--help')).out
    // What follows speaks of other commands.
    const [registering = ''] = GUIDE.split('## When it is refused')
    const named = [...registering.matchAll(/(?<![\w-])(--[a-z][a-z-]*)/g)].map(
      ([, flag = '']) => flag,
    )
    expect(named).toContain('--acr')
    expect(named.filter((flag) => !help.includes(`${flag} `))).toEqual([])
  })

  test('the member who signs in is one of the demo whose first login is done', () => {
    expect(DEMO_MEMBERS).toContainEqual(
      expect.objectContaining({ ...theDemoMember(), progress: 'enrolled' }),
    )
  })

  test('its acr values are the ladder', () => {
    const told = [...GUIDE.matchAll(/^\| `([^`]+)` \| (?:the password|two|a passkey)/gm)]
    expect(told.map(([, acr]) => acr)).toEqual([...ACR_LADDER])
  })

  test.each(EXAMPLES)('the %s example is installed and started as its commands say', (name) => {
    expect(guideExample(`run-${name}`)).toContain(`cd examples/${name} && npm install`)
    expect(sourceText(`examples/${name}/README.md`)).toContain('../../docs/integrate.md')
    expect(existsSync(join(ROOT, 'examples', name, 'server.js'))).toBe(true)
  })
})

describe('The examples are of the versions that are tested', () => {
  const ours = manifest('.')
  const tested = { ...ours.devDependencies, ...ours.dependencies }

  test.each(EXAMPLES)('%s names exactly those of this repository', (name) => {
    const { dependencies = {}, engines, private: isPrivate } = manifest(`examples/${name}`)
    expect(Object.keys(dependencies)).not.toEqual([])
    for (const [library, version] of Object.entries(dependencies)) {
      expect({ library, version }).toEqual({ library, version: tested[library] })
      expect(version).toMatch(/^\d+\.\d+\.\d+$/)
    }
    expect(engines).toEqual(ours.engines)
    expect(isPrivate).toBe(true)
  })
})
