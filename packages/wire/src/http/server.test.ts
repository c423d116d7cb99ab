import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit';
import type { Route } from './route.ts';
import { startTestServer, until } from './testing.ts';

const gone: string[] = [];
let large = 0;

const routes: readonly Route[] = [
  { method: 'GET', pattern: '/_ping', handler: (_q, r) => r.text(200, 'OK') },
  { method: 'HEAD', pattern: '/_ping', handler: (_q, r) => r.text(200, '') },
  { method: 'GET', pattern: '/new', since: 44, handler: (_q, r) => r.json(200, {}) },
  { method: 'GET', pattern: '/version', handler: (q, r) => r.json(200, q.version) },
  {
    method: 'GET',
    pattern: '/images/{name:.*}/json',
    handler: (q, r) => r.json(200, { name: q.params['name'], q: q.query.get('q') }),
  },
  { method: 'POST', pattern: '/echo', handler: async (q, r) => r.json(200, { got: await q.json() }) },
  {
    method: 'PUT',
    pattern: '/upload',
    handler: async (q, r) => {
      let bytes = 0;
      for await (const chunk of q.body) bytes += (chunk as Buffer).length;
      r.json(200, { bytes });
    },
  },
  { method: 'PUT', pattern: '/unread', handler: (_q, r) => r.json(200, {}) },
  {
    method: 'GET',
    pattern: '/fail/{kind}',
    handler: (q) => {
      throw new WharfError(q.params['kind'] as 'conflict', 'No', { hint: 'Do not' });
    },
  },
  {
    method: 'GET',
    pattern: '/hang',
    handler: (q, r) =>
      new Promise((resolve) => {
        q.signal.addEventListener('abort', () => {
          gone.push('hang');
          resolve();
        });
        r.stream(200, 'text/plain');
      }),
  },
  {
    method: 'GET',
    pattern: '/large',
    handler: (_q, r) => {
      large += 1;
      r.text(200, 'x'.repeat(1024 * 1024));
    },
  },
  { method: 'GET', pattern: '/mute', handler: () => {} },
  {
    method: 'GET',
    pattern: '/cut',
    handler: async (_q, r) => {
      await r.stream(200, 'text/plain').write('half');
      throw new Error('broken');
    },
  },
  {
    method: 'GET',
    pattern: '/lines',
    handler: async (_q, r) => {
      const out = r.stream(200, 'application/json');
      await out.json({ a: 1 });
      await out.json({ big: 2n ** 63n });
      out.end();
    },
  },
];

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

test('HttpServer answers with the headers of the Engine API', async () => {
  await using server = await startTestServer(routes);
  const client = server.connect().send(get('/_ping'));
  const text = await client.until((c) => c.received.endsWith('OK'));
  assert.match(
    text,
    /^HTTP\/1\.1 200 OK\r\nApi-Version: 1\.56\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Wharf\/0\.0\.0 \(linux\)\r\nContent-Type: text\/plain; charset=utf-8\r\nDate: .*GMT\r\nContent-Length: 2\r\n\r\nOK$/,
  );
});

test('HttpServer serves pipelined requests in order and one connection many times', async () => {
  await using server = await startTestServer(routes);
  const client = server
    .connect()
    .send(get('/images/a/json') + get('/images/b%2Fc:1/json?q=x+y') + get('/v1.30/version'));
  await client.until((c) => c.received.includes('"minor":30'));
  assert.ok(client.received.indexOf('"a"') < client.received.indexOf('{"name":"b/c:1","q":"x y"}'));
  client.received = '';
  client.send(get('/_ping'));
  await client.until((c) => c.received.endsWith('OK'));
  const many = 2_000;
  client.received = '';
  client.send(get('/_ping').repeat(many));
  await client.until((c) => c.received.split('\r\n\r\nOK').length === many + 1);
});

