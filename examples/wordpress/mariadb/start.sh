#!/bin/sh
# Makes a database in an empty volume, and has the server give the application its account at every start: who changes the secret
# and starts the container again has changed the password.
set -eu

if [ ! -e /var/lib/mysql/mysql ]; then
    mariadb-install-db --user=mysql --skip-test-db --auth-root-authentication-method=socket >/dev/null
fi

accounts=/run/mysqld/accounts.sql
password=$(sed "s/[\\\\']/\\\\&/g" /run/secrets/db_password)
(umask 077; cat >"$accounts") <<EOF
create database if not exists \`$DATABASE_NAME\` character set utf8mb4;
create user if not exists '$DATABASE_USER'@'%';
alter user '$DATABASE_USER'@'%' identified by '$password';
grant all on \`$DATABASE_NAME\`.* to '$DATABASE_USER'@'%';
EOF
chown mysql "$accounts"

exec mariadbd --user=mysql --bind-address="*" --init-file="$accounts"
