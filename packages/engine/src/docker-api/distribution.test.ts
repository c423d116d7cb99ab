import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testClient } from '@wharf/oci/remote/test-client';
import { TestRegistry } from '@wharf/oci/remote/test-registry';
import { HttpClient } from '@wharf/wire/http/client';
import { startTestServer } from '@wharf/wire/http/testing';
import { distributionRoutes } from './distribution.ts';

test('GET /images/search asks the registry and filters', async () => {
  const results = [
    { name: 'library/x', star_count: 100, is_official: true, is_automated: true, description: 'one' },
    { name: 'me/x', star_count: 1, is_official: false, description: 'two' },
  ];
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      if (!request.url?.startsWith('/v1/search')) return false;
      response.end(JSON.stringify({ num_results: 2, query: 'x', results }));
      return true;
    },
  });
  await using remote = await testClient();
  await using server = await startTestServer(distributionRoutes({ registries: async () => remote.registries }));
  const client = new HttpClient(server.host);
  const search = async (query: string) => {
    const answer = await client.request({ path: `/images/search?${query}` });
    return { status: answer.status, body: answer.json() };
  };
  const term = `term=${registry.host}/x`;
  const [official, other] = results.map((row) => ({ ...row, is_automated: false }));
  assert.deepEqual(await search(term), { status: 200, body: [official, other] });
  assert.match(registry.seen.at(-1)?.url ?? '', /\?q=x&n=25$/);
  const filters = (value: object): string => `&filters=${encodeURIComponent(JSON.stringify(value))}`;
  assert.deepEqual((await search(term + filters({ 'is-official': ['true'] }))).body, [official]);
  assert.deepEqual((await search(`${term}&limit=5${filters({ stars: ['50'] })}`)).body, [official]);
  assert.match(registry.seen.at(-1)?.url ?? '', /&n=5$/);
  assert.deepEqual((await search(term + filters({ 'is-automated': ['true'] }))).body, []);
  const bad = {
    [`${term}&limit=a`]: 'invalid limit specified: strconv.Atoi: parsing "a": invalid syntax',
    [`${term}&limit=101`]: 'limit 101 is outside the range of [1, 100]',
    [term + filters({ color: ['red'] })]: "invalid filter 'color'",
    'term=https://x/y': 'invalid repository name: repository name (https://x/y) should not have a scheme',
  };
  for (const [query, message] of Object.entries(bad)) {
    assert.deepEqual(await search(query), { status: 400, body: { message } });
  }
});

test('GET /distribution/{name}/json tells what a registry has', async () => {
  await using registry = await TestRegistry.start();
  const image = registry.putImage('a/b', '1', [Buffer.from('x')]);
  const arm = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  const index = registry.putIndex('a/b', 'all', [{ ...image, platform: arm }]);
  await using remote = await testClient();
  await using server = await startTestServer(distributionRoutes({ registries: async () => remote.registries }));
  const client = new HttpClient(server.host);
  const inspect = async (name: string) => {
    const answer = await client.request({ path: `/distribution/${name}/json` });
    return { status: answer.status, body: answer.json() };
  };
  const host = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' };
  const name = `${registry.host}/a/b`;
  assert.deepEqual(await inspect(`${name}:1`), { status: 200, body: { Descriptor: image, Platforms: [host] } });
  assert.deepEqual(await inspect(`${name}@${index.digest}`), {
    status: 200,
    body: { Descriptor: index, Platforms: [arm] },
  });
  assert.deepEqual(await inspect(`${name}:no`), {
    status: 404,
    body: { message: 'manifest unknown: manifest unknown' },
  });
  assert.equal((await inspect('a'.repeat(64))).status, 500);
  assert.equal((await inspect('UPPER')).status, 400);
});
