#!/bin/sh
# Makes the cluster, the application's role and its database in an empty volume, then becomes the server.
set -eu

if [ ! -e "$PGDATA" ]; then
    # Takes its name when it is whole: whoever is killed before begins again.
    new=$PGDATA.new
    rm -rf "$new"
    initdb --pgdata="$new" --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 >/dev/null
    echo 'host all all samenet scram-sha-256' >>"$new/pg_hba.conf"
    password=$(sed "s/'/''/g" /run/secrets/db_password)
    postgres --single -D "$new" postgres >/dev/null <<EOF
create role notes login password '$password'
create database notes owner notes
EOF
    mv "$new" "$PGDATA"
fi

exec postgres -c 'listen_addresses=*'
