import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { must, run } from '../scripts/lib/run.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { buildxPlugin } from './lib/plugins.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

/** What other people's suites of builds found out about this daemon. */

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-compat-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function context(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(scratch, 'context-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const classic = (input: string | undefined, ...args: readonly string[]) =>
  run(['docker', 'build', ...args], {
    env: { ...clientEnvironment(daemon().host), DOCKER_BUILDKIT: '0' },
    ...(input === undefined ? {} : { input }),
    timeoutMs: 60_000,
  });

async function post(path: string, ...options: readonly string[]) {
  return must(['curl', '-sS', '--unix-socket', daemon().socketPath, '-XPOST', ...options, `http://d${path}`]);
}

const show = (image: string, ...command: readonly string[]) =>
  daemon().ok('run', '--rm', '--network', 'none', image, ...command);

test('a Dockerfile of the standard input, beside a directory; ADD takes a compressed file that is no archive', async () => {
  const image = uniqueName('stdin');
  const folder = context({ 'data.gz': gzipSync('plain data'), file: 'x' });
  const text = `FROM ${BUSYBOX}\nADD data.gz /named\nADD data.gz file /dir/\n`;
  const built = await classic(text, '-t', image, '-f', '-', folder);
  assert.equal(built.code, 0, built.output);
  assert.equal(await show(image, 'sh', '-c', 'zcat /named; ls /dir'), 'plain datadata.gz\nfile');
});

test('a classic build tells of arguments that nobody asked for, and of triggers', async () => {
  const base = uniqueName('trigger');
  const made = await classic(`FROM ${BUSYBOX}\nONBUILD RUN echo one >/one\nONBUILD ENV A=b\n`, '-t', base, '-');
  assert.equal(made.code, 0, made.output);
  const args = ['--build-arg', 'used=1', '--build-arg', 'other=2', '--build-arg', 'another=3'];
  const built = await classic(`FROM ${base}\nARG used\nRUN cat /one\n`, ...args, '-');
  assert.equal(built.code, 0, built.output);
  assert.match(built.output, /Step 1\/5 : FROM .*\n# Executing 2 build triggers\n/);
  assert.match(built.output, /\[Warning\] One or more build-args \[another other\] were not consumed\n/);
});

test("a classic build's RUN without words runs the image's command; its history names the arguments", async () => {
  const image = uniqueName('classic');
  const text = `FROM ${BUSYBOX}\nCMD ["touch", "/ran"]\nRUN []\nARG foo\nRUN cat /ran\n`;
  const built = await classic(text, '-t', image, '--build-arg', 'foo=bar', '-');
  assert.equal(built.code, 0, built.output);
  const history = await daemon().ok('history', '--no-trunc', '--format', '{{.CreatedBy}}', image);
  assert.match(history, /^\|1 foo=bar \/bin\/sh -c cat \/ran\n/);
});

test('a classic build tells the id of every stage, which is the one it has as a target', async () => {
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX} AS one\nRUN echo >/one\nFROM one AS two\nENV a=b\nFROM two\nLABEL c=d\n`,
  });
  const tar = join(scratch, 'stages.tar');
  await must(['tar', '-cf', tar, '-C', folder, '.']);
  const idsOf = async (query: string) => {
    const stdout = await post(`/build?${query}`, '-H', 'Content-Type: application/x-tar', '--data-binary', `@${tar}`);
    return [...stdout.matchAll(/\{"aux":\{"ID":"(sha256:[0-9a-f]{64})"\}\}/g)].map(([, id]) => id);
  };
  const ids = await idsOf('q=0');
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual(await idsOf('target=two'), ids.slice(0, 2));
  assert.deepEqual(await idsOf('target=one'), ids.slice(0, 1));
});

test('a build has the network of a container', async () => {
  const name = uniqueName('peer');
  await daemon().ok('run', '-d', '--name', name, '--network', 'none', '--hostname', 'foobar', BUSYBOX, 'sleep', '60');
  try {
    const image = uniqueName('joined');
    const text = `FROM ${BUSYBOX}\nRUN readlink /proc/self/ns/net >/net; cat /etc/hostname >/name\n`;
    const built = await classic(text, '-t', image, '--no-cache', '--network', `container:${name}`, '-');
    assert.equal(built.code, 0, built.output);
    assert.equal(
      await show(image, 'cat', '/net', '/name'),
      await daemon().ok('exec', name, 'sh', '-c', 'readlink /proc/self/ns/net; hostname'),
    );
  } finally {
    await daemon().ok('rm', '-f', name);
  }
  const gone = await classic(`FROM ${BUSYBOX}\nRUN true\n`, '--no-cache', '--network', `container:${name}`, '-');
  assert.match(gone.output, /No such container/);
});

test('a build by the rules of BuildKit takes its context from the body, without a session', async () => {
  const image = uniqueName('body');
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY file /file\n`, file: 'of the body' });
  const tar = join(scratch, 'body.tar');
  await must(['tar', '-cf', tar, '-C', folder, '.']);
  const since = String(Date.now() / 1000 - 1);
  const query = `version=2&t=${image}&nocache=1`;
  const stdout = await post(`/build?${query}`, '-H', 'Content-Type: application/x-tar', '--data-binary', `@${tar}`);
  assert.match(stdout, new RegExp(`Successfully tagged ${image}`));
  assert.equal(await show(image, 'cat', '/file'), 'of the body');
  const id = await daemon().ok('inspect', '-f', '{{.Id}}', image);
  const until = String(Date.now() / 1000 + 1);
  const events = await daemon().ok('events', '--since', since, '--until', until, '--filter', 'type=image');
  assert.match(events, new RegExp(`image create ${id} `));
});

