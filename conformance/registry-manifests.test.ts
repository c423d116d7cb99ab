import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { digestOf, imageOf, OCI_INDEX, OCI_MANIFEST, registryForFile, repositoryName } from './lib/registry.ts';

const registry = registryForFile();

/** Pulls by HEAD and GET and compares every byte. */
async function pulls(repository: string, reference: string, json: string, type = OCI_MANIFEST): Promise<void> {
  const digest = reference.startsWith('sha512:') ? digestOf(json, 'sha512') : digestOf(json);
  for (const method of ['HEAD', 'GET']) {
    const answer = await registry().send(method, `${repository}/manifests/${reference}`, { headers: { accept: type } });
    assert.equal(answer.status, 200, `${method} ${reference}`);
    assert.equal(answer.headers.get('docker-content-digest'), digest);
    assert.equal(answer.headers.get('content-type'), type);
    assert.equal(answer.headers.get('content-length'), String(Buffer.byteLength(json)));
    assert.equal(await answer.text(), method === 'HEAD' ? '' : json);
  }
}

test('an image is pushed and pulled by tag and by digest', async () => {
  const name = repositoryName();
  const { digest, json } = await registry().pushImage(name, 'v1');
  await pulls(name, 'v1', json);
  await pulls(name, digest, json);
  const again = await registry().putManifest(name, 'v2', json);
  assert.equal(again.status, 201);
  assert.equal(again.headers.get('docker-content-digest'), digest);
  assert.ok(registry().placeOf(again).includes(`/v2/${name}/manifests/`));
});

test('a manifest keeps its bytes, fields of its own and embedded data included', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const layer = await registry().pushBlob(name, randomBytes(32));
  const more = { 'org.example.custom': { nested: ['x', 1, null] }, annotations: { 'org.example.key': 'välue' } };
  const json = `${JSON.stringify(imageOf({ ...config, data: 'e30=' } as typeof config, [layer], more), null, '\t')}\n\n`;
  assert.equal((await registry().putManifest(name, 'odd', json)).status, 201);
  await pulls(name, 'odd', json);
});

test('an image without layers, with layers elsewhere, and an artifact of any type are taken', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const foreign = {
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    digest: digestOf(randomBytes(9)),
    size: 123,
    urls: ['https://layers.example.com/windows'],
  };
  for (const [tag, layers, more] of [
    ['none', [], {}],
    ['elsewhere', [foreign], {}],
    ['artifact', [config], { artifactType: 'application/vnd.example.thing' }],
  ] as const) {
    const json = JSON.stringify(imageOf(config, layers, more));
    assert.equal((await registry().putManifest(name, tag, json)).status, 201, tag);
    await pulls(name, tag, json);
  }
});

test('a manifest of exactly four mebibytes is taken, a larger one refused with 413', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const sized = (bytes: number) => {
    const rest = JSON.stringify(imageOf(config, [], { annotations: { pad: '' } })).length;
    return JSON.stringify(imageOf(config, [], { annotations: { pad: 'x'.repeat(bytes - rest) } }));
  };
  const json = sized(4 * 1024 * 1024);
  assert.equal((await registry().putManifest(name, 'large', json)).status, 201);
  await pulls(name, 'large', json);
  assert.equal((await registry().putManifest(name, 'larger', sized(4 * 1024 * 1024 + 1))).status, 413);
});

test('an index is taken with its images, empty, and within another index', async () => {
  const name = repositoryName();
  const { json: _one, ...one } = await registry().pushImage(name, '');
  const { json: _two, ...two } = await registry().pushImage(name, '');
  const index = (manifests: readonly object[]) => JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const both = index([one, two]);
  for (const [tag, json] of [
    ['both', both],
    ['empty', index([])],
    ['nested', index([{ mediaType: OCI_INDEX, digest: digestOf(both), size: both.length }])],
  ] as const) {
    assert.equal((await registry().putManifest(name, tag, json, OCI_INDEX)).status, 201, tag);
    await pulls(name, tag, json, OCI_INDEX);
  }
});

test('a manifest whose blobs are not here is refused', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const missing = { ...config, digest: digestOf(randomBytes(8)) };
  const answer = await registry().putManifest(name, 'v1', imageOf(config, [missing]));
  assert.equal(answer.status, 404);
  assert.equal(await registry().code(answer), 'MANIFEST_BLOB_UNKNOWN');
  assert.equal(await registry().status('GET', `${name}/manifests/v1`), 404);
});