test('HttpServer takes heads and bodies in pieces of any size', async () => {
  await using server = await startTestServer(routes);
  const body = '{"x":[1,9007199254740993]}';
  const message = `POST /echo HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)};ext=1\r\n${body}\r\n0\r\nTrailer: x\r\n\r\n`;
  for (const size of [1, 2, 3, 7, 64, 1000]) {
    const client = server.connect();
    for (let i = 0; i < message.length * 2; i += size) {
      client.send(message.repeat(2).slice(i, i + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until((c) => c.received.split('{"got":{"x":[1,9007199254740993]}}').length === 3);
  }
});

test('HttpServer checks versions in the words of dockerd', async () => {
  await using server = await startTestServer(routes);
  const ask = async (path: string): Promise<string> => {
    const client = server.connect().send(get(path, 'Connection: close\r\n'));
    return client.until((c) => c.ended);
  };
  assert.match(
    await ask('/v1.99/version'),
    /^HTTP\/1.1 400 [\s\S]*\{"message":"client version 1\.99 is too new\. Maximum supported API version is 1\.56"\}\n$/,
  );
  assert.match(
    await ask('/v1.12/version'),
    /^HTTP\/1.1 400 [\s\S]*text\/plain[\s\S]*client version 1\.12 is too old\. Minimum supported API version is 1\.24, please upgrade your client to a newer version\n$/,
  );
  assert.match(await ask('/v1.43/new'), /^HTTP\/1.1 404 [\s\S]*\{"message":"page not found"\}\n$/);
  assert.match(await ask('/v1.44/new'), /^HTTP\/1.1 200 /);
  assert.match(await ask('/nothing'), /^HTTP\/1.1 404 [\s\S]*\{"message":"page not found"\}\n$/);
  assert.match(await ask('/v1.44/../version'), /^HTTP\/1.1 301 [\s\S]*\r\nLocation: \/version\r\n/);
  assert.match(await ask('/images/%zz/json'), /^HTTP\/1.1 400 /);
});

test('HttpServer maps error kinds to statuses', async () => {
  await using server = await startTestServer(routes);
  const kinds: Record<string, number> = {
    'invalid-argument': 400,
    'not-found': 404,
    conflict: 409,
    'permission-denied': 403,
    'not-implemented': 501,
    unavailable: 503,
    internal: 500,
  };
  for (const [kind, status] of Object.entries(kinds)) {
    const client = server.connect().send(get(`/fail/${kind}`));
    await client.until((c) => c.received.endsWith('{"message":"No (Do not)"}\n'));
    assert.ok(client.received.startsWith(`HTTP/1.1 ${status} `));
  }
  const unchanged = server.connect().send(get('/fail/not-modified') + get('/_ping'));
  await unchanged.until((c) => /^HTTP\/1.1 304 Not Modified\r\n[^{]*\r\n\r\nHTTP\/1.1 200/.test(c.received));
  const mute = server.connect().send(get('/mute'));
  await mute.until((c) => c.received.startsWith('HTTP/1.1 500 ') && c.received.includes('gave no answer'));
});

test('HttpServer refuses bad JSON, wrong types and bodies beyond the limit', async () => {
  await using server = await startTestServer(routes);
  const post = async (type: string, body: string): Promise<string> => {
    const client = server.connect();
    const head = `POST /echo HTTP/1.1\r\n${type}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    return client.send(head + body).until((c) => c.ended);
  };
  const json = 'Content-Type: application/json\r\n';
  assert.match(await post(json, '{"a":'), /^HTTP\/1.1 400 [\s\S]*"invalid JSON: /);
  assert.match(await post(json, ' '), /invalid JSON: got EOF while reading request body/);
  assert.match(
    await post('Content-Type: text/plain\r\n', '{}'),
    /400 [\s\S]*unsupported Content-Type header \(text\/plain\): must be 'application\/json'/,
  );
  assert.match(await post('', '{}'), /^HTTP\/1.1 400 /);
  assert.match(await post('Content-Type: application/json; charset=utf-8\r\n', '{}'), /^HTTP\/1.1 200 /);
  const huge = server.connect().send(`POST /echo HTTP/1.1\r\n${json}Content-Length: 99999999999\r\n\r\n`);
  assert.match(await huge.until((c) => c.received.includes('larger than')), /^HTTP\/1.1 413 /);
});

test('HttpServer refuses what is no request and closes', async () => {
  await using server = await startTestServer(routes);
  const bad: Record<string, number> = {
    'GARBAGE\r\n\r\n': 400,
    // As a TLS handshake begins.
    '\x16\x03\x01': 400,
    'GET / HTTP/2.0\r\n\r\n': 400,
    'GET /a b HTTP/1.1\r\n\r\n': 400,
    'GET / HTTP/1.1\r\nno colon\r\n\r\n': 400,
    'GET / HTTP/1.1\r\nbad name: x\r\n\r\n': 400,
    'GET / HTTP/1.1\r\nX: a\nb\r\n\r\n': 400,
    'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n': 400,
    'GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n': 400,
    'GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n': 400,
    'GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n': 501,
    [`GET /${'x'.repeat(300 * 1024)} HTTP/1.1\r\n\r\n`]: 431,
    [`GET / HTTP/1.1\r\n${'A: b\r\n'.repeat(300)}\r\n`]: 400,
  };
  for (const [text, status] of Object.entries(bad)) {
    const client = server.connect().send(text);
    await client.until((c) => c.ended);
    assert.ok(
      client.received.startsWith(`HTTP/1.1 ${status} `),
      `${text.slice(0, 60)} → ${client.received.slice(0, 40)}`,
    );
  }
  const chunk = server.connect();
  chunk.send('PUT /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
  assert.match(await chunk.until((c) => c.ended), /^HTTP\/1.1 400 [\s\S]*malformed chunked body/);
});

test('HttpServer reads large bodies, and keeps the connection when a small one was not wanted', async () => {
  await using server = await startTestServer(routes);
  const size = 20 * 1024 * 1024;
  const client = server.connect().send(`PUT /upload HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`);
  for (let sent = 0; sent < size; sent += 1024 * 1024) client.socket.write(Buffer.alloc(1024 * 1024));
  await client.until((c) => c.received.includes(`{"bytes":${size}}`));
  client.received = '';
  client.send(`PUT /unread HTTP/1.1\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(1000)}${get('/_ping')}`);
  await client.until((c) => c.received.endsWith('OK'));
  const large = server.connect().send(`PUT /unread HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(400_000)}`);
  await large.until((c) => c.ended);
  assert.match(large.received, /^HTTP\/1.1 200 /);
});

test('HttpServer asks for a held back body only when the handler reads it', async () => {
  await using server = await startTestServer(routes);
  const client = server.connect().send('PUT /upload HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  await client.until((c) => c.received === 'HTTP/1.1 100 Continue\r\n\r\n');
  client.send('xx');
  await client.until((c) => c.received.includes('{"bytes":2}'));
  const refused = server.connect().send('PUT /unread HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  assert.match(await refused.until((c) => c.ended), /^HTTP\/1.1 200 /);
});

test('ApiResponse.stream() frames by chunks, by the end for HTTP/1.0, and shows that an answer was cut', async () => {
  await using server = await startTestServer(routes);
  const client = server.connect().send(get('/lines'));
  const text = await client.until((c) => c.received.endsWith('0\r\n\r\n'));
  assert.ok(text.includes('Transfer-Encoding: chunked\r\n'));
  assert.ok(text.includes('{"big":9223372036854775808}\r\n'));
  const old = server.connect().send('GET /lines HTTP/1.0\r\n\r\n');
  assert.match(
    await old.until((c) => c.ended),
    /Connection: close\r\n\r\n\{"a":1\}\r\n\{"big":9223372036854775808\}\r\n$/,
  );
  const cut = server.connect().send(get('/cut'));
  await cut.until((c) => c.ended);
  assert.ok(cut.received.includes('half') && !cut.received.includes('0\r\n\r\n'));
});

test('ApiRequest.signal aborts when the client closes, or ends its side', async () => {
  await using server = await startTestServer(routes);
  gone.length = 0;
  const first = server.connect().send(get('/hang'));
  await first.until((c) => c.received.includes('chunked'));
  first.socket.destroy();
  await until(() => gone.length === 1);
  const second = server.connect().send(get('/hang'));
  await second.until((c) => c.received.includes('chunked'));
  second.socket.end();
  await until(() => gone.length === 2);
});

test('ApiResponse.stream() waits for a client that does not read', async () => {
  let written = 0;
  const slow: Route = {
    method: 'GET',
    pattern: '/slow',
    handler: async (q, r) => {
      const out = r.stream(200, 'application/octet-stream');
      while (!q.signal.aborted) {
        await out.write(Buffer.alloc(64 * 1024));
        written += 64 * 1024;
      }
    },
  };
  await using server = await startTestServer([slow]);
  const client = server.connect();
  client.socket.pause();
  client.send(get('/slow'));
  let before = -1;
  await until(() => {
    const still = written > 0 && written === before;
    before = written;
    return still;
  });
  assert.ok(written < 4 * 1024 * 1024, `${written} bytes were taken without a reader`);
  client.socket.destroy();
  await until(() => server.server.connectionCount === 0);
});

test('HttpServer bounds heads in time, and connections in number', async () => {
  await using server = await startTestServer(routes, {
    limits: { headTimeoutMs: 20, sweepMs: 10, connections: 4, lingerMs: 20 },
  });
  const slow = server.connect().send('GET / HT');
  assert.match(await slow.until((c) => c.ended), /^HTTP\/1.1 408 /);
  const clients = Array.from({ length: 8 }, () => server.connect().send(get('/_ping')));
  await until(() => clients.filter((c) => c.received.endsWith('OK') || c.closed).length === 8);
  await until(() => server.server.connectionCount <= 4);
});

test('HttpServer keeps a thousand idle connections in little memory', async () => {
  await using server = await startTestServer(routes);
  const clients = Array.from({ length: 1_000 }, () => server.connect());
  for (const client of clients) client.send(get('/_ping'));
  await until(() => clients.every((c) => c.received.endsWith('OK')), 30_000);
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < 3; round++) {
    for (const client of clients) client.received = '';
    for (const client of clients) client.send(get('/_ping'));
    await until(() => clients.every((c) => c.received.endsWith('OK')), 30_000);
  }
  assert.equal(server.server.connectionCount, 1_000);
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 1024 * 1024);
});

test('HttpServer takes no further requests from a client that does not take its answers', async () => {
  await using server = await startTestServer(routes);
  const client = server.connect();
  client.socket.pause();
  large = 0;
  client.send(get('/large').repeat(200));
  await until(() => large > 0);
  const other = server.connect();
  for (let i = 0; i < 50; i++) {
    other.received = '';
    other.send(get('/_ping'));
    await other.until((c) => c.received.endsWith('OK'));
  }
  assert.ok(large < 10, `${large} answers of a megabyte wait for one client`);
  client.socket.resume();
  await until(() => large === 200);
});

test('HttpServer lets go of a client that ended its side and whose handler has given up', async () => {
  await using server = await startTestServer(routes);
  const client = server.connect().send(get('/hang'));
  await client.until((c) => c.received.includes('200 OK'));
  client.socket.end();
  await client.until((c) => c.closed);
  await until(() => server.server.connectionCount === 0);
});

test('HttpServer refuses JSON bodies that are too much together', async () => {
  await using server = await startTestServer(routes);
  const part = `700000\r\n${'a'.repeat(0x700000)}\r\n`;
  const clients = Array.from({ length: 12 }, () =>
    server
      .connect()
      .send(`POST /echo HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${part}`),
  );
  await until(() => clients.some((c) => c.received.startsWith('HTTP/1.1 503 ')), 20_000);
  for (const client of clients) client.socket.destroy();
  await until(() => server.server.connectionCount === 0);
  const after = server
    .connect()
    .send(
      `POST /echo HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 600002\r\n\r\n"${'a'.repeat(600_000)}"`,
    );
  await after.until((c) => c.received.startsWith('HTTP/1.1 200 '));
});
