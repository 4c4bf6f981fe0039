const { createRequire } = require('node:module')
const { fileURLToPath, pathToFileURL } = require('node:url')
const { default: JestRuntime } = require('jest-runtime')
const { compiledPath } = require('../typescript/compiled.cjs')

/** It keeps one test file's tests: every file gets a new one, as Jest has it. */
const INITIALIZER = /jest-circus.build.jestAdapterInit\.js$/
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS')

/** Of every file that has been in a stack trace: the product's log has many. */
const mapPaths = new Map()

/** The path of each file's source map, by the URL that it has in a stack trace. */
class SourceMaps extends Map {
  get(url) {
    if (!this.has(url)) return undefined
    const path = mapPaths.get(url) ?? `${compiledPath(fileURLToPath(url))}.map`
    mapPaths.set(url, path)
    return path
  }

  has(url) {
    return /^file:.*\.ts$/.test(url)
  }
}

/**
 * Jest's runtime on Node's own module loader. Jest's would load every module anew for every test
 * file, into a context of its own, where nothing is ever warm and `Array` is not Node's `Array`;
 * here the product runs as it does in production, and is loaded once per worker. So test files in
 * one worker share the modules' state: ours have none that would show, and mocks of modules, which
 * this cannot do, are not used.
 */
class NativeRuntime extends JestRuntime {
  getSourceMaps() {
    return new SourceMaps()
  }

  unstable_shouldLoadAsEsm() {
    return true
  }

  unstable_importModule(path) {
    return import(pathToFileURL(path).href)
  }

  requireModule(from, name) {
    return createRequire(from)(name ?? from)
  }

  requireInternalModule(from, name) {
    if (INITIALIZER.test(from)) {
      delete require.cache[from]
      delete globalThis[EVENT_HANDLERS]
    }
    return this.requireModule(from, name)
  }

  /** What globals.js hands on. */
  setGlobalsForRuntime(globals) {
    super.setGlobalsForRuntime(globals)
    globalThis[Symbol.for('kenpo-id.jest')] = this.jestGlobals.cjsGlobals(this._testPath)
  }
}

module.exports = { default: NativeRuntime, __esModule: true }
