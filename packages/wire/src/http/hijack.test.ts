import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { pipeline } from 'node:stream';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { HttpClient } from './client.ts';
import type { ApiResponse, Route } from './route.ts';
import { type RawClient, startTestServer, until } from './testing.ts';

const MULTIPLEXED = 'application/vnd.docker.multiplexed-stream';

/** Sends everything back in upper case, and "bye" once stdin has ended. */
function shout(response: ApiResponse, first: string): void {
  const { stream, upgraded } = response.hijack(MULTIPLEXED);
  stream.write(`${first}${upgraded ? '' : '!'}|`);
  stream.on('data', (chunk: Buffer) => stream.write(chunk.toString('latin1').toUpperCase()));
  stream.on('end', () => setImmediate(() => stream.end('bye')));
  stream.on('error', () => {});
}

const routes: readonly Route[] = [
  { method: 'GET', pattern: '/_ping', handler: (_q, r) => r.text(200, 'OK') },
  {
    method: 'POST',
    pattern: '/attach',
    hijack: true,
    handler: async (_q, r) => {
      // Stdin and FIN may come long before the handler is ready for them.
      await new Promise((resolve) => setTimeout(resolve, 5));
      shout(r, 'a');
    },
  },
  {
    method: 'POST',
    pattern: '/exec',
    hijack: true,
    handler: async (q, r) => {
      const body = (await q.json()) as { readonly Detach?: boolean } | undefined;
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (body?.Detach) r.empty(200);
      else shout(r, JSON.stringify(body));
    },
  },
  { method: 'POST', pattern: '/gone', hijack: true, handler: (_q, r) => r.json(404, { message: 'No such' }) },
  {
    method: 'POST',
    pattern: '/pipe',
    hijack: true,
    handler: (_q, r) => {
      const { stream } = r.hijack('application/vnd.docker.raw-stream');
      pipeline(stream, stream, () => {});
    },
  },
  {
    method: 'GET',
    pattern: '/ws',
    websocket: true,
    handler: async (_q, r) => {
      const stream = await r.websocket();
      stream.on('data', (chunk: Buffer) => stream.write(Buffer.concat([Buffer.from('>'), chunk])));
      stream.on('error', () => {});
    },
  },
];

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const HEAD_101 = `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${MULTIPLEXED}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
const HEAD_200 = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

async function receives(client: RawClient, text: string): Promise<void> {
  await client.until((c) => c.received === text || c.received.length > text.length);
  assert.equal(client.received, text);
}

test('ApiResponse.hijack() answers 101 with exactly the bytes of dockerd when asked to upgrade', async () => {
  await using server = await startTestServer(routes);
  const client = server.connect().send(`POST /v1.44/attach?stdin=1 HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`);
  await receives(client, `${HEAD_101}a|`);
  client.send('hello');
  await receives(client, `${HEAD_101}a|HELLO`);
  client.socket.end();
  await receives(client, `${HEAD_101}a|HELLObye`);
  await client.until((c) => c.ended);
});

test('ApiResponse.hijack() answers 200 without an upgrade, and takes stdin all the same', async () => {
  await using server = await startTestServer(routes);
  const client = server.connect().send('POST /attach HTTP/1.1\r\nHost: d\r\n\r\n');
  await receives(client, `${HEAD_200}a!|`);
  client.send('hello');
  await receives(client, `${HEAD_200}a!|HELLO`);
  client.socket.end();
  await receives(client, `${HEAD_200}a!|HELLObye`);
});

test('ApiResponse.hijack() gives stdin that came with the head, and a FIN that came with it', async () => {
  await using server = await startTestServer(routes);
  for (const [upgrade, head, first] of [
    [UPGRADE, HEAD_101, 'a|'],
    ['', HEAD_200, 'a!|'],
  ] as const) {
    const client = server.connect();
    client.socket.end(`POST /attach HTTP/1.1\r\nHost: d\r\n${upgrade}\r\nearly bird\r\n\r\nGET / HTTP/1.1\r\n`);
    await receives(client, `${head}${first}EARLY BIRD\r\n\r\nGET / HTTP/1.1\r\nbye`);
    const silent = server.connect();
    silent.socket.end(`POST /attach HTTP/1.1\r\nHost: d\r\n${upgrade}\r\n`);
    await receives(silent, `${head}${first}bye`);
    await silent.until((c) => c.ended);
  }
});

test('ApiResponse.hijack() follows a JSON body by length and by chunks, with stdin behind it', async () => {
  await using server = await startTestServer(routes);
  const body = '{"Tty":false}';
  const bodies = {
    length: `${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`,
    chunked: `${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nd\r\n${body}\r\n0\r\n\r\n`,
  };
  for (const text of Object.values(bodies)) {
    for (const [upgrade, head, mark] of [
      [UPGRADE, HEAD_101, ''],
      ['', HEAD_200, '!'],
    ] as const) {
      const message = `POST /exec HTTP/1.1\r\nHost: d\r\n${upgrade}${text}stdin`;
      const whole = server.connect().send(message);
      await receives(whole, `${head}${body}${mark}|STDIN`);
      const pieces = server.connect();
      for (const byte of message) {
        pieces.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await receives(pieces, `${head}${body}${mark}|STDIN`);
      pieces.socket.end();
      await pieces.until((c) => c.received.endsWith('bye'));
    }
  }
});

test('ApiResponse.hijack() works on a connection that has served other requests', async () => {
  await using server = await startTestServer(routes);
  for (const upgrade of [UPGRADE, '']) {
    const client = server.connect().send('GET /_ping HTTP/1.1\r\n\r\n');
    await client.until((c) => c.received.endsWith('OK'));
    client.send(`POST /gone HTTP/1.1\r\n${upgrade}\r\n`);
    await client.until((c) => c.received.endsWith('{"message":"No such"}\n'));
    client.send(`POST /exec HTTP/1.1\r\n${upgrade}${JSON_TYPE}Content-Length: 15\r\n\r\n{"Detach":true}`);
    await client.until((c) => c.received.endsWith('Content-Length: 0\r\n\r\n'));
    client.received = '';
    client.send(`GET /_ping HTTP/1.1\r\n\r\nPOST /attach HTTP/1.1\r\n${upgrade}\r\nabc`);
    await client.until((c) => c.received.endsWith('|ABC'));
  }
});

test('ApiResponse.hijack() leaves an unread chunked body raw on an upgrade, and decodes it without one', async () => {
  await using server = await startTestServer(routes);
  const raw = server.connect().send(`POST /attach HTTP/1.1\r\n${UPGRADE}Transfer-Encoding: chunked\r\n\r\n`);
  await receives(raw, `${HEAD_101}a|`);
  raw.send('x');
  await receives(raw, `${HEAD_101}a|X`);
  const decoded = server.connect().send('POST /attach HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  await receives(decoded, `${HEAD_200}a!|ABC`);
  decoded.send('1\r\nd\r\n0\r\n\r\n');
  await receives(decoded, `${HEAD_200}a!|ABCDbye`);
  await decoded.until((c) => c.ended);
});

test('ApiResponse.hijack() passes bulk both ways and holds back what is not read', async () => {
  await using server = await startTestServer(routes);
  const socket = connect({ path: server.path, allowHalfOpen: true });
  socket.write(`POST /pipe HTTP/1.1\r\n${UPGRADE}\r\n`);
  const total = 32 * 1024 * 1024;
  let sent = 0;
  const block = Buffer.alloc(1024 * 1024, 'y');
  let stalled = false;
  while (sent < total && !stalled) {
    sent += block.length;
    stalled = !socket.write(block) && (await timedOut(new Promise((resolve) => socket.once('drain', resolve))));
  }
  assert.ok(stalled && sent < total, `${sent} bytes went in though nobody read the answer`);
  socket.end();
  let received = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) received += chunk.length;
  assert.equal(received, sent + HEAD_101.replace(MULTIPLEXED, 'application/vnd.docker.raw-stream').length);
});

async function timedOut(wait: Promise<unknown>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 200));
  return Promise.race([wait.then(() => false), late]);
}

test('HttpClient.hijack() talks to a hijacked route', async () => {
  await using server = await startTestServer(routes);
  const client = new HttpClient(server.host);
  const { stream } = await client.hijack({ method: 'POST', path: '/v1.50/exec', body: { Tty: true } });
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  stream.write('in');
  await until(() => text === '{"Tty":true}|IN');
  stream.end();
  await until(() => text.endsWith('bye'));
  await assert.rejects(client.hijack({ method: 'POST', path: '/gone' }), { kind: 'failed-precondition' });
  assert.equal((await client.request({ path: '/_ping' })).text, 'OK');
});

test('ApiResponse.websocket() accepts a WebSocket and refuses what is none', async () => {
  await using server = await startTestServer(routes);
  const socket = new WebSocket(`ws+unix://${server.path}:/v1.50/ws`);
  const messages: string[] = [];
  socket.on('open', () => socket.send(Buffer.from('one')));
  socket.on('message', (data: Buffer, binary) => messages.push(`${binary}${data.toString()}`));
  await until(() => messages.length === 1);
  assert.deepEqual(messages, ['true>one']);
  socket.close();
  const plain = server.connect().send('GET /ws HTTP/1.1\r\nHost: d\r\n\r\n');
  assert.match(await plain.until((c) => c.received.endsWith('}\n')), /^HTTP\/1.1 400 /);
});
