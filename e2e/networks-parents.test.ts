import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { OtherMachine } from './lib/other-machine.ts';
import { OwnHost } from './lib/own-host.ts';
import { uniqueName } from './lib/suite.ts';

const WORLD = '198.51.100.1';
const LAYOUT = ['--subnet', '198.51.100.0/24', '--gateway', WORLD, '--ip-range', '198.51.100.128/25'];

let host: OwnHost;
let world: OtherMachine;
let daemon: TestDaemon;

before(async () => {
  host = await OwnHost.start();
  await host.must('ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'world0');
  // A name that links in containers have too.
  await host.must('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
  await host.must('ip', 'addr', 'add', '198.51.100.2/24', 'dev', 'up0');
  await host.must('ip', 'link', 'set', 'up0', 'up');
  world = await OtherMachine.behind(host, 'world0', `${WORLD}/24`);
  daemon = await TestDaemon.start({ within: host.within });
  await loadBusybox(daemon.host);
});
after(async () => {
  try {
    await daemon?.dispose();
  } finally {
    await host?.dispose();
  }
});

async function network(driver: string, ...options: readonly string[]): Promise<string> {
  const name = uniqueName('net');
  await daemon.ok('network', 'create', '-d', driver, ...options, name);
  return name;
}

async function up(network: string, ...options: readonly string[]): Promise<string> {
  const name = uniqueName('c');
  await daemon.ok('run', '-d', '--name', name, '--network', network, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

const removeAll = async (containers: readonly string[], networks: readonly string[]) => {
  if (containers.length > 0) await daemon.ok('rm', '-f', ...containers);
  await daemon.ok('network', 'rm', ...networks);
};
const addressOf = (container: string) =>
  daemon.ok('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', container);
const reaches = async (from: string, to: string) =>
  (await daemon.docker(['exec', from, 'ping', '-c1', '-W1', to])).code === 0;
const hostReaches = async (to: string) => (await host.run('busybox', 'ping', '-c1', '-W1', to)).code === 0;
const worldReaches = async (to: string) => (await world.run('busybox', 'ping', '-c1', '-W1', to)).code === 0;
const refusal = async (...args: readonly string[]) => {
  const { code, stderr } = await daemon.docker(args);
  assert.notEqual(code, 0, `docker ${args.join(' ')} was not refused`);
  return stderr;
};
/** Whether this kernel has links of a kind; those of test machines often lack some. */
async function hasKind(kind: string, ...options: readonly string[]): Promise<boolean> {
  const made = await host.run('ip', 'link', 'add', 'link', 'up0', 'name', 'probe0', 'type', kind, ...options);
  if (made.code === 0) await host.must('ip', 'link', 'delete', 'probe0');
  return made.code === 0;
}

test('containers of a macvlan network are machines beside the host', async () => {
  const name = await network('macvlan', ...LAYOUT, '-o', 'parent=up0');
  const [one, two] = [await up(name), await up(name, '--ip', '198.51.100.77', '--network-alias', 'seven')];
  assert.equal(await addressOf(one), '198.51.100.128');
  assert.equal(await reaches(one, 'seven'), true);
  assert.equal(await reaches(one, WORLD), true);
  assert.equal(await worldReaches('198.51.100.77'), true);
  assert.match(await daemon.ok('exec', one, 'ip', 'route'), /default via 198\.51\.100\.1 dev eth0/);
  // As a macvlan is: the host itself is left out.
  assert.equal(await hostReaches('198.51.100.77'), false);
  await removeAll([one, two], [name]);
});

test('with host_access the host is one of them', async () => {
  const name = await network('macvlan', ...LAYOUT, '-o', 'parent=up0', '-o', 'host_access=true');
  const [one, two] = [await up(name), await up(name)];
  // One address of the network is the host's.
  assert.deepEqual(await Promise.all([one, two].map(addressOf)), ['198.51.100.129', '198.51.100.130']);
  assert.equal(await hostReaches('198.51.100.129'), true);
  assert.equal(await reaches(two, '198.51.100.128'), true);
  assert.match(await host.must('ip', 'route'), /198\.51\.100\.129 dev mh-\S+ scope link src 198\.51\.100\.128/);
  await daemon.crash();
  const three = await up(name);
  for (const address of ['198.51.100.129', '198.51.100.131']) assert.equal(await hostReaches(address), true);
  await daemon.ok('rm', '-f', two);
  assert.doesNotMatch(await host.must('ip', 'route'), /198\.51\.100\.130/);
  await removeAll([one, three], [name]);
  assert.doesNotMatch(await host.must('ip', 'link'), /mh-/);
});

test('macvlan in private and vepa mode keeps containers apart, in passthru mode there is one', async () => {
  for (const mode of ['private', 'vepa']) {
    const name = await network('macvlan', ...LAYOUT, '-o', 'parent=up0', '-o', `macvlan_mode=${mode}`);
    const [one, two] = [await up(name), await up(name)];
    assert.equal(await reaches(one, WORLD), true, mode);
    assert.equal(await reaches(one, await addressOf(two)), false, mode);
    await removeAll([one, two], [name]);
  }
  const through = await network('macvlan', ...LAYOUT, '-o', 'parent=up0', '-o', 'macvlan_mode=passthru');
  const only = await up(through);
  assert.equal(await reaches(only, WORLD), true);
  const mac = await daemon.ok('exec', only, 'cat', '/sys/class/net/eth0/address');
  assert.match(await host.must('ip', '-o', 'link', 'show', 'up0'), new RegExp(`link/ether ${mac} `));
  assert.match(
    await refusal('network', 'create', '-d', 'macvlan', '--subnet', '10.71.0.0/24', '-o', 'parent=up0', 'second'),
    /is already using parent interface up0 in mode passthru/,
  );
  assert.match(
    await refusal('network', 'create', '-d', 'macvlan', '-o', 'parent=up0', '-o', 'macvlan_mode=loud', 'second'),
    /requested macvlan mode 'loud' is not valid, 'bridge' mode is the macvlan driver default/,
  );
  await removeAll([only], [through]);
});

test('a macvlan network without a parent is one of its containers alone', async () => {
  const name = await network('macvlan');
  const [one, two] = [await up(name), await up(name)];
  assert.equal(await reaches(one, two), true);
  assert.equal(await reaches(one, WORLD), false);
  await daemon.crash();
  assert.equal(await reaches(two, one), true);
  await removeAll([one, two], [name]);
  assert.doesNotMatch(await host.must('ip', 'link'), /dm-/);
});

test('what the kernel of this host lacks is refused in plain words, and leaves nothing', async () => {
  const before = await host.must('ip', '-o', 'link');
  for (const [driver, parent, there] of [
    ['macvlan', 'up0.10', await hasKind('vlan', 'id', '10')],
    ['ipvlan', 'up0', await hasKind('ipvlan')],
  ] as const) {
    const name = uniqueName('maybe');
    const args = ['network', 'create', '-d', driver, '--subnet', '10.72.0.0/24', '-o', `parent=${parent}`, name];
    if (there) {
      await daemon.ok(...args);
      await daemon.ok('network', 'rm', name);
      continue;
    }
    const kind = driver === 'macvlan' ? 'vlan' : driver;
    assert.match(await refusal(...args), new RegExp(`the kernel of this host has no ${kind} links`));
    assert.match(await refusal('network', 'inspect', name), /not found/);
  }
  assert.equal(await host.must('ip', '-o', 'link'), before);
  for (const [parent, words] of [
    ['nolink', /invalid subinterface vlan name nolink, example formatting is eth0\.10/],
    ['nolink.10', /parent interface was not found on the host: nolink/],
    ['lo', /loopback interface is not a valid macvlan parent link/],
  ] as const)
    assert.match(await refusal('network', 'create', '-d', 'macvlan', '-o', `parent=${parent}`, 'wrong'), words);
});
