import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestDaemon } from './lib/daemon.ts';
import { DaemonOnHost } from './lib/daemon-on-host.ts';
import { BUSYBOX } from './lib/images.ts';
import type { OwnHost } from './lib/own-host.ts';
import { eventually, uniqueName } from './lib/suite.ts';

let started: DaemonOnHost | undefined;
let host: OwnHost;
let daemon: TestDaemon;

before(async () => {
  started = await DaemonOnHost.start({ address: '192.0.2.2/24', route: ['default', 'via', '192.0.2.1'] });
  ({ host, daemon } = started);
});
after(async () => {
  await started?.[Symbol.asyncDispose]();
});

async function network(...options: readonly string[]): Promise<string> {
  const name = uniqueName('net');
  await daemon.ok('network', 'create', ...options, name);
  return name;
}

async function up(...options: readonly string[]): Promise<string> {
  const name = uniqueName('c');
  await daemon.ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

const inside = (container: string, ...command: readonly string[]) => daemon.ok('exec', container, ...command);
/** Busybox lists all routes whatever it is asked for. */
const defaultRoute = async (container: string) =>
  /^default.*$/m.exec(await inside(container, 'ip', 'route'))?.[0] ?? '';
const reaches = async (from: string, to: string) =>
  (await daemon.docker(['exec', from, 'ping', '-c1', '-W1', to])).code === 0;
const settings = (container: string, network: string, field: string) =>
  daemon.ok('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").${field}}}`, container);
const gatewayOf = async (name: string) =>
  daemon.ok('network', 'inspect', '-f', '{{(index .IPAM.Config 0).Gateway}}', name);
const refusal = async (...args: readonly string[]) => {
  const { code, stderr } = await daemon.docker(args);
  assert.notEqual(code, 0, `docker ${args.join(' ')} was not refused`);
  return stderr;
};
const removeAll = async (containers: readonly string[], networks: readonly string[]) => {
  if (containers.length > 0) await daemon.ok('rm', '-f', ...containers);
  if (networks.length > 0) await daemon.ok('network', 'rm', ...networks);
};

test('a running container joins and leaves networks; its default route follows the priorities', async () => {
  const [one, two, walled] = [await network(), await network(), await network('--internal')];
  const name = await up('--network', one);
  assert.match(await defaultRoute(name), new RegExp(`via ${await gatewayOf(one)} dev eth0`));
  await daemon.ok('network', 'connect', '--gw-priority', '5', '--driver-opt', 'x=y', two, name);
  assert.match(await defaultRoute(name), new RegExp(`via ${await gatewayOf(two)} dev eth1`));
  assert.equal(await settings(name, two, 'GwPriority'), '5');
  // An internal network leads nowhere, whatever its priority.
  await daemon.ok('network', 'connect', '--gw-priority', '50', walled, name);
  assert.match(await defaultRoute(name), new RegExp(`via ${await gatewayOf(two)} dev eth1`));
  await daemon.ok('network', 'disconnect', two, name);
  assert.match(await defaultRoute(name), new RegExp(`via ${await gatewayOf(one)} dev eth0`));
  await daemon.ok('network', 'disconnect', one, name);
  assert.equal(await defaultRoute(name), '');
  assert.match(await inside(name, 'ip', 'addr'), /eth2/);
  // With the daemon down and up again the next connect goes on from there.
  await daemon.crash();
  await daemon.ok('network', 'connect', one, name);
  assert.match(await defaultRoute(name), new RegExp(`via ${await gatewayOf(one)} dev eth0`));
  await removeAll([name], [one, two, walled]);
});

test('a stopped container joins and leaves networks for its next run', async () => {
  const [one, two] = [await network('--subnet', '10.61.0.0/24'), await network('--subnet', '10.62.0.0/24')];
  const name = uniqueName('stopped');
  await daemon.ok('create', '--name', name, '--network', one, BUSYBOX, 'sleep', '1000');
  await daemon.ok('network', 'connect', '--ip', '10.62.0.62', '--alias', 'known', two, name);
  await daemon.ok('start', name);
  const peer = await up('--network', two);
  assert.match(await inside(peer, 'nslookup', 'known'), /10\.62\.0\.62/);
  assert.equal(await reaches(peer, 'known'), true);
  await daemon.ok('stop', '-t', '0', name);
  await daemon.ok('network', 'disconnect', one, name);
  await daemon.ok('start', name);
  assert.doesNotMatch(await inside(name, 'ip', 'addr'), /10\.61\./);
  assert.match(await inside(name, 'ip', 'addr'), /10\.62\.0\.62\/24/);
  assert.match(await refusal('network', 'disconnect', one, name), /is not connected to network/);
  assert.match(await refusal('network', 'connect', two, name), /endpoint with name .* already exists in network/);
  await removeAll([name, peer], [one, two]);
});

test('--network takes an address, MAC, names, switches and a priority of each', async () => {
  const [one, two] = [await network('--subnet', '10.63.0.0/24'), await network('--subnet', '10.64.0.0/24', '--ipv6')];
  const sysctls = 'net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.forwarding=0';
  const name = await up(
    ...['--network', `name=${one},ip=10.63.0.9,mac-address=02:00:00:00:00:09,alias=nine,gw-priority=1`],
    ...[
      '--network',
      `name=${two},driver-opt=com.docker.network.endpoint.ifname=data0,"driver-opt=com.docker.network.endpoint.sysctls=${sysctls}"`,
    ],
  );
  assert.match(await inside(name, 'ip', 'addr', 'show', 'eth0'), /02:00:00:00:00:09[\s\S]*10\.63\.0\.9\/24/);
  assert.match(await inside(name, 'ip', 'addr', 'show', 'data0'), /10\.64\.0\.2\/24[\s\S]*inet6 fd/);
  assert.equal(await inside(name, 'cat', '/proc/sys/net/ipv4/conf/data0/log_martians'), '1');
  assert.equal(await inside(name, 'cat', '/proc/sys/net/ipv4/conf/eth0/log_martians'), '0');
  assert.match(await defaultRoute(name), /via 10\.63\.0\.1 dev eth0/);
  assert.equal(await settings(name, one, 'MacAddress'), '02:00:00:00:00:09');
  const again = await daemon.docker(['restart', '-t', '0', name]);
  assert.equal(again.code, 0, again.output);
  assert.match(await inside(name, 'ip', 'addr', 'show', 'eth0'), /02:00:00:00:00:09/);
  assert.match(await inside(name, 'ip', 'addr', 'show', 'data0'), /10\.64\.0\.2\/24/);
  const bad = 'driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.ip_forward=1';
  assert.match(await refusal('run', '--rm', '--network', `name=${one},${bad}`, BUSYBOX, 'true'), /sysctl/);
  await removeAll([name], [one, two]);
});

test('containers of a network without inter-container communication reach out, not each other', async () => {
  const name = await network('-o', 'com.docker.network.bridge.enable_icc=false', '--ipv6');
  const [one, two] = [await up('--network', name), await up('--network', name)];
  for (const field of ['IPAddress', 'GlobalIPv6Address'])
    assert.equal(await reaches(one, await settings(two, name, field)), false, `${field} answers`);
  assert.equal(await reaches(one, await gatewayOf(name)), true);
  await removeAll([one, two], [name]);
});

test('networks are apart from each other, and internal ones from the world', async () => {
  const [one, two, walled] = [await network(), await network(), await network('--internal')];
  const [a, b] = [await up('--network', one), await up('--network', two)];
  for (const field of ['IPAddress', 'GlobalIPv6Address'])
    assert.equal(await reaches(a, await settings(b, two, field)), false, `${field} of another network answers`);
  const [c, d] = [await up('--network', walled), await up('--network', walled)];
  assert.equal(await reaches(c, d), true);
  assert.equal(await reaches(c, '192.0.2.2'), false);
  assert.equal(await reaches(a, '192.0.2.2'), true);
  assert.equal(await defaultRoute(c), '');
  await removeAll([a, b, c, d], [one, two, walled]);
});

test('--attachable, --label, --config-only and --config-from', async () => {
  const template = uniqueName('template');
  const options = ['-o', 'com.docker.network.bridge.enable_icc=false', '--label', 'tier=back'];
  await daemon.ok('network', 'create', '--config-only', '--subnet', '10.65.0.0/24', ...options, template);
  const name = await network('--config-from', template, '--attachable');
  const format =
    '{{.Attachable}} {{.ConfigFrom.Network}} {{(index .IPAM.Config 0).Subnet}} {{index .Options "com.docker.network.bridge.enable_icc"}} {{index .Labels "tier"}}';
  assert.equal(await daemon.ok('network', 'inspect', '-f', format, name), `true ${template} 10.65.0.0/24 false back`);
  assert.match(await refusal('network', 'rm', template), /configuration network .* is in use/);
  assert.match(await refusal('run', '--rm', '--network', template, BUSYBOX, 'true'), /configuration-only network/);
  await removeAll([], [name, template]);
});

test('--network none, host and container:', async () => {
  const none = await up('--network', 'none');
  assert.equal(await inside(none, 'ls', '/sys/class/net'), 'lo');
  assert.equal(await reaches(none, '127.0.0.1'), true);
  const shared = await up('--network', 'host');
  assert.match(await inside(shared, 'ip', 'addr', 'show', 'up0'), /192\.0\.2\.2\/24/);
  const owner = await up();
  const guest = await up('--network', `container:${owner}`);
  assert.equal(await inside(guest, 'ip', 'addr', 'show', 'eth0'), await inside(owner, 'ip', 'addr', 'show', 'eth0'));
  assert.equal(await inside(guest, 'hostname'), await inside(owner, 'hostname'));
  const other = await network();
  for (const [container, words] of [
    [
      guest,
      /container sharing network namespace with another container or host cannot be connected to any other network/,
    ],
    [
      shared,
      /container sharing network namespace with another container or host cannot be connected to any other network/,
    ],
    [none, /container cannot be connected to multiple networks with one of the networks in private \(none\) mode/],
  ] as const)
    assert.match(await refusal('network', 'connect', other, container), words);
  await daemon.ok('stop', '-t', '0', owner);
  await daemon.ok('stop', '-t', '0', guest);
  assert.match(await refusal('start', guest), /cannot join network namespace of a non running container/);
  await removeAll([none, shared, guest, owner], [other]);
});

test('the MTU is what is asked for, else the one of the uplink, whatever becomes of it', async () => {
  const [own, follows] = [await network('-o', 'com.docker.network.driver.mtu=1380'), await network()];
  const [one, two, three] = [await up('--network', own), await up('--network', follows), await up()];
  const mtuOf = (container: string) => inside(container, 'cat', '/sys/class/net/eth0/mtu');
  assert.deepEqual(await Promise.all([one, two, three].map(mtuOf)), ['1380', '1500', '1500']);
  await host.must('ip', 'link', 'set', 'up0', 'mtu', '1420');
  await eventually(
    'the MTU has followed',
    async () => (await mtuOf(two)) === '1420' && (await mtuOf(three)) === '1420',
  );
  assert.equal(await mtuOf(one), '1380');
  await daemon.kill();
  await host.must('ip', 'link', 'set', 'up0', 'mtu', '1500');
  await daemon.start();
  await eventually('the MTU has followed', async () => (await mtuOf(two)) === '1500');
  await removeAll([one, two, three], [own, follows]);
});
