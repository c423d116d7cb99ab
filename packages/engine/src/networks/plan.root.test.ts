import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePrivate, mount } from '@wharf/linux/mount';
import { CLONE, inNetns, unshare } from '@wharf/linux/namespaces';
import { withNetlink } from '@wharf/linux/netlink';
import { runTool } from '@wharf/linux/spawn';
import { testRecord, testRoom } from './test-support.ts';

// As in networks.root.test.ts: a host of our own.
unshare(CLONE.FS | CLONE.NEWNS | CLONE.NEWNET);
makePrivate('/', { recursive: true });
mount({ source: 'proc', target: '/proc', type: 'proc' });

test('plan() gives whoever names networks these and no other', async () => {
  await using room = testRoom('wtest28');
  for (const Name of ['one', 'two']) await room.networks.createNetwork({ Name });
  const namesOf = async (mode: string, ...names: readonly string[]): Promise<readonly string[]> => {
    const EndpointsConfig = Object.fromEntries(names.map((name) => [name, {}]));
    const planned = await room.networks.plan({
      hostConfig: { NetworkMode: mode },
      networkingConfig: { EndpointsConfig },
      hostname: '',
    });
    return planned.map(({ networkName }) => networkName);
  };
  const bridge = await namesOf('default');
  assert.deepEqual(await namesOf('default', 'two', 'one'), ['one', 'two']);
  assert.deepEqual(await namesOf('default', 'default', 'one'), [...bridge, 'one']);
  assert.deepEqual(await namesOf('two', 'one', 'two'), ['two', 'one']);
  assert.deepEqual(await namesOf('one', 'two'), ['two']);
});

test('published ports are open on a routed network that is not the gateway, while the container is on it', async () => {
  await using room = testRoom('wtest29');
  const { networks } = room;
  await networks.createNetwork({ Name: 'out' });
  await networks.createNetwork({
    Name: 'beside',
    Options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'routed' },
  });
  const PortBindings = { '80/tcp': [{ HostIp: '', HostPort: '8097' }] };
  const endpoints = { out: { GwPriority: 1 }, beside: {} };
  const web = await room.up(testRecord('web', { NetworkMode: 'out', PortBindings }, { endpoints }));
  const address = web.endpoints.find(({ networkName }) => networkName === 'beside')?.settings.IPAddress ?? '';
  const open = async (): Promise<string> =>
    (
      await runTool({ path: '/usr/sbin/nft', argv: ['nft', 'list', 'set', 'inet', 'wharf_wtest29', 'open_ports4'] })
    ).stdout.toString();
  assert.notEqual(address, '');
  assert.ok((await open()).includes(`${address} . tcp . 80`));
  await networks.disconnect(web, 'beside');
  assert.ok(!(await open()).includes(address));
  await networks.tearDown(web);
});

test('disconnect() succeeds when the network that is left cannot lead out', async () => {
  await using room = testRoom('wtest30');
  const { networks } = room;
  for (const Name of ['one', 'two']) await networks.createNetwork({ Name });
  const endpoints = { one: { GwPriority: 1 }, two: {} };
  const web = await room.up(testRecord('web', { NetworkMode: 'one' }, { endpoints }));
  const netns = join(room.root, 'run', 'netns', web.id);
  inNetns(netns, () => withNetlink((netlink) => netlink.setDown('eth1')));
  await networks.disconnect(web, 'one');
  const links = inNetns(netns, () => withNetlink((netlink) => netlink.listLinks().map(({ name }) => name)));
  assert.deepEqual(links, ['lo', 'eth1']);
  await networks.tearDown(web);
});
