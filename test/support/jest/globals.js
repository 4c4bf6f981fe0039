/** What '@jest/globals' is to a test file that Node loads (runtime.cjs): each name is that of the
 * test file now running, also in modules that another one had loaded before. */
const ofThisFile = (name) => {
  const current = () => globalThis[Symbol.for('kenpo-id.jest')][name]
  return new Proxy(() => undefined, {
    apply: (_, self, args) => Reflect.apply(current(), self, args),
    get: (_, key) => current()[key],
  })
}

export const afterAll = ofThisFile('afterAll')
export const afterEach = ofThisFile('afterEach')
export const beforeAll = ofThisFile('beforeAll')
export const beforeEach = ofThisFile('beforeEach')
export const describe = ofThisFile('describe')
export const expect = ofThisFile('expect')
export const jest = ofThisFile('jest')
export const test = ofThisFile('test')
