/** A template of views/: the page or mail as HTML, everything in it escaped. */
export type Template = (locals: object) => string

/** An `import()` finds its file anew each time, also of a module that is loaded. */
const loaded = new Map<string, Template>()

/**
 * The template of that name as scripts/templates.js has compiled it.
 * @param name its path in views/ without the extension: `password`, `mail/mail`
 * @throws where there is none
 */
export const compiled = async (name: string): Promise<Template> => {
  const known = loaded.get(name)
  if (known) return known
  // What that script writes is a module with the function as its default.
  const module = (await import(`#views/compiled/${name}.js`)) as { default: Template }
  loaded.set(name, module.default)
  return module.default
}
