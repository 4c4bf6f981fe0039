// The words in which the engine's artifact adapters refuse. The engine is loaded already where it is
// the engine that asks; an operator's command opens the same adapters and has no need of it.
// biome-ignore-all lint/style/noRestrictedImports: these refusals are the engine's own

const engineErrors = async () => (await import('oidc-provider')).errors

/** To throw where a code, a token or a request was consumed by somebody else. */
export const alreadyConsumed = async (model: string): Promise<Error> => {
  const { InvalidGrant } = await engineErrors()
  return new InvalidGrant(`${model} already consumed`)
}

/** Whether an adapter threw `alreadyConsumed`. */
export const isAlreadyConsumed = async (error: unknown): Promise<boolean> => {
  const { InvalidGrant } = await engineErrors()
  return error instanceof InvalidGrant
}

/** To throw where a token identifier is there already (RFC 7519 section 4.1.7). */
export const jtiAlreadyUsed = async (): Promise<Error> => {
  const { InvalidRequest } = await engineErrors()
  return new InvalidRequest('jti was already used')
}
