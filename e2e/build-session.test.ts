import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must, run } from '../scripts/lib/run.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { fetchFromDebian } from './lib/sid.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-session-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
/** Docker's client 20.10, which speaks BuildKit's protocol without a plugin. */
let client = '';
before(async () => {
  client = join(await fetchFromDebian('docker-20', ['docker.io']), 'usr/bin/docker');
});

function context(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(scratch, 'context-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function build(folder: string, ...options: readonly string[]) {
  const env = { ...clientEnvironment(daemon().host), DOCKER_BUILDKIT: '1', DOCKER_CONFIG: join(scratch, 'config') };
  return run([client, 'build', ...options, folder], { env, timeoutMs: 120_000 });
}

test('a client of 20.10 builds through a session: files, arguments, secrets, progress', async () => {
  const image = uniqueName('old');
  const secret = join(scratch, 'secret');
  writeFileSync(secret, 'sesame');
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX} AS one
ARG WORD
RUN --mount=type=secret,id=s test "$(cat /run/secrets/s)" = sesame && echo "$WORD" >/word
FROM one
COPY . /all
LABEL a=b
CMD cat /word /all/file
`,
    file: 'from the client',
    '.dockerignore': 'out',
    out: '',
  });
  const options = [
    '--progress',
    'plain',
    '--build-arg',
    'WORD=hello',
    '--secret',
    `id=s,src=${secret}`,
    '--label',
    'c=d',
  ];
  const iid = join(scratch, 'iid');
  const first = await build(folder, '-t', image, '--iidfile', iid, ...options);
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /\[one 2\/2\] RUN --mount=type=secret/);
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', image), 'hello\nfrom the client');
  assert.equal(
    await daemon()
      .ok('run', '--rm', '--network', 'none', image, 'ls', '/all/out')
      .catch(() => 'left out'),
    'left out',
  );
  assert.equal(readFileSync(iid, 'utf8'), await daemon().ok('inspect', '-f', '{{.Id}}', image));
  assert.equal(await daemon().ok('inspect', '-f', '{{index .Config.Labels "c"}}', image), 'd');
  const quiet = await build(folder, '-q', ...options.slice(2));
  assert.equal(quiet.code, 0, quiet.output);
  assert.equal(quiet.stdout.trim(), readFileSync(iid, 'utf8'));
  const failed = await build(
    context({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo oops; exit 3\n` }),
    '--progress',
    'plain',
  );
  assert.notEqual(failed.code, 0);
  assert.match(failed.output, /oops[\s\S]*exit code: 3/);
});

test('it takes files instead of an image, and an index is not asked for', async () => {
  const out = join(scratch, 'out');
  const built = await build(
    context({ Dockerfile: 'FROM scratch\nCOPY x /x\n', x: 'x' }),
    '--output',
    `type=local,dest=${out}`,
  );
  assert.equal(built.code, 0, built.output);
  assert.equal(readFileSync(join(out, 'x'), 'utf8'), 'x');
});

test('it takes an archive, or a Dockerfile alone, from the standard input', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY file /file\nCMD cat /file\n`, file: 'streamed' });
  const tar = join(scratch, 'streamed.tar');
  await must(['tar', '-cf', tar, '-C', folder, '.']);
  const image = uniqueName('streamed');
  const env = { ...clientEnvironment(daemon().host), DOCKER_BUILDKIT: '1', DOCKER_CONFIG: join(scratch, 'config') };
  const fromTar = await run([client, 'build', '-t', image, '-'], { env, input: readFileSync(tar), timeoutMs: 60_000 });
  assert.equal(fromTar.code, 0, fromTar.output);
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', image), 'streamed');
  const input = `FROM ${BUSYBOX}\nRUN echo alone >/file\nCMD cat /file\n`;
  const alone = await run([client, 'build', '-t', image, '-'], { env, input, timeoutMs: 60_000 });
  assert.equal(alone.code, 0, alone.output);
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', image), 'alone');
});

test('squash makes one layer of what a build made, on top of its base', async () => {
  const image = uniqueName('squashed');
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX}
RUN mkdir /d && echo 1 >/d/one && echo 2 >/d/two && ln /d/one /d/three
RUN rm /d/two && chmod 700 /d && echo more >>/d/one
COPY file /d/file
CMD ["ls", "/d"]
`,
    file: '',
  });
  const tar = join(scratch, 'context.tar');
  await must(['tar', '-cf', tar, '-C', folder, '.']);
  const answer = await run([
    ...['curl', '-sS', '--unix-socket', daemon().socketPath, '-H', 'Content-Type: application/x-tar'],
    ...['--data-binary', `@${tar}`, `http://d/build?t=${image}&squash=1`],
  ] as [string, ...string[]]);
  assert.match(answer.stdout, /Successfully tagged/);
  const layers = async (name: string) =>
    JSON.parse(await daemon().ok('inspect', '-f', '{{json .RootFS.Layers}}', name)) as readonly string[];
  assert.equal((await layers(image)).length, (await layers(BUSYBOX)).length + 1);
  assert.deepEqual((await layers(image)).slice(0, -1), await layers(BUSYBOX));
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', image), 'file\none\nthree');
  const shown = await daemon().ok(
    'run',
    '--rm',
    '--network',
    'none',
    image,
    'sh',
    '-c',
    'stat -c %a /d; cat /d/three; stat -c %h /d/one',
  );
  assert.equal(shown, '700\n1\n1');
  assert.match(await daemon().ok('history', image), /merge of the layers/);
});
