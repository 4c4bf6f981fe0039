/** @type {import('jest').Config} */
export default {
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  runtime: '<rootDir>/test/support/jest/runtime.cjs',
  testEnvironment: '<rootDir>/test/support/jest/environment.js',
  globalSetup: '<rootDir>/test/support/jest/setup.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // Only a test that hangs takes so long, on a busy machine too.
  testTimeout: 60_000,
  // Node's module hooks compile: test/support/jest/register.js.
  transform: {},
}
