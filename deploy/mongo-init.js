// Run by mongosh in compose.yaml: a replica set of the one server, and the product's user in it.
// Changes nothing where both are there, but the user's password, which is what the secret says.
const { readFileSync } = require('node:fs')

const secret = (name) => readFileSync(`/run/secrets/${name}`, 'utf8').trim()

const admin = connect('mongodb://mongo:27017/admin?directConnection=true')
admin.auth('root', secret('mongo_root_password'))

try {
  admin.adminCommand({ replSetGetStatus: 1 })
} catch {
  const members = [{ _id: 0, host: 'mongo:27017' }]
  admin.adminCommand({ replSetInitiate: { _id: 'rs0', members } })
}
while (!admin.hello().isWritablePrimary) sleep(200)

const user = {
  pwd: secret('mongo_password'),
  roles: [{ role: 'readWrite', db: 'kenpo' }],
}
if (admin.getUser('kenpo')) admin.updateUser('kenpo', user)
else admin.createUser({ user: 'kenpo', ...user })
