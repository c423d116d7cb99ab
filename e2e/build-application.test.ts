import assert from 'node:assert/strict';
import { existsSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { findCommand } from '../scripts/lib/requirements.ts';
import { must, run } from '../scripts/lib/run.ts';
import { Buildx } from './lib/buildx.ts';
import { applicationRoot } from './lib/debian-root.ts';
import { clientEnvironment } from './lib/docker.ts';
import { composePlugin } from './lib/plugins.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const BASE = 'debian-build:e2e';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

const daemon = daemonForFile({
  image: false,
  prepare: async (started) => {
    const imported = await started.docker(['import', await applicationRoot(), BASE], { timeoutMs: 120_000 });
    assert.equal(imported.code, 0, imported.output);
  },
});
const buildx = new Buildx(daemon);
before(() => buildx.prepare());

const MOUNT_APT = [
  '--mount=type=cache,target=/var/cache/apt,sharing=locked',
  '--mount=type=cache,target=/var/lib/apt/lists,sharing=locked',
].join(' ');

/** A web server whose packages come from Debian and from npm, in stages that share a base. */
const FILES = {
  Dockerfile: `# syntax=docker/dockerfile:1
FROM ${BASE} AS base
RUN ${MOUNT_APT} <<EOF
set -e
rm -f /etc/apt/apt.conf.d/docker-clean
apt-get update -q
apt-get install -yq --no-install-recommends tini libatomic1
EOF
COPY --from=node --chmod=755 node /usr/local/bin/

FROM base AS modules
WORKDIR /app
COPY package*.json ./
RUN --mount=from=npm,target=/npm --mount=type=cache,target=/root/.npm \\
    --mount=type=secret,id=certificates --mount=type=secret,id=npmrc,target=/root/.npmrc,required \\
    [ ! -e /run/secrets/certificates ] || export NODE_EXTRA_CA_CERTS=/run/secrets/certificates; \\
    node /npm/bin/npm-cli.js ci --omit=dev --no-audit --no-fund

FROM base
ARG GREETING=hello
ENV GREETING=$GREETING
WORKDIR /app
COPY --from=modules --link /app/node_modules node_modules
COPY --chown=www-data server.js .
USER www-data
EXPOSE 8000
HEALTHCHECK --interval=1s CMD ["node", "-e", "fetch('http://127.0.0.1:8000')"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "server.js"]
`,
  '.dockerignore': '*\n!package*.json\n!server.js\n',
  'package.json': JSON.stringify({ name: 'app', version: '1.0.0', dependencies: { ms: '2.1.3' } }),
  'package-lock.json': JSON.stringify({
    ...{ name: 'app', version: '1.0.0', lockfileVersion: 3, requires: true },
    packages: {
      '': { name: 'app', version: '1.0.0', dependencies: { ms: '2.1.3' } },
      'node_modules/ms': {
        version: '2.1.3',
        integrity: 'sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==',
      },
    },
  }),
  'server.js': `const ms = require('ms');
require('node:http').createServer((_, response) => {
  response.end(process.env.GREETING + ' ' + ms('2 days') + ' ' + process.getuid());
}).listen(8000);
`,
};

/** What of the machine the build borrows: npm, a Node.js, and how npm reaches its registry here. */
async function borrowed() {
  const npm = findCommand('npm');
  assert.ok(npm !== undefined, 'npm is there');
  const registry = (await must(['npm', 'config', 'get', 'registry'])).trim();
  const npmrc = join(buildx.folder, 'npmrc');
  writeFileSync(npmrc, `registry=${registry}\n`, { mode: 0o600 });
  const contexts = { npm: join(dirname(realpathSync(npm)), '..'), node: dirname(process.execPath) };
  const secrets = { npmrc, ...(existsSync(CERTIFICATES) ? { certificates: CERTIFICATES } : {}) };
  return { contexts, secrets };
}

async function greetingOf(container: string): Promise<string> {
  const address = (await daemon().ok('port', container, '8000')).split('\n')[0] ?? '';
  let said = '';
  await eventually(`http://${address} answers`, async () => {
    const page = await run(['curl', '-sf', '--max-time', '10', `http://${address}/`]);
    said = page.stdout.trim();
    return page.code === 0;
  });
  return said;
}

test('an application with packages of Debian and npm builds, runs, and builds again from the cache', async () => {
  const { contexts, secrets } = await borrowed();
  const image = uniqueName('app');
  const folder = buildx.context(FILES);
  const build = async (...more: readonly string[]) => {
    const result = await buildx.run(
      ...['build', '--progress', 'plain', '--provenance', 'false', '-t', image, ...more],
      ...Object.entries(contexts).flatMap(([name, path]) => ['--build-context', `${name}=${path}`]),
      ...Object.entries(secrets).flatMap(([id, path]) => ['--secret', `id=${id},src=${path}`]),
      folder,
    );
    assert.equal(result.code, 0, result.output);
    return result.output;
  };
  const first = await build();
  assert.match(first, /\[base 2\/3\] RUN [^\n]*sharing=locked <<EOF \(set -e\.\.\.\)/);
  const container = await daemon().ok('run', '-d', '-p', '127.0.0.1::8000', image);
  assert.equal(await greetingOf(container), 'hello 172800000 33');
  // Nothing of what was mounted has stayed.
  const left = 'ls -d /run/secrets /root/.npmrc /root/.npm /npm 2>/dev/null | wc -l';
  assert.equal(await daemon().ok('exec', '-u', 'root', container, 'sh', '-c', left), '0');
  await daemon().ok('rm', '-f', container);
  const id = await daemon().ok('inspect', '-f', '{{.Id}}', image);
  const again = await build();
  const steps = [...again.matchAll(/^#(\d+) \[\S+ \d\/\d\] (?!FROM)/gm)].map(([, number]) => number);
  assert.equal(steps.length, 8);
  for (const number of steps) assert.match(again, new RegExp(`^#${number} CACHED$`, 'm'));
  assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', image), id);
  // Only what comes after the change runs again.
  const changed = await build('--build-arg', 'GREETING=moin');
  assert.doesNotMatch(changed, /npm warn|added 1 package|Get:\d/);
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', image, 'sh', '-c', 'echo $GREETING'), 'moin');
});

test('docker compose 2.40 builds and runs it, from the cache of the build before', async () => {
  const { contexts, secrets } = await borrowed();
  const service = {
    build: { context: '.', args: { GREETING: 'salut' }, additional_contexts: contexts, secrets: Object.keys(secrets) },
    ports: ['127.0.0.1::8000'],
  };
  const files = Object.fromEntries(Object.entries(secrets).map(([id, file]) => [id, { file }]));
  const folder = buildx.context({
    ...FILES,
    'compose.yml': JSON.stringify({ name: 'built', services: { app: service }, secrets: files }),
  });
  const plugin = await composePlugin();
  const compose = (...args: readonly string[]) =>
    must([plugin, '--progress', 'plain', ...args], {
      cwd: folder,
      env: { ...clientEnvironment(daemon().host), DOCKER_CONFIG: join(buildx.folder, 'config') },
      timeoutMs: 120_000,
    });
  await compose('up', '--build', '--wait', '-d');
  assert.equal(await greetingOf('built-app-1'), 'salut 172800000 33');
  await compose('down', '--rmi', 'local');
});
