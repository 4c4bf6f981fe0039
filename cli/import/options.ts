import { columnKey } from '../columns.ts'

/** Shift_JIS as Windows writes it, and UTF-8 with or without its mark. */
export const ENCODINGS = ['utf-8', 'cp932'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** Names of columns as given in one option: 氏名,所属. */
export const columnList = (given: string, former: readonly string[] = []): readonly string[] => [
  ...former,
  ...given.split(',').filter((name) => columnKey(name) !== ''),
]
