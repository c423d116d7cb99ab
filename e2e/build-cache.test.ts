import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { buildxPlugin } from './lib/plugins.ts';
import { type RegistryUnderTest, startDockerRegistry, startWharfRegistry } from './lib/registries.ts';
import { uniqueName } from './lib/suite.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-build-cache-'));
const config = join(scratch, 'config');
let buildx = '';
let first: TestDaemon;
let second: TestDaemon;
before(async () => {
  buildx = await buildxPlugin();
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  symlinkSync(buildx, join(config, 'cli-plugins', 'docker-buildx'));
  writeFileSync(join(config, 'config.json'), '{}');
  [first, second] = await Promise.all([TestDaemon.start(), TestDaemon.start()]);
  await Promise.all([loadBusybox(first.host), loadBusybox(second.host)]);
});
after(async () => {
  await Promise.all([first.dispose(), second.dispose()]);
  rmSync(scratch, { recursive: true, force: true });
});

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(scratch, 'folder-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

async function build(daemon: TestDaemon, context: string, ...options: readonly string[]): Promise<string> {
  const result = await attempt(daemon, context, ...options);
  assert.equal(result.code, 0, result.output);
  return result.output;
}

const attempt = (daemon: TestDaemon, context: string, ...options: readonly string[]) =>
  run([buildx, 'build', '--progress', 'plain', ...options, context], {
    env: { ...clientEnvironment(daemon.host), DOCKER_CONFIG: config, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' },
    timeoutMs: 60_000,
  });

/** Two stages; what the first one makes differs every time it runs. */
const project = (word: string) =>
  folder({
    Dockerfile: `FROM ${BUSYBOX} AS made
RUN echo ${word} && head -c 16 /dev/urandom | md5sum >/made
RUN cp /made /copy
FROM ${BUSYBOX}
RUN echo ${word} >/own
COPY --from=made /copy /copy
RUN cat /copy /own >/all
`,
  });

/** The steps that were no hit. buildx shows a step's heading again when it comes back to it after others. */
const ran = (output: string): readonly string[] => {
  const steps = [...output.matchAll(/^#(\d+) \[[^\]]*\] (RUN|COPY) .*$/gm)];
  const kinds = new Map(steps.map(([, number = '', kind = '']) => [number, kind]));
  return [...kinds].flatMap(([number, kind]) => (new RegExp(`^#${number} CACHED$`, 'm').test(output) ? [] : [kind]));
};

const read = async (daemon: TestDaemon, image: string, path = '/all') =>
  (await daemon.ok('run', '--rm', '--network', 'none', image, 'cat', path)).trim();

/** The daemon's own cache and images go, but what builds stand on. */
async function forget(daemon: TestDaemon, ...images: readonly string[]): Promise<void> {
  if (images.length > 0) await daemon.ok('rmi', '-f', ...images);
  await daemon.ok('builder', 'prune', '-af');
}

for (const [kind, start] of [
  ['docker-registry', startDockerRegistry],
  ['wharf', startWharfRegistry],
] as const) {
  test(`a cache in a registry (${kind}) saves another machine every step, with mode=max those of all stages`, async () => {
    await using registry: RegistryUnderTest = await start();
    const context = project(uniqueName('max'));
    const reference = `${registry.address}/cache:main`;
    const image = uniqueName('max');
    await build(first, context, '-t', image, '--cache-to', `type=registry,ref=${reference},mode=max`);
    const output = await build(second, context, '-t', image, '--cache-from', `type=registry,ref=${reference}`);
    assert.match(output, /importing cache manifest from localhost:\d+\/cache:main/);
    assert.match(output, /fetching 3 layers of an imported cache/);
    assert.deepEqual(ran(output), []);
    assert.equal(await read(second, image), await read(first, image));
    const ids = await Promise.all([first, second].map((daemon) => daemon.ok('inspect', '-f', '{{.Id}}', image)));
    assert.equal(ids[0], ids[1]);
    // What was fetched is the machine's own now.
    assert.match(await build(second, context), /RUN echo max\S* >\/own\n#\d+ CACHED/);
    await Promise.all([forget(first, image), forget(second, image)]);
  });
}

test('a machine that has forgotten everything runs no step of a cache, for two platforms, with files of other stages and COPY --link', async () => {
  await using registry = await startDockerRegistry();
  const word = uniqueName('pruned');
  const context = folder({
    Dockerfile: `FROM --platform=$BUILDPLATFORM ${BUSYBOX} AS made
RUN echo ${word} && head -c 16 /dev/urandom | md5sum >/made
FROM --platform=$BUILDPLATFORM ${BUSYBOX} AS each
ARG TARGETARCH
RUN --mount=from=made,target=/m cat /m/made >/each && echo $TARGETARCH >>/each
FROM scratch
COPY --from=made /made /made
COPY --link --from=each /each /linked
COPY --from=each /each /each
`,
  });
  const reference = `type=registry,ref=${registry.address}/cache:all`;
  const platforms = ['--platform', 'linux/amd64,linux/arm64', '-t', word];
  const id = () => first.ok('inspect', '-f', '{{.Id}}', word);
  assert.equal(ran(await build(first, context, ...platforms, '--cache-to', `${reference},mode=max`)).length, 9);
  const before = await id();
  await forget(first, word);
  assert.deepEqual(ran(await build(first, context, ...platforms, '--cache-from', reference)), []);
  assert.equal(await id(), before);
  await forget(first, word);
});

test('a cache with mode=min holds the steps of the result; a short name means a registry', async () => {
  await using registry = await startDockerRegistry();
  const context = project(uniqueName('min'));
  const reference = `${registry.address}/cache`;
  await build(first, context, '--cache-to', `type=registry,ref=${reference},image-manifest=false,oci-mediatypes=false`);
  const output = await build(second, context, '--cache-from', reference);
  // The first stage ran again, and to another result: what copies from it ran, too.
  assert.equal(ran(output).join(' ').split('RUN').length, 4);
  assert.equal(ran(output).includes('COPY'), true);
  assert.match(output, /RUN echo min\S* >\/own\n#\d+ CACHED/);
  await Promise.all([forget(first), forget(second)]);
});

test('an image carries the cache of its own steps', async () => {
  await using registry = await startDockerRegistry();
  const context = folder({
    Dockerfile: `FROM ${BUSYBOX}\nRUN echo ${uniqueName()} >/all\nRUN head -c 9 /dev/urandom >/b\n`,
  });
  const image = `${registry.address}/app:1`;
  await build(first, context, '-t', image, '--push', '--cache-to', 'type=inline');
  assert.deepEqual(ran(await build(second, context, '--cache-from', image)), []);
  await build(first, context, '-t', `${registry.address}/app:2`, '--push', '--build-arg', 'BUILDKIT_INLINE_CACHE=1');
  await forget(second);
  assert.deepEqual(ran(await build(second, context, '--cache-from', `${registry.address}/app:2`)), []);
  await Promise.all([forget(first, image), forget(second)]);
});

test('a cache lies in a directory of the client, and is read from it', async () => {
  const context = project(uniqueName('local'));
  const directory = join(scratch, 'layout');
  const image = uniqueName('local');
  await build(first, context, '-t', image, '--cache-to', `type=local,dest=${directory},mode=max,compression=zstd`);
  assert.deepEqual(readdirSync(directory).toSorted().slice(0, 2), ['blobs', 'index.json']);
  const output = await build(second, context, '-t', image, '--cache-from', `type=local,src=${directory}`);
  assert.deepEqual(ran(output), []);
  assert.equal(await read(second, image), await read(first, image));
  // The next cache holds what this one promised, fetched or not.
  await forget(second, image);
  const carried = join(scratch, 'carried');
  const both = ['--cache-from', `type=local,src=${directory}`, '--cache-to', `type=local,dest=${carried},mode=max`];
  assert.deepEqual(ran(await build(second, context, ...both)), []);
  await forget(second);
  assert.deepEqual(ran(await build(second, context, '--cache-from', `type=local,src=${carried}`)), []);
  await Promise.all([forget(first, image), forget(second)]);
});

interface Layout {
  readonly layers: readonly { readonly blob: string }[];
  readonly records: readonly {
    readonly layers: readonly [{ readonly layer: number }];
    readonly wharf: { readonly description: string };
  }[];
}

/** Takes the layers of steps out of a cache in a directory. */
function removeLayers(directory: string, isMeant: (description: string) => boolean): void {
  const blob = (digest: string) => join(directory, 'blobs', digest.replace(':', '/'));
  const json = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;
  const [root] = json<{ readonly manifests: readonly [{ readonly digest: string }] }>(
    join(directory, 'index.json'),
  ).manifests;
  const { config } = json<{ readonly config: { readonly digest: string } }>(blob(root.digest));
  const { layers, records } = json<Layout>(blob(config.digest));
  for (const { layers: on, wharf } of records) {
    if (isMeant(wharf.description)) rmSync(blob(layers[on[0].layer]?.blob ?? ''));
  }
}

test('a layer is fetched only when its files are needed', async () => {
  const context = project(uniqueName('lazy'));
  const directory = join(scratch, 'lazy');
  await build(first, context, '--cache-to', `type=local,dest=${directory},mode=max`);
  const from = ['--cache-from', `type=local,src=${directory}`];
  const image = uniqueName('lazy');
  // What the first stage made is in the second one already: nobody needs its layers.
  removeLayers(directory, (description) => /urandom|cp \/made/.test(description));
  assert.deepEqual(ran(await build(second, context, '-t', image, ...from)), []);
  assert.match(await read(second, image), /lazy/);
  await Promise.all([forget(first), forget(second, image)]);
});

test('a step whose layer is gone is run, and what came before it is taken', async () => {
  const context = project(uniqueName('gone'));
  const directory = join(scratch, 'gone');
  await build(first, context, '--cache-to', `type=local,dest=${directory},mode=max`);
  const image = uniqueName('gone');
  removeLayers(directory, (description) => description.startsWith('COPY'));
  const output = await build(second, context, '-t', image, '--cache-from', `type=local,src=${directory}`);
  assert.notEqual(ran(output).length, 0);
  assert.match(output, /RUN echo gone\S* && head[^\n]*\n#\d+ CACHED/);
  assert.match(await read(second, image), /gone/);
  await Promise.all([forget(first), forget(second, image)]);
});

test('a cache of another builder is read, and of no use', async () => {
  const context = project(uniqueName('foreign'));
  const directory = join(scratch, 'foreign');
  await build(first, context, '--cache-to', `type=local,dest=${directory},image-manifest=false`);
  const blob = (digest: string) => join(directory, 'blobs', digest.replace(':', '/'));
  const put = (document: unknown) => {
    const text = JSON.stringify(document);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    writeFileSync(blob(digest), text);
    return { digest, size: text.length };
  };
  const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as { manifests: object[] };
  const root = JSON.parse(readFileSync(blob((index.manifests[0] as { digest: string }).digest), 'utf8')) as {
    manifests: { mediaType: string; digest: string; size: number }[];
  };
  const config = root.manifests.find(({ mediaType }) => mediaType === 'application/vnd.buildkit.cacheconfig.v0');
  assert.ok(config);
  const { records, ...rest } = JSON.parse(readFileSync(blob(config.digest), 'utf8')) as { records: object[] };
  Object.assign(config, put({ ...rest, records: records.map((each) => ({ ...each, wharf: undefined })) }));
  index.manifests = [{ ...index.manifests[0], ...put(root) }];
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  const output = await build(second, context, '--cache-from', `type=local,src=${directory}`);
  assert.match(
    output,
    /importing cache manifest from local:\S+\n#\d+ 3 steps of another builder, which are of no use here/,
  );
  assert.notEqual(ran(output).length, 0);
  await Promise.all([forget(first), forget(second)]);
});

test('a cache that cannot be read or written is told of', async () => {
  await using registry = await startDockerRegistry();
  const context = folder({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo ${uniqueName()}\n` });
  const absent = `${registry.address}/absent`;
  const output = await build(
    first,
    context,
    '--cache-from',
    absent,
    '--cache-from',
    `type=local,src=${scratch}/absent`,
  );
  assert.match(output, /importing cache manifest from \S+absent\n#\d+ ERROR: /);
  const nowhere = 'type=registry,ref=localhost:1/x';
  assert.match(
    (await attempt(first, context, '--cache-to', nowhere)).output,
    /ERROR: failed to build: failed to solve: [^\n]*localhost:1/,
  );
  assert.match(
    await build(first, context, '--cache-to', `${nowhere},ignore-error=true`),
    / > exporting cache to registry:/,
  );
  const unknown = await attempt(first, context, '--cache-to', 'type=registry,ref=localhost:1/x,mode=all');
  assert.match(unknown.output, /invalid cache mode: all/);
});
