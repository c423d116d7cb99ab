import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createRawServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DockerClient, isOlder } from './client.ts';
import { DaemonError } from './errors.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-docker-client-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let sockets = 0;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A daemon of a few lines, for as long as `run` takes. */
async function withDaemon(
  handler: Handler,
  run: (client: DockerClient, server: Server) => Promise<void>,
): Promise<void> {
  const socket = join(scratch, `${++sockets}.sock`);
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  const client = new DockerClient({ endpoint: { host: `unix://${socket}` }, headers: { 'X-Mine': 'yes' } });
  try {
    await run(client, server);
  } finally {
    client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

test('json() sends query, headers and body, and keeps the connection for the next request', async () => {
  const seen: string[] = [];
  let connections = 0;
  await withDaemon(
    (request, response) => {
      void readAll(request).then((body) => {
        seen.push(
          `${request.method} ${request.url} ${request.headers['x-mine']} ${request.headers['content-type']} ${body.trim()}`,
        );
        response.setHeader('content-type', 'application/json').end('{"n":9007199254740993}');
      });
    },
    async (client, server) => {
      server.on('connection', () => connections++);
      const query = { all: true, none: undefined, filters: { status: ['a b'] }, t: ['x', 'y'] };
      assert.deepEqual(await client.json('GET', '/a', { query }), { n: 9007199254740993n });
      assert.deepEqual(await client.json('POST', '/b', { body: { k: 'ö' } }), { n: 9007199254740993n });
    },
  );
  assert.deepEqual(seen, [
    'GET /v1.50/a?all=1&filters=%7B%22status%22%3A%5B%22a%20b%22%5D%7D&t=x&t=y yes undefined ',
    'POST /v1.50/b yes application/json {"k":"ö"}',
  ]);
  assert.equal(connections, 1);
});

test('a daemon that is older is spoken to in its version, and asked first before a body that comes once', async () => {
  const seen: string[] = [];
  const old: Handler = (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.setHeader('api-version', '1.44');
    if (request.url?.startsWith('/v1.50') === true) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"message":"client version 1.50 is too new. Maximum supported API version is 1.44"}');
    } else void readAll(request).then((body) => response.end(JSON.stringify(body)));
  };
  await withDaemon(old, async (client) => {
    assert.equal(await client.json('POST', '/x', { body: Buffer.from('q') }), 'q');
    assert.equal(await client.apiVersion(), '1.44');
  });
  await withDaemon(old, async (client) => {
    async function* body() {
      yield Buffer.from('one ');
      yield Buffer.from('two');
    }
    assert.equal(await client.json('POST', '/y', { body: body() }), 'one two');
  });
  assert.deepEqual(seen, ['POST /v1.50/x', 'POST /v1.44/x', 'HEAD /_ping', 'POST /v1.44/y']);
  assert.ok(isOlder('1.9', '1.10') && !isOlder('1.50', '1.50'));
});

test("errors carry the daemon's message and status, in docker's words", async () => {
  await withDaemon(
    (request, response) => {
      if (request.url === '/v1.50/json')
        response.writeHead(409, { 'content-type': 'application/json' }).end('{"message":"it broke\\n"}');
      else if (request.url === '/v1.50/text') response.writeHead(502).end('<html>');
      else response.writeHead(404).end();
    },
    async (client) => {
      await assert.rejects(client.json('GET', '/json'), (error) => {
        assert.ok(error instanceof DaemonError);
        assert.equal(
          `${error.status} ${error.kind} ${error.message}`,
          '409 conflict Error response from daemon: it broke',
        );
        return true;
      });
      await assert.rejects(client.json('GET', '/text'), { message: 'Error response from daemon: <html>' });
      await assert.rejects(client.json('GET', '/none'), {
        message:
          'request returned 404 Not Found for API route and version /v1.50/none, check if the server supports the requested API version',
      });
      const head = await client.hijack('POST', '/json').catch((error: unknown) => error);
      assert.ok(head instanceof DaemonError);
      assert.deepEqual([head.message, head.hint], ['unable to upgrade to tcp, received 409', 'it broke']);
    },
  );
});

