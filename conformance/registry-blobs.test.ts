import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { digestOf, OCTETS, registryForFile, repositoryName } from './lib/registry.ts';

const registry = registryForFile();

test('GET /v2/ says that the API is there', async () => {
  const answer = await registry().send('GET', '');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('docker-distribution-api-version'), 'registry/2.0');
});

for (const algorithm of ['sha256', 'sha512'] as const) {
  const pulled = async (repository: string, digest: string, bytes: Uint8Array) => {
    const head = await registry().send('HEAD', `${repository}/blobs/${digest}`);
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), String(bytes.length));
    assert.equal(head.headers.get('docker-content-digest'), digest);
    const got = await registry().send('GET', `${repository}/blobs/${digest}`);
    assert.equal(got.status, 200);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), Buffer.from(bytes));
  };

  test(`${algorithm}: a blob comes by one POST`, async () => {
    const [name, bytes] = [repositoryName(), randomBytes(1000)];
    const digest = digestOf(bytes, algorithm);
    const answer = await registry().send('POST', `${name}/blobs/uploads/?digest=${digest}`, {
      body: bytes,
      headers: OCTETS,
    });
    assert.equal(answer.status, 201);
    assert.ok(registry().placeOf(answer).endsWith(`/v2/${name}/blobs/${digest}`));
    await pulled(name, digest, bytes);
  });

  test(`${algorithm}: a blob comes by POST and PUT`, async () => {
    const [name, bytes] = [repositoryName(), randomBytes(1000)];
    const { digest } = await registry().pushBlob(name, bytes, algorithm);
    await pulled(name, digest, bytes);
  });

  test(`${algorithm}: a blob comes in chunks, with a last one in the PUT`, async () => {
    const [name, bytes] = [repositoryName(), randomBytes(3000)];
    const digest = digestOf(bytes, algorithm);
    let place = await registry().begin(name);
    for (const [first, last] of [
      [0, 999],
      [1000, 1999],
    ] as const) {
      const answer = await registry().send('PATCH', place, {
        body: bytes.subarray(first, last + 1),
        headers: { ...OCTETS, 'content-range': `${first}-${last}` },
      });
      assert.equal(answer.status, 202);
      assert.equal(answer.headers.get('range'), `0-${last}`);
      place = registry().placeOf(answer);
      const asked = await registry().send('GET', place);
      assert.equal(asked.status, 204);
      assert.equal(asked.headers.get('range'), `0-${last}`);
    }
    assert.equal((await registry().finish(place, digest, bytes.subarray(2000))).status, 201);
    await pulled(name, digest, bytes);
  });

  test(`${algorithm}: a blob comes as a stream of unknown length`, async () => {
    const [name, bytes] = [repositoryName(), randomBytes(200_000)];
    const digest = digestOf(bytes, algorithm);
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 50_000) controller.enqueue(bytes.subarray(at, at + 50_000));
        controller.close();
      },
    });
    const init = { body, headers: OCTETS, duplex: 'half' } as RequestInit;
    const answer = await registry().send('PATCH', await registry().begin(name), init);
    assert.equal(answer.status, 202);
    assert.equal((await registry().finish(registry().placeOf(answer), digest)).status, 201);
    await pulled(name, digest, bytes);
  });

  test(`${algorithm}: bytes that have another digest are refused, however they come`, async () => {
    const [name, bytes] = [repositoryName(), randomBytes(1000)];
    const wrong = digestOf('other', algorithm);
    const post = await registry().send('POST', `${name}/blobs/uploads/?digest=${wrong}`, {
      body: bytes,
      headers: OCTETS,
    });
    assert.equal(post.status, 400);
    assert.equal(await registry().code(post), 'DIGEST_INVALID');
    assert.equal((await registry().finish(await registry().begin(name), wrong, bytes)).status, 400);
    const chunk = await registry().send('PATCH', await registry().begin(name), { body: bytes, headers: OCTETS });
    assert.equal((await registry().finish(registry().placeOf(chunk), wrong)).status, 400);
    assert.equal(await registry().status('HEAD', `${name}/blobs/${wrong}`), 404);
  });

  test(`${algorithm}: the empty blob is a blob`, async () => {
    const name = repositoryName();
    const { digest } = await registry().pushBlob(name, new Uint8Array(), algorithm);
    await pulled(name, digest, new Uint8Array());
  });

  test(`${algorithm}: a blob is mounted from another repository, or found without naming one`, async () => {
    const [from, to, third] = [repositoryName(), repositoryName(), repositoryName()];
    const bytes = randomBytes(500);
    const { digest } = await registry().pushBlob(from, bytes, algorithm);
    const answer = await registry().send('POST', `${to}/blobs/uploads/?mount=${digest}&from=${from}`);
    assert.equal(answer.status, 201);
    await pulled(to, digest, bytes);
    assert.equal(await registry().status('POST', `${third}/blobs/uploads/?mount=${digest}`), 201);
    await pulled(third, digest, bytes);
    assert.equal(await registry().status('DELETE', `${from}/blobs/${digest}`), 202);
    assert.equal(await registry().status('HEAD', `${from}/blobs/${digest}`), 404);
    await pulled(to, digest, bytes);
  });

  test(`${algorithm}: a mount of what is not there becomes an upload`, async () => {
    const [from, to] = [repositoryName(), repositoryName()];
    const bytes = randomBytes(500);
    const digest = digestOf(bytes, algorithm);
    const answer = await registry().send('POST', `${to}/blobs/uploads/?mount=${digest}&from=${from}`);
    assert.equal(answer.status, 202);
    assert.equal((await registry().finish(registry().placeOf(answer), digest, bytes)).status, 201);
  });

  test(`${algorithm}: parts of a blob are served by Range`, async () => {
    const [name, bytes] = [repositoryName(), randomBytes(4000)];
    const { digest } = await registry().pushBlob(name, bytes, algorithm);
    const part = async (range: string) => {
      const answer = await registry().send('GET', `${name}/blobs/${digest}`, { headers: { range } });
      return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    for (const [range, start, end] of [
      ['bytes=500-1499', 500, 1499],
      ['bytes=500-', 500, 3999],
      ['bytes=-500', 3500, 3999],
      ['bytes=2000-5000', 2000, 3999],
    ] as const) {
      const found = await part(range);
      assert.equal(found.answer.status, 206, range);
      assert.equal(found.answer.headers.get('content-range'), `bytes ${start}-${end}/4000`);
      assert.deepEqual(found.bytes, bytes.subarray(start, end + 1));
    }
    assert.equal((await part('bytes=5000-10000')).answer.status, 416);
    // Not a valid range at all (RFC 9110, section 14.1.1), so it may be ignored.
    assert.ok([200, 416].includes((await part('bytes=500-0')).answer.status));
    const unchanged = await registry().send('GET', `${name}/blobs/${digest}`, {
      headers: { 'if-none-match': `"${digest}"` },
    });
    assert.equal(unchanged.status, 304);
  });
}

