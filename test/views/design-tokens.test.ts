import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'

const textOf = (specifier: string) => readFileSync(new URL(import.meta.resolve(specifier)), 'utf8')

/** `#fff` as `#ffffff`. */
const inFull = (color: string) =>
  /^#[\da-f]{3}$/u.test(color) ? color.replace(/[\da-f]/gu, '$&$&') : color

const TOKENS = new Map(
  [
    ...textOf('@digital-go-jp/design-tokens/dist/tokens.css').matchAll(
      /--color-([\w-]+): (#\w+);/gu,
    ),
  ].map(([, name = '', value = '']) => [name, inFull(value)]),
)
const [root = ''] = /:root \{[^}]*\}/u.exec(textOf('#views/static/app.css')) ?? []
const COLORS = [...root.matchAll(/(--[\w-]+): (#[\da-f]+);(?: \/\* (.+?) \*\/)?/gu)].map(
  ([, name = '', value = '', said = '']) => ({ name, value: inFull(value), said }),
)

describe('The colours', () => {
  test('are read from the style sheet, and the tokens from their package', () => {
    expect(COLORS.length).toBeGreaterThan(15)
    expect(COLORS).toHaveLength([...root.matchAll(/#[\da-f]{3,8}\b/gu)].length)
    expect(TOKENS.size).toBeGreaterThan(100)
  })

  test.each(COLORS)('$name is the token it is said to be, or says why it is none', (color) => {
    const { value, said } = color
    if (said.startsWith('no token: ')) {
      expect([...TOKENS.values()]).not.toContain(value)
      return
    }
    expect(TOKENS.get(said)).toBe(value)
  })
})
