import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ContainerId, isKind, newId, parseReference } from '@wharf/kit';
import { mount, unmount } from '@wharf/linux/mount';
import {
  blobMembers,
  descriptorOf,
  inPieces,
  layoutOf,
  makeImage,
  sha256,
  type TestImage,
  tarOf,
} from '@wharf/oci/archive/test-archives';
import type { Descriptor } from '@wharf/oci/spec/image';
import { OCI_INDEX, OCI_MANIFEST } from '@wharf/oci/spec/media-types';
import { openRoom } from './test-room.ts';

type Room = Awaited<ReturnType<typeof openRoom>>;

const NAME = 'io.containerd.image.name';
const base = tarOf({ 'bin/': '', 'bin/a': 'a'.repeat(5000) });
const top = tarOf({ 'etc/': '', 'etc/b': 'b' });
const listAll = { all: false, filters: new Map(), sharedSize: false, manifests: false };

function named(image: TestImage | { target: Descriptor }, name: string): Descriptor {
  return { ...image.target, annotations: { [NAME]: `docker.io/library/${name}` } };
}

async function load({ images }: Room, target: Descriptor, blobs: TestImage['blobs']): Promise<void> {
  await images.load({ source: inPieces(tarOf(layoutOf([target], blobs)), 4000), platforms: [] });
}

async function loadNamed(room: Room, name: string, image = makeImage({ layers: [base, top] })): Promise<TestImage> {
  await load(room, named(image, name), image.blobs);
  return image;
}

/** The content store and snapshots hold nothing. */
async function assertEmpty(room: Room): Promise<void> {
  assert.deepEqual(await room.blobs(), []);
  assert.deepEqual(room.snapshots.list(), []);
}

test('load() names, unpacks and announces an image; remove() gives everything back', async () => {
  await using room = await openRoom();
  const image = await loadNamed(room, 'x:1');
  const [row, ...more] = await room.images.list(listAll);
  assert.equal(more.length, 0);
  assert.equal(row?.Id, image.target.digest);
  assert.deepEqual(row?.RepoTags, ['x:1']);
  assert.deepEqual(row?.RepoDigests, [`x@${image.target.digest}`]);
  assert.equal(row?.Created, 1_704_164_645);
  assert.ok((row?.Size ?? 0) > base.length + top.length);
  assert.equal(room.snapshots.list().filter((each) => each.kind === 'committed').length, 2);
  const resolved = await room.images.resolve('x:1');
  assert.equal(resolved.chainId, room.snapshots.list().find((each) => each.parent !== '')?.key);
  await room.images.ensureUnpacked(resolved);
  assert.deepEqual(await room.images.remove('x:1', { force: false, pruneParents: true }), [
    { Untagged: 'x:1' },
    { Deleted: image.target.digest },
  ]);
  await assertEmpty(room);
  assert.deepEqual(
    room.events.map((event) => event.action),
    ['load', 'untag', 'delete'],
  );
});

test('load() of a broken archive leaves nothing', async () => {
  await using room = await openRoom();
  const image = makeImage({ layers: [base, top] });
  const good = layoutOf([named(image, 'x:1')], image.blobs);
  const [, ...withoutOne] = Object.entries(image.blobs);
  const lying = makeImage({ layers: [base, top] });
  const lyingConfig = Buffer.from(lying.config.toString().replace(sha256(top), sha256(base)));
  const cases: Record<string, Buffer> = {
    truncated: tarOf(good).subarray(0, 9000),
    'without its manifest': tarOf(layoutOf([named(image, 'x:1')], Object.fromEntries(withoutOne))),
    'without a layer': tarOf(layoutOf([named(image, 'x:1')], blobMembers([image.manifest, image.config, base]))),
    'with a layer that is no tar': (() => {
      const bad = makeImage({ layers: [Buffer.from('no tar at all, '.repeat(100))] });
      return tarOf(layoutOf([named(bad, 'x:1')], bad.blobs));
    })(),
    'with diff ids that lie': (() => {
      const manifest = Buffer.from(
        image.manifest
          .toString()
          .replace(sha256(image.config), sha256(lyingConfig))
          .replace(`"size":${image.config.length}`, `"size":${lyingConfig.length}`),
      );
      const target = named({ target: descriptorOf(manifest, OCI_MANIFEST) }, 'x:1');
      return tarOf(layoutOf([target], blobMembers([manifest, lyingConfig, base, top])));
    })(),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    await assert.rejects(
      room.images.load({ source: inPieces(bytes), platforms: [] }),
      (error) => isKind(error, 'data-loss'),
      what,
    );
    assert.deepEqual(await room.images.list(listAll), [], what);
    await assertEmpty(room);
  }
  assert.deepEqual(room.events, []);
});