test('messages() yields documents as they come, and ending early closes the connection', async () => {
  let isClosed = false;
  await withDaemon(
    (request, response) => {
      request.socket.once('close', () => (isClosed = true));
      response.write('{"a":1}\r\n{"a"');
      response.write(':2}\n');
    },
    async (client) => {
      const seen: unknown[] = [];
      for await (const message of client.messages<{ readonly a: number }>('GET', '/events')) {
        seen.push(message.a);
        if (message.a === 2) break;
      }
      assert.deepEqual(seen, [1, 2]);
      while (!isClosed) await new Promise((resolve) => setImmediate(resolve));
    },
  );
});

test('a stream ends with the reason of its signal, and one that is cut is an error', async () => {
  await withDaemon(
    (request, response) => {
      response.write('x');
      if (request.url === '/v1.50/cut') setImmediate(() => response.destroy());
    },
    async (client) => {
      const stop = new AbortController();
      const answer = await client.stream('GET', '/logs', { signal: stop.signal });
      const reading = answer.text();
      stop.abort(new Error('enough'));
      await assert.rejects(reading, { message: 'enough' });
      await assert.rejects(client.text('GET', '/logs', { signal: stop.signal }), { message: 'enough' });
      await assert.rejects(client.text('GET', '/cut'), { message: 'unexpected EOF' });
    },
  );
});

test('hijack() hands over the bytes that came with the answer, and closes one side alone', async () => {
  const socket = join(scratch, 'raw.sock');
  const server = createRawServer({ allowHalfOpen: true }, (connection) => {
    connection.once('data', () => connection.write('HTTP/1.1 101 UPGRADED\r\nContent-Type: x/y\r\n\r\nearly '));
    connection.once('end', () => connection.end('late'));
    connection.resume();
  });
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  try {
    const client = new DockerClient({ endpoint: { host: `unix://${socket}` } });
    const { stream, headers } = await client.hijack('POST', '/attach');
    assert.equal(headers['content-type'], 'x/y');
    stream.end();
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    assert.equal(text, 'early late');
  } finally {
    server.close();
  }
});

test('a kept connection that the daemon has closed is made anew', async () => {
  let served = 0;
  await withDaemon(
    (request, response) => {
      if (++served === 2) request.socket.destroy();
      else response.end('{}');
    },
    async (client) => {
      await client.json('GET', '/1');
      await client.json('GET', '/2');
      assert.equal(served, 3);
    },
  );
});

test("nobody at the address is said in docker's words", async () => {
  const unix = new DockerClient({ endpoint: { host: `unix://${scratch}/none` } });
  await assert.rejects(unix.ping(), {
    kind: 'unavailable',
    message: `Cannot connect to the Docker daemon at unix://${scratch}/none. Is the docker daemon running?`,
  });
  const tcp = new DockerClient({ endpoint: { host: 'tcp://127.0.0.1:1' } });
  await assert.rejects(tcp.json('GET', '/info'), {
    message: 'Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?',
  });
  await assert.rejects(
    new DockerClient({ endpoint: { host: 'ssh://far?x=1' } }).ping(),
    /query parameters are not allowed/,
  );
});

test('what cannot be read for a body is what the caller gets', async () => {
  await withDaemon(
    (request, response) => {
      request.resume();
      if (request.url === '/v1.50/early') response.write('{');
    },
    async (client) => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('x');
        throw new Error('no such file');
      }
      client = new DockerClient({ endpoint: client.endpoint, apiVersion: '1.50' });
      await assert.rejects(client.json('POST', '/x', { body: broken() }), { message: 'no such file' });
      await assert.rejects(client.json('POST', '/early', { body: broken() }), { message: 'no such file' });
    },
  );
});
