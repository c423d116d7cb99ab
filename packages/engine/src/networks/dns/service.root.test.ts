import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nullLogger } from '@wharf/kit';
import { openBoundSocket } from '@wharf/linux/inet';
import { createPinnedNetns, inNetns, removePinnedNetns } from '@wharf/linux/namespaces';
import { withNetlink } from '@wharf/linux/netlink';
import { encodeName } from './codec.ts';
import type { DnsClient } from './orders.ts';
import { DnsService } from './service.ts';

const CLIENT: DnsClient = { networks: [{ id: 'n1', links: [] }], forwards: false, servers: [], plainNamesStay: false };

/** Asks for the address of `web` until an answer comes; the last bytes of it. */
async function askFor(netnsPath: string): Promise<string> {
  const query = Buffer.concat([
    Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    encodeName('web'),
    Buffer.of(0, 1, 0, 1),
  ]);
  const fd = inNetns(netnsPath, () => openBoundSocket({ protocol: 'udp', address: '127.0.0.1', port: 0 }));
  const socket = createSocket('udp4');
  const answer = new Promise<string>((resolve) =>
    socket.once('message', (message) => resolve([...message.subarray(-4)].join('.'))),
  );
  socket.on('error', () => {});
  socket.bind({ fd });
  const again = setInterval(() => socket.send(query, 53, '127.0.0.11', () => {}), 50);
  try {
    return await answer;
  } finally {
    clearInterval(again);
    socket.close();
  }
}

test('DnsService answers in a namespace, and goes on when its thread has failed', { timeout: 20_000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-dns-'));
  const netnsPath = join(root, 'ns');
  createPinnedNetns(netnsPath, () => withNetlink((netlink) => netlink.setUp('lo')));
  const service = new DnsService(nullLogger);
  try {
    service.name({ endpointId: 'e', networkId: 'n1', networkName: 'net', addresses: ['10.0.0.2'], dnsNames: ['web'] });
    service.serve('a', { netnsPath, fresh: true, client: CLIENT });
    assert.equal(await askFor(netnsPath), '10.0.0.2');
    // What nothing in the daemon sends: the thread fails over it.
    service.name({
      endpointId: 'x',
      networkId: 'n1',
      networkName: 'net',
      addresses: ['10.0.0.3'],
      dnsNames: [7 as never],
    });
    service.forget('x');
    service.name({ endpointId: 'e', networkId: 'n1', networkName: 'net', addresses: ['10.0.0.4'], dnsNames: ['web'] });
    assert.equal(await askFor(netnsPath), '10.0.0.4');
  } finally {
    service.close();
    removePinnedNetns(netnsPath);
    rmSync(root, { recursive: true });
  }
});
