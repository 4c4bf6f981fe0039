#!/bin/sh
# Fills an empty store from a backup. Stop every server first; everybody has to sign in again.
#   deploy/restore.sh FILE
# The configuration is the server's own environment, secrets included: those of the time of the
# backup. KENPO_IDP says how the command is run.
set -eu
umask 077

file=${1:?usage: restore.sh FILE}
command=${KENPO_IDP:-npx kenpo-idp}

# Split into words on purpose.
# shellcheck disable=SC2086
$command store restore --from "$file"
# shellcheck disable=SC2086
$command society check