test('load() keeps an index with its unknown parts, and save() gives the same digests back', async () => {
  await using room = await openRoom();
  const here = makeImage({ layers: [base, top] });
  const there = makeImage({ layers: [gzipSync(base)], platform: { os: 'linux', architecture: 's390x' } });
  const attestation = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptorOf(Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json'),
      layers: [
        {
          ...descriptorOf(Buffer.from('{"a":1}'), 'application/vnd.in-toto+json'),
          annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' },
        },
      ],
    }),
  );
  const attested = {
    ...descriptorOf(attestation, OCI_MANIFEST),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': here.target.digest,
    },
  };
  const odd = Buffer.from('odd');
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [there.target, here.target, attested, descriptorOf(odd, 'application/x-odd')],
      annotations: { k: 'v' },
    }),
  );
  const target = named({ target: descriptorOf(index, OCI_INDEX) }, 'multi:1');
  await load(room, target, {
    ...here.blobs,
    ...there.blobs,
    ...blobMembers([index, attestation, Buffer.from('{}'), Buffer.from('{"a":1}'), odd]),
  });
  const [row] = await room.images.list({ ...listAll, manifests: true });
  assert.deepEqual(
    row?.Manifests?.map((each) => [each.Kind, each.Available]),
    [
      ['image', true],
      ['image', true],
      ['attestation', true],
    ],
  );
  assert.equal((await room.images.resolve('multi:1')).manifestDigest, here.target.digest);
  assert.equal(
    (await room.images.resolve('multi:1', { os: 'linux', architecture: 's390x' })).manifestDigest,
    there.target.digest,
  );
  await assert.rejects(
    room.images.resolve('multi:1', { os: 'linux', architecture: 'riscv64' }),
    /image with reference multi:1 was found but does not provide the specified platform \(linux\/riscv64\)/,
  );
  assert.deepEqual(await room.images.attestations('multi:1', { types: [], statement: true }), [
    {
      Descriptor: {
        ...descriptorOf(Buffer.from('{"a":1}'), 'application/vnd.in-toto+json'),
        annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' },
      },
      PredicateType: 'https://spdx.dev/Document',
      Statement: { a: 1 },
    },
  ]);
  const before = new Set(await room.blobs());
  const saved = Buffer.concat(await Array.fromAsync(await room.images.save({ names: ['multi:1'], platforms: [] })));
  await room.images.remove('multi:1', { force: false, pruneParents: true });
  await assertEmpty(room);
  const [again] = await room.images.load({ source: inPieces(saved, 100_000), platforms: [] });
  assert.equal(again?.name, 'docker.io/library/multi:1');
  assert.equal(again?.target.digest, target.digest);
  assert.deepEqual(new Set(await room.blobs()), before);
  const single = Buffer.concat(
    await Array.fromAsync(
      await room.images.save({ names: ['multi:1'], platforms: [{ os: 'linux', architecture: 's390x' }] }),
    ),
  );
  await using other = await openRoom();
  const [one] = await other.images.load({ source: inPieces(single, 100_000), platforms: [] });
  assert.equal(one?.target.digest, there.target.digest);
});

test('tag() moves a name and leaves what had it dangling', async () => {
  await using room = await openRoom();
  const one = await loadNamed(room, 'x:1');
  const two = await loadNamed(room, 'y:1', makeImage({ layers: [base], labels: { a: 'b' } }));
  await room.images.tag('y:1', parseReference('x:1'));
  const rows = await room.images.list(listAll);
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row.Id, row.RepoTags])), {
    [one.target.digest]: [],
    [two.target.digest]: ['x:1', 'y:1'],
  });
  assert.deepEqual(
    (await room.images.list({ ...listAll, filters: new Map([['dangling', ['true']]]) })).map((row) => row.Id),
    [one.target.digest],
  );
  const pruned = await room.images.prune(new Map());
  assert.deepEqual(pruned.ImagesDeleted, [{ Untagged: one.target.digest }, { Deleted: one.target.digest }]);
  assert.ok(pruned.SpaceReclaimed >= top.length);
  assert.deepEqual((await room.images.inspect('x:1', { manifests: false })).RepoTags, ['x:1', 'y:1']);
  await assert.rejects(room.images.tag('nope', parseReference('z')), /^WharfError: No such image: nope:latest$/);
  await assert.rejects(room.images.tag('x:1', parseReference('sha256:x')), /refusing to create an ambiguous tag/);
});

