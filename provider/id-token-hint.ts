import { decodeProtectedHeader } from 'jose'
import type { Client, Provider } from 'oidc-provider'
import { CLIENT_ALGORITHMS } from '../clients/schema.ts'

/** The engine's types leave this out. */
type Validating = { validate(jwt: string, client: Client): Promise<unknown> }

/** What the engine looks at of a client there: whose ID token it must be, signed by which algorithm. */
const asItWasSigned = (jwt: string, client: Client): Client => {
  const { alg } = decodeProtectedHeader(jwt)
  const earlier = CLIENT_ALGORITHMS.find((one) => one === alg)
  if (earlier === undefined || earlier === client.idTokenSignedResponseAlg) return client
  return { clientId: client.clientId, idTokenSignedResponseAlg: earlier } as Client
}

/**
 * An ID token of ours is a good hint of its sign-in also where the client has been registered for
 * another algorithm since (RP-Initiated Logout 1.0 section 2): otherwise every member signed in at
 * that moment could not sign out there any more. The signature must be by a key we hold.
 * @throws where the engine no longer has that method
 */
export const acceptEarlierAlgorithms = ({ IdToken }: Provider): void => {
  if (!('validate' in IdToken)) {
    throw new Error('the engine has no IdToken.validate: see provider/id-token-hint.ts')
  }
  const engine = IdToken as typeof IdToken & Validating
  const validate = engine.validate.bind(engine)
  engine.validate = async (jwt, client) => validate(jwt, asItWasSigned(jwt, client))
}