test('a build that is not there has ended; one without an id cannot be', async () => {
  const status = ['-o', join(scratch, 'answer'), '-w', '%{http_code}'];
  assert.equal(await post('/build/cancel?id=none', ...status), '200');
  assert.equal(await post('/build/cancel', ...status), '400');
  assert.match(readFileSync(join(scratch, 'answer'), 'utf8'), /build ID not provided/);
});

test('prune of what has a label leaves the build cache alone', async () => {
  assert.equal((await classic(`FROM ${BUSYBOX}\nRUN echo ${uniqueName()}\n`, '-')).code, 0);
  const before = await daemon().ok('system', 'df', '--format', '{{.Type}} {{.TotalCount}}');
  await daemon().ok('system', 'prune', '-f', '--filter', 'label=nobody.has.this');
  assert.equal(await daemon().ok('system', 'df', '--format', '{{.Type}} {{.TotalCount}}'), before);
});

test('buildx knows what host-gateway stands for', async () => {
  const buildx = await buildxPlugin();
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN grep "here.example" /etc/hosts\n` });
  const options = ['--progress', 'plain', '--no-cache', '--add-host', 'here.example=host-gateway'];
  const env = { ...clientEnvironment(daemon().host), DOCKER_CONFIG: join(scratch, 'config') };
  const built = await run([buildx, 'build', ...options, folder], { env, timeoutMs: 60_000 });
  assert.equal(built.code, 0, built.output);
  const gateway = await daemon().ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', 'bridge');
  assert.ok(built.output.includes(`${gateway}\there.example`), built.output);
});

test('buildx shows how much of a context was sent', async () => {
  const buildx = await buildxPlugin();
  const folder = context({ Dockerfile: 'FROM scratch\nCOPY big /\n', big: Buffer.alloc(2_000_000, uniqueName()) });
  const env = { ...clientEnvironment(daemon().host), DOCKER_CONFIG: join(scratch, 'config') };
  const built = await run([buildx, 'build', '--progress', 'plain', folder], { env, timeoutMs: 60_000 });
  assert.match(built.output, /transferring context: 2\.00MB/);
});
