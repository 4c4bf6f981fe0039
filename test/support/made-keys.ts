import { type MakeKey, makeKey, type PrivateJwk } from '../../keys/make.ts'

/** By algorithm, in the order they were first asked for. */
const made = new Map<string, Promise<PrivateJwk>[]>()

/**
 * Makes the keys of one installation under test: real ones, each another, but the same for every
 * installation in this process, since an RSA key takes a fifth of a second to find.
 */
export const keysMadeBefore = (): MakeKey => {
  const given = new Map<string, number>()
  return (alg) => {
    const place = given.get(alg) ?? 0
    given.set(alg, place + 1)
    const keys = made.get(alg) ?? []
    made.set(alg, keys)
    keys[place] ??= makeKey(alg)
    return keys[place]
  }
}