test('remove() by id refuses an image with several names, and by name removes one', async () => {
  await using room = await openRoom();
  const { target } = await loadNamed(room, 'x:1');
  const short = target.digest.slice(7, 19);
  await room.images.tag('x:1', parseReference('y:2'));
  const remove = (name: string, force = false) => room.images.remove(name, { force, pruneParents: true });
  await assert.rejects(remove(short), {
    message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  });
  assert.deepEqual(await remove('y:2'), [{ Untagged: 'y:2' }]);
  await room.images.tag('x:1', parseReference('y:2'));
  assert.deepEqual(await remove(short, true), [{ Untagged: 'x:1' }, { Untagged: 'y:2' }, { Deleted: target.digest }]);
  await assertEmpty(room);
  await assert.rejects(remove('x:1'), { message: 'No such image: x:1' });
});

test('remove() heeds containers', async () => {
  await using room = await openRoom();
  const { target } = await loadNamed(room, 'x:1');
  const id = newId<'container'>() as ContainerId;
  const short = target.digest.slice(7, 19);
  const remove = (name: string, force = false) => room.images.remove(name, { force, pruneParents: true });
  room.users.set(target.digest, [{ containerId: id, running: true }]);
  await assert.rejects(remove('x:1'), {
    message: `conflict: unable to delete x:1 (must be forced) - container ${id.slice(0, 12)} is using its referenced image ${short}`,
  });
  await assert.rejects(remove(short, true), {
    message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${id.slice(0, 12)}`,
  });
  assert.deepEqual(await remove('x:1', true), [{ Untagged: 'x:1' }]);
  assert.deepEqual(
    (await room.images.list(listAll)).map((row) => row.RepoTags),
    [[]],
  );
  assert.deepEqual((await room.images.prune(new Map())).ImagesDeleted, null);
  room.users.set(target.digest, [{ containerId: id, running: false }]);
  await assert.rejects(remove(short), {
    message: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ${id.slice(0, 12)}`,
  });
  room.users.clear();
  assert.deepEqual(await remove(short), [{ Deleted: target.digest }]);
  await assertEmpty(room);
});

test('prune() of all keeps the name a container was made from', async () => {
  await using room = await openRoom();
  const { target } = await loadNamed(room, 'x:1');
  await loadNamed(room, 'other:1', makeImage({ layers: [top] }));
  await room.images.tag('x:1', parseReference('x:2'));
  room.users.set(target.digest, [{ containerId: newId(), running: false, reference: 'x:2' }]);
  const { ImagesDeleted } = await room.images.prune(new Map([['dangling', ['false']]]));
  assert.deepEqual(
    ImagesDeleted?.map((each) => each.Untagged)
      .filter(Boolean)
      .sort(),
    ['other:1', 'x:1'],
  );
  assert.deepEqual(
    (await room.images.list(listAll)).flatMap((row) => row.RepoTags),
    ['x:2'],
  );
});

