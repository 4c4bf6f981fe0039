/** A template of views/: the page or mail as HTML, everything in it escaped. */
export type Template = (locals: object) => string

/**
 * The template of that name as scripts/templates.js has compiled it.
 * @param name its path in views/ without the extension: `password`, `mail/mail`
 * @throws where there is none
 */
export const compiled = async (name: string): Promise<Template> => {
  // What that script writes is a module with the function as its default.
  const module = (await import(`#views/compiled/${name}.js`)) as { default: Template }
  return module.default
}
