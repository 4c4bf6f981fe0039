import everywhere from '../../jest.config.js'

/** @type {import('jest').Config} */
export default {
  ...everywhere,
  rootDir: '../..',
  // Named otherwise than `npm test` looks for, which has no replica set and skips nothing.
  testMatch: ['<rootDir>/test/mongodb/*.spec.ts', '<rootDir>/test/adapters/mongo/*.test.ts'],
  testTimeout: 120_000,
}
