#!/bin/sh
# Brings the database to what it was in a backup: the newest one, or the one that is named. All of it or, when something fails, nothing.
set -eu

file=${1:-$(ls -r /backups/*.dump | head -n 1)}
case $file in /*) ;; *) file=/backups/$file ;; esac
PGPASSWORD=$(cat /run/secrets/db_password)
export PGPASSWORD
pg_restore --dbname="$PGDATABASE" --clean --if-exists --no-owner --single-transaction "$file"
echo "restored $file"
