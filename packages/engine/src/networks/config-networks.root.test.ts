import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrivate, mount } from '@wharf/linux/mount';
import { CLONE, unshare } from '@wharf/linux/namespaces';
import { withNetlink } from '@wharf/linux/netlink';
import { testRecord, testRoom } from './test-support.ts';

// As in networks.root.test.ts: a host of our own.
unshare(CLONE.FS | CLONE.NEWNS | CLONE.NEWNET);
makePrivate('/', { recursive: true });
mount({ source: 'proc', target: '/proc', type: 'proc' });

test('a network has the configuration of another, which nothing can connect to', async () => {
  await using room = testRoom('wtest23');
  const { networks } = room;
  const IPAM = { Config: [{ Subnet: '10.97.0.0/24' }] };
  const Options = { 'com.docker.network.driver.mtu': '1400' };
  await networks.createNetwork({ Name: 'template', ConfigOnly: true, IPAM, Options, Labels: { a: 'b' } });
  const ConfigFrom = { Network: 'template' };
  await networks.createNetwork({ Name: 'real', ConfigFrom });
  const { Labels, ConfigFrom: from, IPAM: shown } = networks.inspectNetwork('real');
  assert.deepEqual([Labels, from, shown.Config?.[0]?.Subnet], [{ a: 'b' }, ConfigFrom, '10.97.0.0/24']);
  assert.deepEqual(
    [networks.inspectNetwork('template').ConfigOnly, networks.inspectNetwork('template').Driver],
    [true, 'null'],
  );
  const web = await room.up(testRecord('web', { NetworkMode: 'real' }));
  assert.equal(web.endpoints[0]?.settings.IPAddress, '10.97.0.2');
  await networks.tearDown(web);
  await assert.rejects(room.up(testRecord('lost', { NetworkMode: 'template' })), /configuration-only network/);
  await assert.rejects(networks.createNetwork({ Name: 'x', ConfigFrom, IPAM }), { kind: 'permission-denied' });
  await assert.rejects(networks.createNetwork({ Name: 'x', ConfigFrom: { Network: 'real' } }), { kind: 'not-found' });
  await assert.rejects(networks.removeNetwork('template'), { message: 'configuration network "template" is in use' });
  await networks.removeNetwork('real');
  await networks.removeNetwork('template');
});

test('requests that cannot be served are refused in words of Docker', async () => {
  await using room = testRoom('wtest24');
  const { networks } = room;
  const option = (name: string, value: string) => networks.createNetwork({ Name: 'x', Options: { [name]: value } });
  await assert.rejects(option('com.docker.network.driver.mtu', 'abc'), {
    message: 'failed to parse com.docker.network.driver.mtu value: abc (strconv.Atoi: parsing "abc": invalid syntax)',
  });
  await assert.rejects(networks.createNetwork({ Name: 'x', Driver: 'nope' }), { message: 'plugin "nope" not found' });
  await assert.rejects(networks.createNetwork({ Name: 'x', EnableIPv4: false }), {
    message: 'IPv4 or IPv6 must be enabled',
  });
  await networks.createNetwork({ Name: 'mine', IPAM: { Config: [{ Subnet: '10.96.0.0/24' }] } });
  const plan = networks.plan({
    hostConfig: { NetworkMode: 'mine' },
    networkingConfig: { EndpointsConfig: { mine: { IPAMConfig: { IPv4Address: '10.95.0.1' } } } },
    hostname: '',
  });
  const reason = 'invalid endpoint settings:\nno configured subnet contains IP address 10.95.0.1';
  await assert.rejects(plan, { message: `invalid config for network mine: ${reason}` });
});

test('a bridge that was there before is used as it is, and stays', async () => {
  withNetlink((netlink) => {
    netlink.createBridge('theirs0', { mtu: 1500, mac: '02:42:00:00:00:77' });
    netlink.addAddress('theirs0', '10.99.3.1/24');
    netlink.createBridge('theirs1', { mtu: 1500, mac: '02:42:00:00:00:78' });
    netlink.addAddress('theirs1', '10.99.4.1/24');
  });
  const addresses = (name: string) =>
    withNetlink((netlink) => {
      const index = netlink.findLink(name)?.index;
      return netlink
        .listAddresses()
        .flatMap(({ ifindex, address, family }) => (ifindex === index && family === 4 ? address : []));
    });
  await using room = testRoom('theirs0');
  const { Id } = await room.networks.createNetwork({
    Name: 'on-theirs',
    Options: { 'com.docker.network.bridge.name': 'theirs1' },
    IPAM: { Config: [{ Subnet: '10.99.5.0/24' }] },
  });
  await room.restart([]);
  assert.deepEqual(addresses('theirs0'), ['10.99.3.1']);
  assert.deepEqual(addresses('theirs1').sort(), ['10.99.4.1', '10.99.5.1']);
  await room.networks.removeNetwork(Id);
  assert.ok(addresses('theirs1').includes('10.99.4.1'));
  withNetlink((netlink) => netlink.deleteLink('theirs1'));
});
