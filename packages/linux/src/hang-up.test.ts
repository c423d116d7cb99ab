import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasHungUp } from './hang-up.ts';

const fdOf = (socket: Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd;

test('hasHungUp() tells a peer that is gone from one that has ended its side', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-hang-up-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 's');
  const server = createServer({ allowHalfOpen: true }).listen(path);
  t.after(() => server.close());
  const client = createConnection({ path, allowHalfOpen: true });
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => socket.destroy());
  assert.equal(hasHungUp(fdOf(socket)), false);
  client.end();
  socket.resume();
  await once(socket, 'end');
  assert.equal(hasHungUp(fdOf(socket)), false);
  client.destroy();
  await once(client, 'close');
  assert.equal(hasHungUp(fdOf(socket)), true);
});
