import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openContentStore } from '../content/fs-store.ts';
import { readImageArchive } from './read-archive.ts';
import { layoutOf, makeImage, plainSink, sha256, tarOf } from './test-archives.ts';
import { writeImageArchive } from './write-archive.ts';

const SKOPEO = '/usr/bin/skopeo';
const NAME = 'io.containerd.image.name';
const REF = 'org.opencontainers.image.ref.name';
const skip = existsSync(SKOPEO) ? false : 'skopeo is not installed';

function skopeo(...args: readonly string[]): string {
  return execFileSync(SKOPEO, ['--insecure-policy', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

async function makeFixture() {
  const root = await mkdtemp(join(tmpdir(), 'wharf-skopeo-'));
  return {
    root,
    store: await openContentStore({ root: join(root, 'content') }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

const layers = [tarOf({ 'bin/': '', 'bin/a': 'a'.repeat(3000) }), tarOf({ 'etc/': '', 'etc/b': 'b' })];

test('skopeo reads what writeImageArchive() writes, as docker-archive and as oci-archive', { skip }, async () => {
  await using fixture = await makeFixture();
  const image = makeImage({ layers });
  const target = { ...image.target, annotations: { [NAME]: 'docker.io/library/x:1', [REF]: '1' } };
  const source = join(fixture.root, 'in.tar');
  writeFileSync(source, tarOf(layoutOf([target], image.blobs)));
  await readImageArchive({ source: createReadStream(source), sink: plainSink(fixture.store) });
  const blobs = [
    target,
    ...[image.config, ...layers].map((bytes) => ({ mediaType: '', digest: sha256(bytes), size: bytes.length })),
  ];
  const docker = { digest: target.digest, config: sha256(image.config), layers: layers.map(sha256) };
  const saved = join(fixture.root, 'out.tar');
  writeFileSync(
    saved,
    Buffer.concat(
      await Array.fromAsync(writeImageArchive(fixture.store, [{ target, blobs, docker, familiarName: 'x:1' }])),
    ),
  );
  const asDocker: unknown = JSON.parse(skopeo('inspect', '--config', `docker-archive:${saved}:x:1`));
  assert.deepEqual(asDocker, JSON.parse(image.config.toString()));
  const asOci = JSON.parse(skopeo('inspect', `oci-archive:${saved}`)) as { Digest: string; Layers: string[] };
  assert.deepEqual([asOci.Digest, asOci.Layers], [target.digest, layers.map(sha256)]);
});

for (const format of ['docker-archive', 'oci-archive']) {
  test(`readImageArchive() takes what skopeo writes as ${format}`, { skip }, async () => {
    await using fixture = await makeFixture();
    const image = makeImage({ layers });
    const source = join(fixture.root, 'in.tar');
    const copied = join(fixture.root, 'out.tar');
    writeFileSync(source, tarOf(layoutOf([{ ...image.target, annotations: { [REF]: '1' } }], image.blobs)));
    skopeo('copy', '--quiet', `oci-archive:${source}`, `${format}:${copied}:docker.io/library/x:1`);
    const [found, ...more] = await readImageArchive({
      source: createReadStream(copied),
      sink: plainSink(fixture.store),
    });
    assert.equal(more.length, 0);
    assert.equal(found?.name, 'docker.io/library/x:1');
    const manifest = JSON.parse((await fixture.store.read(found.target.digest)).toString()) as {
      layers: unknown[];
      config: { digest: string };
    };
    assert.equal(manifest.layers.length, 2);
    if (format === 'oci-archive') assert.equal(manifest.config.digest, sha256(image.config));
  });
}