test('list() filters', async () => {
  await using room = await openRoom();
  await loadNamed(room, 'old:1', makeImage({ layers: [base], created: '2020-01-01T00:00:00Z', labels: { a: '1' } }));
  await loadNamed(
    room,
    'new:1',
    makeImage({ layers: [top], created: '2024-01-01T00:00:00Z', labels: { a: '2', b: '' } }),
  );
  const list = async (filters: Record<string, string[]>) =>
    (await room.images.list({ ...listAll, filters: new Map(Object.entries(filters)) })).flatMap(
      (row) => row.RepoTags ?? [],
    );
  assert.deepEqual(await list({}), ['new:1', 'old:1']);
  assert.deepEqual(await list({ before: ['new:1'] }), ['old:1']);
  assert.deepEqual(await list({ since: ['old:1'] }), ['new:1']);
  assert.deepEqual(await list({ label: ['a=1'] }), ['old:1']);
  assert.deepEqual(await list({ label: ['a', 'b'] }), ['new:1']);
  assert.deepEqual(await list({ 'label!': ['b'] }), ['old:1']);
  assert.deepEqual(await list({ reference: ['n*'] }), ['new:1']);
  assert.deepEqual(await list({ reference: ['docker.io/library/*:1'] }), ['new:1', 'old:1']);
  assert.deepEqual(await list({ until: ['10s'] }), []);
  assert.deepEqual(await list({ until: ['2100-01-01'] }), ['new:1', 'old:1']);
  await assert.rejects(list({ nope: ['1'] }), (error) => isKind(error, 'invalid-argument'));
  await assert.rejects(list({ dangling: ['maybe'] }), (error) => isKind(error, 'invalid-argument'));
  await assert.rejects(list({ until: ['whenever'] }), (error) => isKind(error, 'invalid-argument'));
  await assert.rejects(list({ before: ['nope'] }), (error) => isKind(error, 'not-found'));
});

test('import() makes an image of one layer with the changes', async () => {
  await using room = await openRoom();
  const id = await room.images.import({
    source: inPieces(gzipSync(base)),
    reference: parseReference('imp:1'),
    message: 'hello',
    changes: ['CMD ["a"]', 'ENV X=1 Y="2 3"', 'EXPOSE 80'],
  });
  const image = await room.images.inspect('imp:1', { manifests: false });
  assert.equal(image.Id, id);
  assert.equal(image.Comment, 'hello');
  assert.deepEqual(image.Config, { Cmd: ['a'], Env: ['X=1', 'Y=2 3'], ExposedPorts: { '80/tcp': {} } });
  assert.deepEqual(image.RootFS, { Type: 'layers', Layers: [sha256(base)] });
  assert.deepEqual(
    (await room.images.history('imp:1')).map((item) => [item.Comment, item.Tags]),
    [['hello', ['imp:1']]],
  );
  const before = await room.blobs();
  await assert.rejects(
    room.images.import({ source: inPieces(Buffer.from('no tar '.repeat(500))), message: '', changes: [] }),
    (error) => isKind(error, 'data-loss'),
  );
  await assert.rejects(room.images.import({ source: inPieces(base), message: '', changes: ['RUN x'] }), {
    message: 'RUN is not a valid change command',
  });
  assert.deepEqual(await room.blobs(), before);
});

test('createImageService() collects what a crash left and keeps the images', async () => {
  await using room = await openRoom();
  const { target } = await loadNamed(room, 'x:1');
  await room.content.put(Buffer.from('left over'));
  const blobs = (await room.blobs()).length;
  await room.snapshots.close();
  const again = await openRoom({ root: room.root, store: room.store });
  assert.equal((await again.blobs()).length, blobs - 1);
  assert.equal((await again.images.resolve('x:1')).id, target.digest);
  await again.snapshots.close();
});

test('load() of several images at once with shared layers ends well', async () => {
  await using room = await openRoom();
  const variants = Array.from({ length: 6 }, (_, n) => makeImage({ layers: [base, top, tarOf({ [`f${n}`]: 'x' })] }));
  await Promise.all(variants.map((image, n) => loadNamed(room, `v${n}:1`, image)));
  assert.equal(room.images.count(), 6);
  await Promise.all(variants.map((_, n) => room.images.remove(`v${n}:1`, { force: false, pruneParents: true })));
  await assertEmpty(room);
});

