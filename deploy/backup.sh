#!/bin/sh
# Writes everything that lasts into a new file, beside running servers, then deletes old ones.
#   deploy/backup.sh DIRECTORY [DAYS]
# The configuration is the server's own environment. KENPO_IDP says how the command is run.
set -eu
umask 077

directory=${1:?usage: backup.sh DIRECTORY [DAYS]}
days=${2:-35}
command=${KENPO_IDP:-npx kenpo-idp}

mkdir -p "$directory"
file="$directory/kenpo-id-$(date -u +%Y%m%dT%H%M%SZ).backup"
# Split into words on purpose.
# shellcheck disable=SC2086
$command store backup --to "$file"

# Reached with a whole new backup only.
find "$directory" -maxdepth 1 -type f -name 'kenpo-id-*.backup' -mtime "+$days" -delete
