#!/bin/sh
# The operator's commands with the settings and secrets of the installed unit and as its user, beside
# the running server or without it. As root:
#   install -m 755 deploy/kenpo-idp.sh /usr/local/bin/kenpo-idp
#   kenpo-idp member show sakura 12345-704 --operator "Tanaka"
# It works in /var/lib/kenpo-id-files: files are read and written there, as that user. KENPO_UNIT
# names another unit.
set -eu

unit=${KENPO_UNIT:-kenpo-id.service}
run=kenpo-idp-$$

# A "$" would be a variable to systemd.
for argument do
  shift
  set -- "$@" "$(printf %s "$argument" | sed 's/\$/$$/g')"
done
set -- /usr/bin/node --disable-warning=DEP0040 /opt/kenpo-id/bin/kenpo-idp.js "$@"

# With what was changed by "systemctl edit", and in that order: each goes before the ones after it.
taken='User|Group|UMask|Environment|EnvironmentFile|LoadCredential|StateDirectory|StateDirectoryMode'
settings=$(systemctl cat "$unit" | grep -E "^($taken)=" |
  sed -e "s|%d|/run/credentials/$run.service|g" -e 's|%S|/var/lib|g' -e 's|%C|/var/cache|g' | tac)
while IFS= read -r setting; do
  set -- "--property=$setting" "$@"
done <<END
$settings
END

# Ctrl-C ends the command too, not only the wait for it.
trap 'systemctl stop "$run.service" || :' INT TERM
systemd-run --quiet --pipe --wait --collect --service-type=exec --unit="$run" \
  --description="Kenpo ID, an operator's command" \
  --working-directory=/var/lib/kenpo-id-files --property=StateDirectory=kenpo-id-files "$@"