test('a chunk out of order is refused, and the upload can go on', async () => {
  const [name, bytes] = [repositoryName(), randomBytes(2000)];
  const digest = digestOf(bytes);
  const place = await registry().begin(name);
  const chunk = (first: number, last: number) =>
    registry().send('PATCH', place, {
      body: bytes.subarray(first, last + 1),
      headers: { ...OCTETS, 'content-range': `${first}-${last}` },
    });
  const early = await chunk(1000, 1999);
  assert.equal(early.status, 416);
  await early.arrayBuffer();
  assert.equal((await chunk(0, 999)).status, 202);
  assert.equal((await chunk(0, 999)).status, 416);
  assert.equal((await chunk(1500, 1999)).status, 416);
  assert.equal((await chunk(1000, 1999)).status, 202);
  assert.equal((await registry().finish(place, digest)).status, 201);
});

test('an upload is cancelled', async () => {
  const name = repositoryName();
  const place = await registry().begin(name);
  assert.equal(await registry().status('DELETE', place), 204);
  assert.equal(await registry().status('GET', place), 404);
  const answer = await registry().send('PATCH', place, { body: randomBytes(10), headers: OCTETS });
  assert.equal(answer.status, 404);
  assert.equal(await registry().code(answer), 'BLOB_UPLOAD_UNKNOWN');
});

test('a blob that is not there is unknown; a malformed digest is invalid', async () => {
  const name = repositoryName();
  await registry().pushBlob(name, randomBytes(10));
  const missing = await registry().send('GET', `${name}/blobs/${digestOf(randomBytes(8))}`);
  assert.equal(missing.status, 404);
  assert.equal(await registry().code(missing), 'BLOB_UNKNOWN');
  assert.equal(await registry().status('DELETE', `${name}/blobs/${digestOf(randomBytes(8))}`), 404);
  const malformed = await registry().send('GET', `${name}/blobs/sha256:baddigeststring`);
  assert.ok([400, 404].includes(malformed.status));
  assert.equal((await registry().finish(await registry().begin(name), 'sha256:bad', randomBytes(4))).status, 400);
});

test('names that are none are refused', async () => {
  for (const name of ['UPPER/case', '..%2f..%2fetc', '%2e%2e/x', '-x/y', 'a//b', '/etc/passwd', 'x'.repeat(300)]) {
    const answer = await registry().send('POST', `${registry().base}/v2/${name}/blobs/uploads/`);
    await answer.arrayBuffer();
    assert.ok([400, 404].includes(answer.status), `${name}: ${answer.status}`);
  }
});
