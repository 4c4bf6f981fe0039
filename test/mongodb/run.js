// `npm run test:mongodb`: what only a real replica set can show. `npm test` does without.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

if (!process.env.MONGO_TEST_URL) {
  console.error(
    'MONGO_TEST_URL is missing. It names a MongoDB replica set made for tests, with a user of the ' +
      'roles "root" or "dbOwner" on databases named kenpo-test-* and "clusterManager", over TLS: ' +
      'MONGO_TEST_URL="mongodb://user:password@a.example,b.example,c.example/admin' +
      '?replicaSet=rs0&tls=true&tlsCAFile=/path/to/ca.pem" npm run test:mongodb\n' +
      'The tests let its primary step down, which ends every connection to it.',
  )
  process.exit(1)
}

const { status } = spawnSync(
  process.execPath,
  [
    '--import',
    pathToFileURL(join(root, 'test/support/jest/register.js')).href,
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    '--runInBand',
    `--config=${join(root, 'test/mongodb/jest.config.js')}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
)
process.exitCode = status ?? 1
