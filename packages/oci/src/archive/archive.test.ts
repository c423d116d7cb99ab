import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isKind } from '@wharf/kit';
import type { ContentStore } from '../content/content-store.ts';
import { openContentStore } from '../content/fs-store.ts';
import { DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_MANIFEST, OCI_INDEX } from '../spec/media-types.ts';
import { readTar } from '../tar/read.ts';
import { readImageArchive } from './read-archive.ts';
import { blobMembers, descriptorOf, inPieces, layoutOf, makeImage, plainSink, sha256, tarOf } from './test-archives.ts';
import { writeImageArchive } from './write-archive.ts';

const NAME = 'io.containerd.image.name';
const layers = [tarOf({ 'bin/': '', 'bin/a': 'a'.repeat(3000) }), tarOf({ 'etc/': '', 'etc/b': 'b' })];

async function makeStore(): Promise<{ store: ContentStore } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'wharf-archive-'));
  return {
    store: await openContentStore({ root }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

const read = (store: ContentStore, bytes: Buffer) =>
  readImageArchive({ source: inPieces(bytes), sink: plainSink(store) });

test('readImageArchive() takes an OCI layout whatever the order of its members', async () => {
  await using fixture = await makeStore();
  const image = makeImage({ layers });
  const target = { ...image.target, annotations: { [NAME]: 'docker.io/library/x:1' } };
  const members = layoutOf([target], image.blobs);
  for (const order of [members, Object.fromEntries(Object.entries(members).reverse())]) {
    assert.deepEqual(await read(fixture.store, tarOf(order)), [{ target, name: 'docker.io/library/x:1' }]);
  }
  assert.equal((await Array.fromAsync(fixture.store.list())).length, 4);
});

for (const [name, compress] of [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const) {
  test(`readImageArchive() takes a ${name} archive`, async () => {
    await using fixture = await makeStore();
    const image = makeImage({ layers });
    const found = await read(fixture.store, compress(tarOf(layoutOf([image.target], image.blobs))));
    assert.deepEqual(found, [{ target: image.target, name: undefined }]);
  });
}

test('readImageArchive() makes the manifest that containerd makes of a docker-archive', async () => {
  await using fixture = await makeStore();
  const { config } = makeImage({ layers });
  const packed = gzipSync(layers[1] ?? '');
  const manifestJson = [
    { Config: 'c.json', RepoTags: ['x:1', 'me/y'], Layers: ['aa/layer.tar', 'bb/layer.tar', 'cc/layer.tar'] },
  ];
  const found = await read(
    fixture.store,
    tarOf({
      'aa/VERSION': '1.0',
      'aa/json': '{}',
      'aa/layer.tar': layers[0] ?? '',
      'bb/layer.tar': packed,
      'cc/layer.tar': { link: '../aa/layer.tar' },
      'c.json': config,
      'manifest.json': JSON.stringify(manifestJson),
      repositories: '{}',
    }),
  );
  const layer = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: descriptorOf(config, 'application/vnd.docker.container.image.v1+json'),
      layers: [
        layer(layers[0] ?? Buffer.alloc(0), DOCKER_LAYER),
        layer(packed, DOCKER_LAYER_GZIP),
        layer(layers[0] ?? Buffer.alloc(0), DOCKER_LAYER),
      ],
    }),
  );
  assert.deepEqual(
    found.map((image) => [image.target.digest, image.name, image.target.platform]),
    [
      [sha256(manifest), 'docker.io/library/x:1', { architecture: 'amd64', os: 'linux' }],
      [sha256(manifest), 'docker.io/me/y:latest', { architecture: 'amd64', os: 'linux' }],
    ],
  );
  assert.ok((await fixture.store.read(sha256(manifest))).equals(manifest));
  assert.equal((await Array.fromAsync(fixture.store.list())).length, 4);
});

test('readImageArchive() refuses what is broken', async () => {
  await using fixture = await makeStore();
  const image = makeImage({ layers });
  const good = layoutOf([image.target], image.blobs);
  const whole = tarOf(good);
  const cases: readonly (readonly [bytes: Buffer, kind: 'data-loss' | 'invalid-argument'])[] = [
    [whole.subarray(0, 2000), 'data-loss'],
    [gzipSync(whole).subarray(0, 500), 'data-loss'],
    [Buffer.from('this is no archive, '.repeat(100)), 'data-loss'],
    [tarOf({ x: 'y' }), 'invalid-argument'],
    [Buffer.alloc(0), 'invalid-argument'],
    [tarOf({ ...good, [`blobs/sha256/${sha256(image.config).slice(7)}`]: 'other' }), 'data-loss'],
    [tarOf({ ...good, 'index.json': '{"manifests":[{}]}' }), 'data-loss'],
    [tarOf({ ...good, 'index.json': '{' }), 'data-loss'],
    [tarOf({ ...good, 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' }), 'data-loss'],
    [tarOf({ 'manifest.json': '[{"Config":"a.json","Layers":[]}]' }), 'data-loss'],
    [tarOf({ 'manifest.json': '{}' }), 'data-loss'],
  ];
  for (const [bytes, kind] of cases) {
    await assert.rejects(
      read(fixture.store, bytes),
      (error) => isKind(error, kind),
      `${kind} for ${bytes.subarray(0, 20)}`,
    );
  }
});

test('readImageArchive() writes nothing outside the store for names that lead away', async () => {
  await using fixture = await makeStore();
  const image = makeImage({ layers });
  await read(fixture.store, tarOf({ '../../etc/x': 'x', '/abs': 'y', ...layoutOf([image.target], image.blobs) }));
});

test('writeImageArchive() gives the same bytes each time, and an archive that reads back to the same digests', async () => {
  await using fixture = await makeStore();
  const [a, b] = [
    makeImage({ layers }),
    makeImage({ layers: layers.slice(0, 1), platform: { os: 'linux', architecture: 'arm64' } }),
  ];
  const index = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [a.target, b.target], extra: 'kept' }),
  );
  const target = { ...descriptorOf(index, OCI_INDEX), annotations: { [NAME]: 'docker.io/library/x:1' } };
  const source = tarOf(layoutOf([target], { ...a.blobs, ...b.blobs, ...blobMembers([index]) }));
  await read(fixture.store, source);
  const blobs = (await Array.fromAsync(fixture.store.list())).map((info) => ({
    mediaType: '',
    digest: info.digest,
    size: info.sizeBytes,
  }));
  const docker = { digest: a.target.digest, config: sha256(a.config), layers: layers.map(sha256) };
  const write = async () =>
    Buffer.concat(
      await Array.fromAsync(writeImageArchive(fixture.store, [{ target, blobs, docker, familiarName: 'x:1' }])),
    );
  const first = await write();
  assert.ok(first.equals(await write()));
  const names: string[] = [];
  for await (const member of readTar(inPieces(first))) names.push(member.entry.name);
  assert.deepEqual(names, [...names].sort());
  assert.deepEqual(names.slice(0, 2), ['blobs/', 'blobs/sha256/']);
  assert.deepEqual(names.slice(-3), ['index.json', 'manifest.json', 'oci-layout']);
  await using other = await makeStore();
  assert.deepEqual(await read(other.store, first), [{ target, name: 'docker.io/library/x:1' }]);
  assert.deepEqual(
    new Set((await Array.fromAsync(other.store.list())).map((info) => info.digest)),
    new Set(blobs.map((blob) => blob.digest)),
  );
});
