import assert from 'node:assert/strict';
import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Buildx, type ContextFiles } from './lib/buildx.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();
const buildx = new Buildx(daemon);
/** A second machine, so to speak: nothing of it is shared with the first. */
let other: TestDaemon;
before(async () => {
  await buildx.prepare();
  other = await TestDaemon.start();
  await loadBusybox(other.host);
});
after(() => other[Symbol.asyncDispose]());

const EPOCH = '1600000000';
const FILES = {
  Dockerfile: `FROM ${BUSYBOX} AS base
RUN mkdir -p /made/deep && echo one >/made/deep/one && ln /made/deep/one /made/two && ln -s two /made/three && date >/dev/null
FROM base
ENV A=b
WORKDIR /work
COPY --chown=1:2 . .
RUN touch -d @1500000000 /early && rm /made/two && chmod 700 /made
LABEL made=twice
`,
  file: 'content',
  'folder/another': 'more',
};

let builds = 0;

/** Builds from files that bear another time each time, and returns what the client was told. */
async function metadataOf(
  host: string,
  files: ContextFiles,
  ...options: readonly string[]
): Promise<Readonly<Record<string, string>>> {
  const context = buildx.context(files);
  builds += 1;
  const time = Date.now() / 1000 - builds * 1000;
  for (const name of Object.keys(files)) utimesSync(join(context, name), time, time);
  const metadata = buildx.place();
  const args = ['--metadata-file', metadata, ...options, context];
  const result = await buildx.runAgainst(host, 'build', '--progress=plain', ...args);
  assert.equal(result.code, 0, result.output);
  return JSON.parse(readFileSync(metadata, 'utf8'));
}

test('two machines make the same image, bit by bit, when times are rewritten', async () => {
  const options = ['--build-arg', `SOURCE_DATE_EPOCH=${EPOCH}`, '-o', 'type=image,name=same,rewrite-timestamp=true'];
  const [here, there] = await Promise.all([
    metadataOf(daemon().host, FILES, ...options),
    metadataOf(other.host, FILES, ...options),
  ]);
  assert.equal(here['containerimage.digest'], there['containerimage.digest']);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Created}}', 'same'), '2020-09-13T12:26:40Z');
  const show = (path: string) => daemon().ok('run', '--rm', '--network', 'none', 'same', 'stat', '-c', '%Y', path);
  assert.equal(await show('/work/file'), EPOCH);
  assert.equal(await show('/early'), '1500000000');
  // Without anything kept from before it is still the same.
  const plain = ['--provenance=false', ...options];
  const kept = await metadataOf(daemon().host, FILES, ...plain);
  const fresh = await metadataOf(daemon().host, FILES, '--no-cache', ...plain);
  assert.equal(fresh['containerimage.digest'], kept['containerimage.digest']);
});

test('so are archives, whatever their compression', async () => {
  for (const compression of ['gzip', 'zstd', 'uncompressed']) {
    const [one, two] = [buildx.place(), buildx.place()];
    const options = (dest: string) => [
      ...['--build-arg', `SOURCE_DATE_EPOCH=${EPOCH}`],
      ...['-o', `type=oci,dest=${dest},rewrite-timestamp=true,compression=${compression}`],
    ];
    await metadataOf(daemon().host, FILES, ...options(one));
    await metadataOf(other.host, FILES, ...options(two));
    assert.ok(readFileSync(one).equals(readFileSync(two)), compression);
  }
});

test('SOURCE_DATE_EPOCH alone sets the times of an image, and what a base has stays', async () => {
  const from = (host: string) =>
    metadataOf(
      host,
      { Dockerfile: `FROM ${BUSYBOX}\nENV A=b\n` },
      '-t',
      'dated',
      '--build-arg',
      `SOURCE_DATE_EPOCH=${EPOCH}`,
    );
  const [here, there] = await Promise.all([from(daemon().host), from(other.host)]);
  assert.equal(here['containerimage.digest'], there['containerimage.digest']);
  const dates = (image: string) => daemon().ok('history', '--format', '{{.CreatedAt}}', image);
  const [top, ...below] = (await dates('dated')).split('\n');
  assert.match(top ?? '', /^2020-09-13T/);
  assert.equal(below.join('\n'), await dates(BUSYBOX));
  const plain = (host: string) => metadataOf(host, FILES, '-t', 'plain', '--build-arg', `SOURCE_DATE_EPOCH=${EPOCH}`);
  const [one, two] = await Promise.all([plain(daemon().host), plain(other.host)]);
  assert.notEqual(one['containerimage.digest'], two['containerimage.digest']);
});

test('a Dockerfile may say the time itself, before its first stage', async () => {
  const files = { Dockerfile: 'ARG SOURCE_DATE_EPOCH=1500000000\nFROM scratch\nCOPY x /x\n', x: '' };
  await metadataOf(daemon().host, files, '-o', 'type=image,name=own-time,rewrite-timestamp=true');
  assert.equal(await daemon().ok('inspect', '-f', '{{.Created}}', 'own-time'), '2017-07-14T02:40:00Z');
  await metadataOf(daemon().host, files, '-t', 'own-time', '--build-arg', `SOURCE_DATE_EPOCH=${EPOCH}`);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Created}}', 'own-time'), '2020-09-13T12:26:40Z');
});

test('the same steps give the same id without any of that', async () => {
  const files = { Dockerfile: `FROM ${BUSYBOX}\nRUN date >/when\nCOPY x /x\nENV A=b\n`, x: 'x' };
  const first = await metadataOf(daemon().host, files, '-t', 'kept');
  const second = await metadataOf(daemon().host, files, '-t', 'kept');
  assert.equal(second['containerimage.digest'], first['containerimage.digest']);
  const wrong = await buildx.try(files, '--build-arg', 'SOURCE_DATE_EPOCH=yesterday');
  assert.match(wrong.output, /invalid SOURCE_DATE_EPOCH: yesterday/);
});
