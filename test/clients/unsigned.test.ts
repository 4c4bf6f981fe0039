import { expect, test } from '@jest/globals'
import type { Log } from '../../accounts/ports.ts'
import type { KnownClients } from '../../clients/directory.ts'
import { tellOfUnsignable } from '../../clients/unsigned.ts'

test('clients that wait for a signature without a key are named in one line', async () => {
  const lines: unknown[] = []
  // Only what is looked at.
  const log = { warn: (...line: unknown[]) => lines.push(line) } as unknown as Log
  const client = (id: string, alg?: string) => ({
    client: { id, metadata: alg === undefined ? {} : { id_token_signed_response_alg: alg } },
  })
  const list = async () => [
    client('usual'),
    client('fine', 'RS256'),
    ...Array.from({ length: 30 }, (_, at) => client(`app-${at}`, 'ES256')),
  ]
  const known = { list } as unknown as Pick<KnownClients, 'list'>
  await tellOfUnsignable(known, { signingAlgorithms: ['RS256', 'ES256'] }, log)
  expect(lines).toEqual([])
  await tellOfUnsignable(known, { signingAlgorithms: ['RS256'] }, log)
  expect(lines).toEqual([
    [
      expect.objectContaining({
        clients: 30,
        clientIds: Array.from({ length: 20 }, (_, at) => `app-${at}`),
        missing: ['ES256'],
      }),
      'client_algorithm_without_key',
    ],
  ])
})
