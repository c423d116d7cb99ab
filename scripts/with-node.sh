#!/bin/sh
# Runs one of the project's scripts with the Node that npm brought: sh scripts/with-node.sh scripts/check.ts [arguments]
# Installs the npm packages first when they are missing or older than the lock file, so that a clean clone needs no step before.
set -eu
root=$(readlink -f -- "$0")
root=${root%/scripts/*}
cd "$root"

installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ -n "$(find package-lock.json -newer "$installed")" ]; then
  if ! command -v npm >/dev/null 2>&1; then
    echo "wharf: npm is needed to fetch the project's packages: install it with \`apt-get install npm\`" >&2
    exit 1
  fi
  echo "wharf: installing npm packages (npm ci)" >&2
  # Install scripts are never run: the Node binary and koffi's library are plain optional packages.
  quiet='--ignore-scripts --no-audit --no-fund --loglevel=error'
  # npm ci refuses a lock file that was written where the registry lacks other platforms' packages; npm install takes it, to the same
  # versions, and --no-save leaves it as it is.
  # shellcheck disable=SC2086
  npm ci $quiet >/dev/null 2>&1 || npm install --no-save $quiet >&2
fi

for architecture in x64 arm64; do
  node="$root/node_modules/node-linux-$architecture/bin/node"
  [ -x "$node" ] && break
done
if [ ! -x "$node" ]; then
  echo "wharf: npm did not bring a Node for $(uname -m): only x86_64 and aarch64 are supported" >&2
  exit 1
fi

# Options meant for the system's Node could keep ours from starting.
unset NODE_OPTIONS
PATH="$root/node_modules/.bin:$PATH"
export PATH
exec "$node" "$@"
