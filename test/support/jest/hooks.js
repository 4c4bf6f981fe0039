const GLOBALS = new URL('./globals.js', import.meta.url).href

/** Node's module hook: what Jest offers. */
export const resolve = (specifier, context, next) =>
  specifier === '@jest/globals' ? { url: GLOBALS, shortCircuit: true } : next(specifier, context)
