#!/bin/sh
# Dumps the database every BACKUP_EVERY seconds and keeps the BACKUPS_KEPT newest; with --check: is the newest one new enough?
set -eu

if [ "${1:-}" = --check ]; then
    find /backups -name '*.dump' -newermt "-$((BACKUP_EVERY * 2)) seconds" | grep -q .
    exit
fi

PGPASSWORD=$(cat /run/secrets/db_password)
export PGPASSWORD
while true; do
    name=/backups/$(date -u +%Y-%m-%dT%H-%M-%SZ)
    # Under its name when it is whole.
    if pg_dump --format=custom --file="$name.part"; then
        mv "$name.part" "$name.dump"
        echo "wrote $name.dump, $(stat -c %s "$name.dump") bytes"
        ls -r /backups/*.dump | tail -n "+$((BACKUPS_KEPT + 1))" | xargs -r rm --
    fi
    sleep "$BACKUP_EVERY"
done
