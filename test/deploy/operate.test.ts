import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { createMetrics } from '../../adapters/metrics.ts'
import { ACL_RULES } from '../../adapters/redis/connect.ts'
import { OPTIONS } from '../../config/options.ts'
import { sourceText } from '../style/sources.ts'

const GUIDE = { en: sourceText('docs/operate.md'), ja: sourceText('docs/operate.ja.md') } as const
const LOCALES = ['en', 'ja'] as const

const matchesOf = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([whole, one]) => one ?? whole)
const blocksOf = (text: string) => matchesOf(text, /```\w+\n([\s\S]*?)```/g)
const block = (text: string, name: string): string =>
  new RegExp(`<!-- operate:${name} -->\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? ''
/** What is typed is the same in both languages. */
const typedIn = (text: string) =>
  new Set(
    matchesOf(text, /`((?:IDP_|npx |deploy\/|\/)[^`]*)`/g).map((typed) =>
      typed.replace(/ --lang \w+$/, ''),
    ),
  )
const shapeOf = (text: string) =>
  matchesOf(text, /^(#+ |\d+\. |\| )/gm)
    .map((mark) => mark.trim())
    .join('')

describe('docs/operate.md', () => {
  test('says the same in both languages: sections, steps, tables, examples, what is typed', () => {
    expect(shapeOf(GUIDE.ja)).toBe(shapeOf(GUIDE.en))
    expect(blocksOf(GUIDE.ja)).toEqual(blocksOf(GUIDE.en))
    expect(typedIn(GUIDE.ja)).toEqual(typedIn(GUIDE.en))
    expect(blocksOf(GUIDE.en)).toHaveLength(6)
  })

  test.each(LOCALES)('names options that there are (%s)', (locale) => {
    const names = new Set(matchesOf(GUIDE[locale], /IDP_[A-Z_]+/g))
    expect(names.size).toBeGreaterThan(10)
    expect(
      [...names].filter((name) => !(name in OPTIONS) && !(name.replace(/_FILE$/, '') in OPTIONS)),
    ).toEqual([])
  })

  test('grants the Redis user what the product asks for, and no more', () => {
    expect(block(GUIDE.en, 'acl').trim().split(/\s+/)).toEqual([
      'ACL',
      'SETUSER',
      'kenpo',
      'on',
      '>PASSWORD',
      ...ACL_RULES,
    ])
  })

  test('raises the alarm on figures that the server has', async () => {
    const { groups } = parse(block(GUIDE.en, 'alerts')) as {
      groups: readonly Readonly<{ rules: readonly Readonly<{ expr: string }>[] }>[]
    }
    const metrics = createMetrics(() => ({ running: 0, waiting: 0 }))
    const known = metrics.registry.getMetricsAsArray().map(({ name }) => name)
    const used = groups
      .flatMap(({ rules }) => rules)
      .flatMap(({ expr }) => matchesOf(expr, /idp_[a-z_]+/g))
      .map((name) => name.replace(/_(count|sum|bucket)$/, ''))
    expect(used.length).toBeGreaterThan(4)
    // The queue's figure is there once the stores are.
    expect(used.filter((name) => !known.includes(name))).toEqual(['idp_mail_queue_depth'])
  })
})
