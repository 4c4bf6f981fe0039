import { type ModuleItem, parseSync } from '@swc/core'

/** One import or re-export from another module. */
export type Import = Readonly<{ from: string; typeOnly: boolean }>
export type Syntax = Readonly<{
  imports: readonly Import[]
  /** Each thing looked up or called, as `process.env`, `Math.random`, `new Date()`, `.skip`. */
  uses: ReadonlySet<string>
}>

type Node = Readonly<Record<string, unknown>>
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** `ctx.request.ip` → 'ctx.request.ip'; on anything but plain names the last part alone: '.ip'. */
const nameOf = (node: unknown): string => {
  if (!isNode(node)) return ''
  if (node.type === 'Identifier') return String(node.value)
  if (node.type !== 'MemberExpression' || !isNode(node.property)) return ''
  const { property } = node
  if (property.type === 'Computed') {
    const key = isNode(property.expression) ? property.expression : {}
    return key.type === 'StringLiteral' ? `${nameOf(node.object)}.${String(key.value)}` : ''
  }
  return `${nameOf(node.object)}.${String(property.value)}`
}

const usesOf = (node: Node): readonly string[] => {
  switch (node.type) {
    case 'Identifier':
      return [nameOf(node)]
    case 'MemberExpression': {
      const name = nameOf(node)
      return [name, name.slice(name.lastIndexOf('.'))]
    }
    case 'NewExpression': {
      const hasArguments = Array.isArray(node.arguments) && node.arguments.length > 0
      return hasArguments ? [] : [`new ${nameOf(node.callee)}()`]
    }
    case 'CallExpression': {
      const [first] = Array.isArray(node.arguments) ? node.arguments : []
      const literal = isNode(first) && isNode(first.expression) ? first.expression.value : undefined
      const called = nameOf(node.callee).split('.').at(-1)
      return typeof literal === 'string' ? [`${called}('${literal}')`] : []
    }
    default:
      return []
  }
}

const collect = (value: unknown, uses: Set<string>): void => {
  if (Array.isArray(value)) for (const item of value) collect(item, uses)
  else if (isNode(value)) {
    for (const use of usesOf(value)) uses.add(use)
    for (const child of Object.values(value)) collect(child, uses)
  }
}

const importOf = (item: ModuleItem): readonly Import[] => {
  switch (item.type) {
    case 'ImportDeclaration': {
      const named = item.specifiers
      const typeOnly =
        item.typeOnly ||
        (named.length > 0 && named.every((s) => s.type === 'ImportSpecifier' && s.isTypeOnly))
      return [{ from: item.source.value, typeOnly }]
    }
    case 'ExportAllDeclaration':
      return [{ from: item.source.value, typeOnly: false }]
    case 'ExportNamedDeclaration':
      return item.source ? [{ from: item.source.value, typeOnly: item.typeOnly }] : []
    default:
      return []
  }
}

/** What a TypeScript module uses, comments and texts left aside. */
export const syntaxOf = (source: string): Syntax => {
  const module = parseSync(source, { syntax: 'typescript', target: 'es2022' })
  const uses = new Set<string>()
  collect(module.body, uses)
  return { imports: module.body.flatMap(importOf), uses }
}
