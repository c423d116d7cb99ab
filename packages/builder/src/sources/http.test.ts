import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { download } from './http.ts';

test('download() says that a builder asks, and keeps the time that the server tells', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-http-'));
  const agents: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    agents.push(request.headers['user-agent']);
    response.setHeader('last-modified', 'Wed, 21 Oct 2015 07:28:00 GMT').end('text');
  });
  t.after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const url = `http://127.0.0.1:${address.port}/file`;
  const vertex = { kind: 'http', url, filename: 'file', checksum: '', name: url } as const;
  assert.match(await download(vertex, directory, t.signal), /^sha256:982d9e3eb996f559/);
  assert.match(agents.join(), /^buildkit\/v[\d.]+ wharf$/);
  const path = join(directory, 'file');
  assert.equal(readFileSync(path, 'utf8'), 'text');
  assert.equal(statSync(path).mtime.toISOString(), '2015-10-21T07:28:00.000Z');
});
