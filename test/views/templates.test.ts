import { describe, expect, test } from '@jest/globals'
import { sourceFiles, sourceText } from '../style/sources.ts'

const templates = sourceFiles('.pug').filter((path) => path.startsWith('views/'))
const pages = templates.filter((path) => !path.startsWith('views/mail/'))

describe.each(templates)('%s', (path) => {
  test('escapes everything it is given', () => {
    expect(sourceText(path)).not.toMatch(/!=|!\{|\|\s*!/u)
  })
})

describe.each(pages)('%s', (path) => {
  test('has no inline style, script or handler', () => {
    const text = sourceText(path)
    expect(text).not.toMatch(/\bstyle=|\bon[a-z]+=|^\s*style\b|javascript:/mu)
    for (const line of text.split('\n').filter((each) => /^\s*script\b/u.test(each))) {
      expect(line).toMatch(/^\s*script\(type='module' src='\/assets\/[a-z-]+\.js'\)$/u)
    }
  })
})

test('the pages stand under one door to koa-views, in its middleware form', () => {
  const users = sourceFiles('.ts').filter(
    (path) => !path.startsWith('test/') && /(?:from |import\()'koa-views'/u.test(sourceText(path)),
  )
  expect(users).toEqual(['views/render.ts'])
  expect(sourceText('views/render.ts')).not.toMatch(/context\.render =/u)
})

test('every script and style sheet a template names exists', () => {
  const named = pages.flatMap(
    (path) => sourceText(path).match(/\/assets\/[a-z-]+\.(?:js|css)/gu) ?? [],
  )
  const present = sourceFiles('').filter((path) => path.startsWith('views/static/'))
  for (const asset of new Set(named)) {
    expect(present).toContain(asset.replace('/assets/', 'views/static/'))
  }
})
