import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CLONE, createPinnedNetns, inNetns, removePinnedNetns, unshare } from './namespaces.ts';
import { Netlink, withNetlink } from './netlink.ts';
import { Nft, NftError } from './nftables.ts';
import { temporaryDirectory } from './test-support.ts';

// A network namespace of our own; the host's is out of reach from here on.
unshare(CLONE.NEWNET);

test('Netlink makes a bridge, a veth pair born in another namespace, addresses and routes', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'ns');
  using netlink = Netlink.open();
  using inside = createPinnedNetns(path, () => Netlink.open()) as Netlink;
  try {
    netlink.createBridge('br0', { mtu: 1400, mac: '02:42:00:00:00:01', up: true });
    netlink.addAddress('br0', '172.30.0.1/16');
    netlink.createVeth({
      name: 'veth0',
      peer: 'eth0',
      peerNetns: path,
      mtu: 1400,
      mac: '02:42:ac:1e:00:02',
      master: netlink.indexOf('br0'),
      port: { hairpin: true, isolated: true },
      up: true,
    });
    assert.match(execFileSync('ip', ['-d', 'link', 'show', 'veth0'], { encoding: 'utf8' }), /hairpin on .*isolated on/);
    inside.configure({ ifname: 'eth0', addresses: ['172.30.0.2/16'], gateways: ['172.30.0.1'], loopback: true });

    const eth0 = inside.findLink('eth0');
    assert.deepEqual(
      { ...eth0, index: 0, peer: 0 },
      { index: 0, name: 'eth0', kind: 'veth', up: true, mtu: 1400, mac: '02:42:ac:1e:00:02', master: 0, peer: 0 },
    );
    assert.equal(netlink.findLink('veth0')?.master, netlink.indexOf('br0'));
    assert.ok(
      inside.listAddresses().some(({ address, prefixLength }) => address === '172.30.0.2' && prefixLength === 16),
    );
    assert.ok(
      inside.listRoutes().some(({ destination, gateway }) => destination === 'default' && gateway === '172.30.0.1'),
    );
    assert.deepEqual(
      netlink
        .listLinks()
        .map(({ name }) => name)
        .sort(),
      ['br0', 'lo', 'veth0'],
    );

    netlink.deleteLink('veth0');
    assert.equal(inside.findLink('eth0'), undefined);
    netlink.deleteLink('br0');
  } finally {
    removePinnedNetns(path);
  }
});

test('Netlink changes links', () => {
  withNetlink((netlink) => {
    netlink.createVeth({ name: 'a', peer: 'b' });
    netlink.createBridge('br1');
    netlink.setMtu('a', 1300);
    netlink.setMac('a', '02:00:00:00:00:aa');
    netlink.setMaster('a', 'br1');
    netlink.setUp('a');
    assert.deepEqual(
      { ...netlink.findLink('a'), index: 0, peer: 0, master: 0 },
      { index: 0, name: 'a', kind: 'veth', up: true, mtu: 1300, mac: '02:00:00:00:00:aa', master: 0, peer: 0 },
    );
    netlink.setMaster('a', undefined);
    assert.equal(netlink.findLink('a')?.master, 0);
    netlink.setDown('a');
    netlink.rename('a', 'renamed');
    assert.equal(netlink.findLink('renamed')?.up, false);
    netlink.deleteLink('renamed');
    netlink.deleteLink('br1');
  });
});

test('Netlink throws what the kernel says', () => {
  withNetlink((netlink) => {
    netlink.createBridge('br2', { up: true });
    assert.throws(() => netlink.createBridge('br2'), { code: 'EEXIST' });
    netlink.addAddress('br2', '10.1.0.1/24');
    assert.throws(() => netlink.addAddress('br2', '10.1.0.1/24'), { code: 'EEXIST' });
    assert.throws(() => netlink.deleteLink('nothing'), { code: 'ENODEV', message: /"nothing"/ });
    assert.throws(() => netlink.addRoute({ gateway: '203.0.113.1' }), { code: 'ENETUNREACH' });
    netlink.replaceRoute({ dst: '198.51.100.0/24', gateway: '10.1.0.2', ifname: 'br2' });
    netlink.replaceRoute({ dst: '198.51.100.0/24', gateway: '10.1.0.3', ifname: 'br2' });
    assert.deepEqual(
      netlink
        .listRoutes()
        .filter(({ destination }) => destination === '198.51.100.0/24')
        .map(({ gateway }) => gateway),
      ['10.1.0.3'],
    );
    netlink.deleteLink('br2');
  });
});

test('inNetns() comes back, also from an error', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'ns');
  createPinnedNetns(path);
  const links = (): string => readFileSync('/proc/thread-self/net/dev', 'utf8');
  const before = links();
  assert.throws(
    () =>
      inNetns(path, () => {
        withNetlink((netlink) => netlink.createBridge('inside'));
        throw new Error('out');
      }),
    /out/,
  );
  assert.equal(links(), before);
  assert.match(inNetns(path, links), /inside/);
  assert.throws(() => createPinnedNetns(path), { code: 'EEXIST' });
  removePinnedNetns(path);
  removePinnedNetns(path);
  assert.equal(existsSync(path), false);
});

test('Nft applies all of a script or nothing, and lists it again', () => {
  using nft = new Nft();
  nft.apply('add table ip test\nadd set ip test ports { type inet_service; }\nadd element ip test ports { 80, 443 }');
  const found = nft.list('list set ip test ports').find((object) => 'set' in object) as { set: { elem: number[] } };
  assert.deepEqual(
    found.set.elem.sort((a, b) => a - b),
    [80, 443],
  );
  assert.throws(() => nft.apply('add element ip test ports { 8080 }\nadd element ip test missing { 1 }'), NftError);
  const after = nft.list('list set ip test ports').find((object) => 'set' in object) as { set: { elem: number[] } };
  assert.equal(after.set.elem.length, 2);
  nft.apply('delete table ip test');
});

test('Nft takes no signal of the process for a failure', async () => {
  const ignore = (): void => undefined;
  process.on('SIGWINCH', ignore);
  const script = "setInterval(() => { for (let i = 0; i < 1000; i++) process.kill(process.pid, 'SIGWINCH'); }, 1)";
  const disturber = new Worker(script, { eval: true });
  try {
    await once(disturber, 'online');
    using nft = new Nft();
    for (let index = 0; index < 100; index += 1) {
      nft.apply(`add table ip disturbed { chain c${index} { ip daddr 127.0.0.1 accept; }; }`);
    }
    nft.apply('delete table ip disturbed');
  } finally {
    await disturber.terminate();
    process.removeListener('SIGWINCH', ignore);
  }
});
