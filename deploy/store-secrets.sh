#!/bin/sh
# Makes users and passwords for the Redis and the MongoDB of compose.yaml, once; a file that is there
# already ends it.
#   deploy/store-secrets.sh DIRECTORY
set -eu
umask 077

directory=${1:?usage: store-secrets.sh DIRECTORY}
mkdir -p "$directory"
chmod 700 "$directory"
for name in redis_url redis_acl mongo_url mongo_password mongo_root_password mongo_keyfile; do
  if [ -e "$directory/$name" ]; then
    echo "$directory/$name is there already: nothing is made" >&2
    exit 1
  fi
done

random() {
  openssl rand -hex 32
}
# Nobody but its owner enters the directory; the containers, each with a user of its own, are given
# single files of it.
keep() {
  cat >"$directory/$1"
  chmod 444 "$directory/$1"
}

# All that the product asks of Redis: docs/operate.md.
rules='resetkeys ~kenpo:* resetchannels -@all +get +set +del +exists +getdel +incrby +expire +ttl
 +pttl +pexpiretime +multi +exec +eval +evalsha +ping +info +config|get +mget +cluster|slots
 +cluster|info +client|setname'
rules=$(printf %s "$rules" | tr -d '\n')
redis=$(random)
hash=$(printf %s "$redis" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
mongo=$(random)
printf 'redis://kenpo:%s@redis:6379\n' "$redis" | keep redis_url
keep redis_acl <<END
user default off
user health on nopass resetkeys resetchannels -@all +ping
user kenpo on #$hash $rules
END
printf 'mongodb://kenpo:%s@mongo:27017/kenpo?replicaSet=rs0&authSource=admin\n' "$mongo" |
  keep mongo_url
printf '%s\n' "$mongo" | keep mongo_password
random | keep mongo_root_password
openssl rand -base64 756 | keep mongo_keyfile