test('a manifest that is none is refused', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  for (const text of [
    'no json',
    '[]',
    '{"schemaVersion":2}',
    JSON.stringify({ ...imageOf(config, []), schemaVersion: 1 }),
    JSON.stringify(imageOf({ ...config, digest: '../../../etc/passwd' }, [])),
    JSON.stringify(imageOf({ ...config, size: -1 }, [])),
    JSON.stringify(imageOf({ ...config, size: config.size + 1 }, [])),
    JSON.stringify({ ...imageOf(config, []), mediaType: OCI_INDEX }),
  ]) {
    const answer = await registry().putManifest(name, 'bad', text, OCI_MANIFEST);
    assert.equal(answer.status, 400, text);
    assert.equal(await registry().code(answer), 'MANIFEST_INVALID', text);
  }
});

test('a manifest under a digest that it does not have is refused', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, Buffer.from('{}'));
  const answer = await registry().putManifest(name, digestOf('other'), imageOf(config, []));
  assert.equal(answer.status, 400);
  assert.equal(await registry().code(answer), 'DIGEST_INVALID');
  assert.equal((await registry().putManifest(name, 'sha256:baddigeststring', imageOf(config, []))).status, 400);
  assert.equal((await registry().putManifest(name, '.dotted', imageOf(config, []))).status, 400);
  assert.equal((await registry().putManifest(name, 't'.repeat(129), imageOf(config, []))).status, 400);
});

test('a manifest is stored under sha512', async () => {
  const name = repositoryName();
  const config = await registry().pushBlob(name, randomBytes(40), 'sha512');
  const json = JSON.stringify(imageOf(config, []));
  const digest = digestOf(json, 'sha512');
  const answer = await registry().putManifest(name, digest, json);
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('docker-content-digest'), digest);
  await pulls(name, digest, json);
});

test('`tag` parameters set several tags with one push by digest', async () => {
  const name = repositoryName();
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const config = await registry().pushBlob(name, randomBytes(40));
    const json = JSON.stringify(imageOf(config, []));
    const digest = digestOf(json, algorithm);
    const tags = [`${algorithm}-a`, `${algorithm}-b`, `${algorithm}-c`];
    const query = tags.map((tag) => `tag=${tag}`).join('&');
    const answer = await registry().putManifest(name, `${digest}?${query}`, json);
    assert.equal(answer.status, 201);
    assert.deepEqual(answer.headers.get('oci-tag')?.split(/,\s*/), tags);
    for (const tag of tags) {
      const got = await registry().send('GET', `${name}/manifests/${tag}`);
      assert.equal(got.headers.get('docker-content-digest'), digest);
      assert.equal(await got.text(), json);
    }
  }
});

test('what is not there is unknown, by tag and by digest', async () => {
  const name = repositoryName();
  await registry().pushImage(name, 'v1');
  for (const reference of ['missing', digestOf(randomBytes(8))]) {
    const answer = await registry().send('GET', `${name}/manifests/${reference}`);
    assert.equal(answer.status, 404);
    assert.equal(await registry().code(answer), 'MANIFEST_UNKNOWN');
    assert.equal(await registry().status('HEAD', `${name}/manifests/${reference}`), 404);
    assert.equal(await registry().status('DELETE', `${name}/manifests/${reference}`), 404);
  }
  assert.ok([400, 404].includes(await registry().status('GET', `${name}/manifests/sha256:baddigeststring`)));
});

test('a tag goes alone; a manifest goes with its tags', async () => {
  const name = repositoryName();
  const { digest, json } = await registry().pushImage(name, 'a');
  await registry().putManifest(name, 'b', json);
  await registry().putManifest(name, 'c', json);
  assert.equal(await registry().status('DELETE', `${name}/manifests/a`), 202);
  assert.equal(await registry().status('GET', `${name}/manifests/a`), 404);
  await pulls(name, digest, json);
  assert.deepEqual(await registry().tags(name), ['b', 'c']);
  assert.equal(await registry().status('DELETE', `${name}/manifests/${digest}`), 202);
  for (const reference of ['b', 'c', digest])
    assert.equal(await registry().status('GET', `${name}/manifests/${reference}`), 404);
  assert.deepEqual(await registry().tags(name), []);
});

test('conditions of RFC 9110 hold for manifests', async () => {
  const name = repositoryName();
  const { digest, json } = await registry().pushImage(name, 'v1');
  const headers = { 'if-none-match': `"${digest}"` };
  assert.equal(await registry().status('GET', `${name}/manifests/v1`, { headers }), 304);
  const other = await registry().pushImage(name, '');
  const put = (extra: Record<string, string>) =>
    registry().status('PUT', `${name}/manifests/v1`, {
      body: other.json,
      headers: { 'content-type': OCI_MANIFEST, ...extra },
    });
  assert.equal(await put({ 'if-match': `"${other.digest}"` }), 412);
  await pulls(name, 'v1', json);
  assert.equal(await put({ 'if-match': `"${digest}"` }), 201);
  assert.equal(await put({ 'if-none-match': '*' }), 412);
});
