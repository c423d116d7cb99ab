import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { type Digest, nullLogger } from '@wharf/kit';
import { openMemoryStore } from '@wharf/store';
import { Catalog } from '../model/catalog.ts';
import { Hooks } from './hooks.ts';
import { signatureOf } from './payload.ts';
import type { HookAction } from './records.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;

interface Received {
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** Answers with the statuses given, then with 204. */
async function receiver(statuses: number[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ body, headers: request.headers });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { received, url, [Symbol.asyncDispose]: async () => void (await close()) };
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition(); ) {
    assert.ok(Date.now() < deadline, 'it never came to be so');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function registry() {
  const store = openMemoryStore();
  const now = () => Date.now();
  const catalog = new Catalog({ store, guards: [], now });
  const make = () =>
    new Hooks({ store, catalog, now, log: nullLogger, userAgent: 'test', backoff: { firstMs: 5, maxMs: 10 } });
  const push = (repository: string, letter: string, tags: readonly string[]) => {
    const manifest = { mediaType: 'x', sizeBytes: 10, at: now(), by: 'ann', blobs: [], children: [] };
    catalog.putManifest({ repository, digest: digest(letter), manifest, tags });
  };
  const identity = { name: 'ann', anonymous: false, allows: () => true };
  const hook = (url: string, actions: readonly HookAction[]) => ({
    url,
    secret: 's',
    actions,
    repository: 'team/**',
    createdAt: now(),
  });
  return { catalog, make, push, identity, hook };
}

test('Hooks tells of each push and deletion once, signed, and tries again until it is taken', async () => {
  const { catalog, make, push, identity, hook } = registry();
  await using place = await receiver([500, 503]);
  const hooks = make();
  hooks.start();
  push('team/a', 'a', ['before']);
  hooks.add('one', hook(place.url, ['push', 'delete']));
  push('team/a', 'b', ['v1', 'latest']);
  push('other/a', 'c', ['v1']);
  catalog.deleteTag({ repository: 'team/a', tag: 'v1', identity });
  await until(() => place.received.length === 4);
  const [first, , third, fourth] = place.received;
  assert.equal(first?.body, third?.body);
  const told = JSON.parse(third?.body ?? '{}') as Record<string, unknown>;
  assert.deepEqual(
    { ...told, id: 0, time: '' },
    {
      id: 0,
      action: 'push',
      time: '',
      actor: 'ann',
      repository: 'team/a',
      digest: digest('b'),
      mediaType: 'x',
      size: 10,
      tags: ['v1', 'latest'],
    },
  );
  assert.deepEqual((JSON.parse(fourth?.body ?? '{}') as { tags: string[] }).tags, ['v1']);
  const stamp = Number(third?.headers['x-wharf-timestamp']);
  assert.equal(third?.headers['x-wharf-signature'], signatureOf('s', stamp, third?.body ?? ''));
  await until(() => hooks.deliveries.list('one/').length === 2);
  assert.deepEqual(
    hooks.deliveries.list('one/').map(({ value }) => [value.attempts, value.isDelivered]),
    [
      [3, true],
      [1, true],
    ],
  );
  await hooks.close();
});

test('Hooks goes on after a restart where it was', async () => {
  const { make, push, hook } = registry();
  await using place = await receiver([]);
  const before = make();
  before.add('one', hook(place.url, ['push']));
  push('team/a', 'a', ['v1']);
  await before.close();
  push('team/a', 'b', ['v2']);
  const hooks = make();
  hooks.start();
  await until(() => place.received.length === 2);
  assert.deepEqual(
    place.received.map(({ headers }) => headers['x-wharf-event']),
    ['push', 'push'],
  );
  await hooks.close();
});

test('Hooks.extension tells of pulls only where a hook asks for them', async () => {
  const { catalog, make, push, hook, identity } = registry();
  await using place = await receiver([]);
  const hooks = make();
  hooks.start();
  push('team/a', 'a', ['v1']);
  const pull = () => hooks.extension.pulled?.({ repository: 'team/a', digest: digest('a'), tag: 'v1', identity });
  const { last } = catalog.events;
  pull();
  assert.equal(catalog.events.last, last);
  hooks.add('one', hook(place.url, ['pull']));
  pull();
  await until(() => place.received.length === 1);
  await hooks.close();
});
