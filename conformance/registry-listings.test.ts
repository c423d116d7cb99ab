import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  type Descriptor,
  digestOf,
  imageOf,
  nextOf,
  OCI_INDEX,
  registryForFile,
  repositoryName,
} from './lib/registry.ts';

const registry = registryForFile();

async function pages(path: string): Promise<string[][]> {
  const found: string[][] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: Response = await registry().send('GET', next);
    assert.equal(answer.status, 200);
    const body = (await answer.json()) as { tags?: string[]; repositories?: string[] };
    found.push(body.tags ?? body.repositories ?? []);
    next = nextOf(answer);
  }
  return found;
}

test('tags are listed in order, by pages, and from a tag on', async () => {
  const name = repositoryName();
  const { json } = await registry().pushImage(name, 'v1');
  for (const tag of ['v10', 'a', 'latest', 'v2', '_x', 'Z']) await registry().putManifest(name, tag, json);
  const all = ['Z', '_x', 'a', 'latest', 'v1', 'v10', 'v2'];
  assert.deepEqual(await registry().tags(name), all);
  assert.deepEqual(await registry().tags(name, '?n=2'), all.slice(0, 2));
  assert.deepEqual(await registry().tags(name, '?n=0'), []);
  assert.deepEqual(await registry().tags(name, '?n=2&last=a'), ['latest', 'v1']);
  assert.deepEqual(await registry().tags(name, '?last=v10'), ['v2']);
  assert.deepEqual(await registry().tags(name, '?last=b'), ['latest', 'v1', 'v10', 'v2']);
  const found = await pages(`${name}/tags/list?n=3`);
  assert.deepEqual(
    found.map((page) => page.length),
    [3, 3, 1],
  );
  assert.deepEqual(found.flat(), all);
  const exact = await pages(`${name}/tags/list?n=7`);
  assert.deepEqual(exact, [all]);
});

test('tags of a repository that is not there are unknown', async () => {
  const answer = await registry().send('GET', `${repositoryName()}/tags/list`);
  assert.equal(answer.status, 404);
  assert.equal(await registry().code(answer), 'NAME_UNKNOWN');
});

test('the catalog lists repositories by pages', async () => {
  const prefix = repositoryName();
  const names = ['a', 'b', 'c'].map((each) => `${prefix}/${each}`);
  for (const name of names) await registry().pushImage(name, 'v1');
  const found = await pages('_catalog?n=2');
  assert.ok(found.every((page) => page.length <= 2));
  assert.deepEqual(
    found.flat().filter((name) => name.startsWith(prefix)),
    names,
  );
});

test('referrers of what nobody refers to are an empty index', async () => {
  const name = repositoryName();
  assert.deepEqual(await registry().referrers(name, digestOf(randomBytes(8))), []);
  assert.equal(await registry().status('GET', `${name}/referrers/sha256:bad`), 400);
});

test('referrers are listed with type and annotations, and by type', async () => {
  const name = repositoryName();
  const { json: _, ...subject } = await registry().pushImage(name, 'v1');
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const made: Descriptor[] = [];
  const put = async (artifactType: string | undefined, annotations: Record<string, string>) => {
    const more = { subject, annotations, ...(artifactType === undefined ? {} : { artifactType }) };
    const json = JSON.stringify(imageOf(config, [], more));
    const answer = await registry().putManifest(name, digestOf(json), json);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get('oci-subject'), subject.digest);
    const type = artifactType ?? 'application/vnd.oci.image.config.v1+json';
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    made.push({ mediaType, digest: digestOf(json), size: json.length, artifactType: type, annotations });
  };
  await put('application/vnd.example.sbom', { 'org.example.format': 'json' });
  await put('application/vnd.example.signature', { 'org.example.key': '1' });
  await put(undefined, { plain: 'image' });
  const byDigest = (list: readonly Descriptor[]) => list.toSorted((a, b) => a.digest.localeCompare(b.digest));
  assert.deepEqual(byDigest(await registry().referrers(name, subject.digest)), byDigest(made));
  const query = `?artifactType=${encodeURIComponent('application/vnd.example.sbom')}`;
  const answer = await registry().send('GET', `${name}/referrers/${subject.digest}${query}`);
  assert.equal(answer.headers.get('oci-filters-applied'), 'artifactType');
  assert.deepEqual(((await answer.json()) as { manifests: object[] }).manifests, made.slice(0, 1));
  assert.equal(await registry().status('DELETE', `${name}/manifests/${made[1]?.digest}`), 202);
  assert.equal((await registry().referrers(name, subject.digest)).length, 2);
});

test('an index may refer to a subject, and a subject may come after its referrers', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const json = JSON.stringify(imageOf(config, []));
  const subject = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(json),
    size: json.length,
  };
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, artifactType: 'application/vnd.example.all', manifests: [] };
  const early = await registry().putManifest(name, 'signature', { ...index, subject });
  assert.equal(early.status, 201);
  assert.equal(early.headers.get('oci-subject'), subject.digest);
  assert.equal((await registry().putManifest(name, 'v1', json)).status, 201);
  const [found, ...rest] = await registry().referrers(name, subject.digest);
  assert.deepEqual(rest, []);
  assert.equal(found?.mediaType, OCI_INDEX);
  assert.equal(found.artifactType, 'application/vnd.example.all');
});

test('more referrers than fit into one index come by pages', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('s'), size: 1 };
  const pad = 'x'.repeat(1_500_000);
  for (const turn of ['1', '2', '3', '4'])
    assert.equal(
      (await registry().putManifest(name, turn, imageOf(config, [], { subject, annotations: { pad, turn } }))).status,
      201,
    );
  let seen = 0;
  let turns = 0;
  for (let next: string | undefined = `${name}/referrers/${subject.digest}`; next !== undefined; turns += 1) {
    const answer: Response = await registry().send('GET', next);
    const text = await answer.text();
    assert.ok(text.length <= 4 * 1024 * 1024);
    seen += (JSON.parse(text) as { manifests: object[] }).manifests.length;
    next = nextOf(answer);
  }
  assert.equal(seen, 4);
  assert.ok(turns > 1);
});