test('commit() makes an image of what a container changed', async () => {
  await using room = await openRoom();
  await loadNamed(room, 'x:1');
  const parent = await room.images.resolve('x:1');
  await room.snapshots.prepare('container', parent.chainId);
  const commit = (reference?: string) =>
    room.images.commit({
      snapshotKey: 'container',
      parent,
      config: { ...parent.config, config: { Cmd: ['new'] } },
      comment: 'why',
      author: 'me',
      createdBy: 'sh',
      reference,
    });
  const empty = await commit();
  assert.deepEqual((await room.images.inspect(empty, { manifests: false })).RootFS.Layers, parent.diffIds);
  writeFileSync(join(room.snapshots.layerDir('container'), 'new'), 'n'.repeat(10_000));
  const id = await commit('made:1');
  const image = await room.images.inspect('made:1', { manifests: false });
  assert.equal(image.Id, id);
  assert.equal(image.Parent, parent.id);
  assert.deepEqual([image.Author, image.Comment, image.Config], ['me', 'why', { Cmd: ['new'] }]);
  assert.equal(image.RootFS.Layers?.length, 3);
  const history = await room.images.history('made:1');
  assert.deepEqual(
    history.map((item) => item.CreatedBy),
    ['sh', 'layer 1', 'layer 0'],
  );
  assert.deepEqual(
    history.map((item) => item.Tags),
    [['made:1'], ['x:1'], null],
  );
  assert.deepEqual(new Set(await room.images.ancestors('x:1')), new Set([parent.id, empty, id]));
  const made = await room.images.resolve('made:1');
  await room.snapshots.prepare('second', made.chainId);
  assert.equal(room.snapshots.layerDirs('second').length, 4);
  assert.equal(readFileSync(join(room.snapshots.layerDirs('second')[1] ?? '', 'new'), 'utf8'), 'n'.repeat(10_000));
  await assert.rejects(commit('Not Valid'), (error) => isKind(error, 'invalid-argument'));
  for (const key of ['container', 'second']) await room.snapshots.remove(key);
  for (const name of ['made:1', empty, 'x:1']) await room.images.remove(name, { force: true, pruneParents: true });
  await assertEmpty(room);
});

test('load() on a full disk says so and gives the space back', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-full-'));
  mount({ source: 'tmpfs', target: root, type: 'tmpfs', data: 'size=12m' });
  try {
    const room = await openRoom({ root });
    const before = statfsSync(root).bfree;
    const layers = [0, 1, 2, 3].map((n) => tarOf({ [`f${n}`]: Buffer.alloc(2_000_000, n) }));
    const fits = makeImage({ layers: layers.slice(0, 1) });
    // The second fits as blobs, and fills the disk when it is unpacked; the third does not even fit as blobs.
    for (const image of [
      makeImage({ layers }),
      makeImage({ layers: [...layers, ...layers.map((layer) => tarOf({ x: layer }))] }),
    ]) {
      await assert.rejects(
        load(room, named(image, 'big:1'), image.blobs),
        (error) => isKind(error, 'resource-exhausted') && /no space left/i.test(error.message),
      );
      assert.deepEqual(await room.images.list(listAll), []);
      await assertEmpty(room);
    }
    await load(room, named(fits, 'small:1'), fits.blobs);
    await room.images.remove('small:1', { force: false, pruneParents: true });
    await room.snapshots.close();
    assert.ok(before - statfsSync(root).bfree < 64, 'the space is there again');
  } finally {
    unmount(root, { detach: true });
    rmdirSync(root);
  }
});

test('createImageService() finds nothing half made after kill -9 in the middle of a load', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-killed-'));
  try {
    const image = makeImage({
      layers: Array.from({ length: 4 }, (_, n) => tarOf({ [`f${n}`]: Buffer.alloc(1_500_000, n) })),
    });
    const bytes = tarOf(layoutOf([named(image, 'x:1')], image.blobs));
    const archive = join(root, 'in.tar');
    writeFileSync(archive, bytes);
    for (const share of [0.3, 0.7, 1]) {
      const script = `
        import { openRoom } from ${JSON.stringify(new URL('./test-room.ts', import.meta.url).href)};
        import { readFileSync } from 'node:fs';
        const room = await openRoom({ root: ${JSON.stringify(join(root, 'data'))} });
        const bytes = readFileSync(${JSON.stringify(archive)});
        async function* source() {
          for (let at = 0; at < bytes.length * ${share}; at += 65536) yield bytes.subarray(at, at + 65536);
          console.log('there');
          ${share < 1 ? 'await new Promise(() => setInterval(() => {}, 1000));' : ''}
        }
        await room.images.load({ source: source(), platforms: [] });
      `;
      const program = join(root, 'child.mjs');
      writeFileSync(program, script);
      const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
      const closed = once(child, 'close');
      await Promise.race([once(child.stdout, 'data'), closed]);
      child.kill('SIGKILL');
      await closed;
      // The names lived in memory, so whatever came in is left over now.
      const room = await openRoom({ root: join(root, 'data') });
      await assertEmpty(room);
      assert.deepEqual(readdirSync(join(root, 'data', 'content', 'ingest')), []);
      await room.snapshots.close();
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
