import { ModernFakeTimers } from '@jest/fake-timers'
import { ModuleMocker } from 'jest-mock'

/** Where Jest keeps what `jest.setTimeout` sets. */
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL')

/** Node as it is, without a context of the tests' own: see runtime.cjs. */
export default class NodeAsItIs {
  constructor({ projectConfig }) {
    // Jest puts things of its own on it, and would wrap the process that it finds there.
    this.global = Object.create(globalThis, {
      process: { value: undefined },
      [TEST_TIMEOUT]: {
        set: (milliseconds) => {
          globalThis[TEST_TIMEOUT] = milliseconds
        },
      },
    })
    this.moduleMocker = new ModuleMocker(globalThis)
    this.fakeTimers = null
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis })
  }

  getVmContext() {
    return null
  }

  async setup() {}

  async teardown() {
    this.fakeTimersModern.dispose()
    delete globalThis[TEST_TIMEOUT]
  }
}
