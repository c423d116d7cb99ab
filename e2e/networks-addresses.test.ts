import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestDaemon } from './lib/daemon.ts';
import { DaemonOnHost } from './lib/daemon-on-host.ts';
import { BUSYBOX } from './lib/images.ts';
import type { OwnHost } from './lib/own-host.ts';
import { uniqueName } from './lib/suite.ts';

// A host of its own, so that what is free and what is not is known.
let started: DaemonOnHost | undefined;
let host: OwnHost;
let daemon: TestDaemon;

before(async () => {
  started = await DaemonOnHost.start({ address: '172.18.3.4/24', route: ['172.20.128.0/17', 'dev', 'up0'] });
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

async function up(networkName: string, ...options: readonly string[]): Promise<string> {
  const name = uniqueName('c');
  await daemon.ok('run', '-d', '--name', name, '--network', networkName, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

const subnets = async (name: string) =>
  (await daemon.ok('network', 'inspect', '-f', '{{range .IPAM.Config}}{{.Subnet}} {{end}}', name)).trim().split(' ');
const addresses = async (container: string) =>
  (
    await daemon.ok(
      ...[
        'inspect',
        '-f',
        '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}',
        container,
      ],
    )
  ).trim();
const refusal = async (...args: readonly string[]) => {
  const { code, stderr } = await daemon.docker(args);
  assert.notEqual(code, 0, `docker ${args.join(' ')} was not refused`);
  return stderr;
};
const removeAll = async (containers: readonly string[], networks: readonly string[]) => {
  if (containers.length > 0) await daemon.ok('rm', '-f', ...containers);
  await daemon.ok('network', 'rm', ...networks);
};

test('networks without a subnet get one beside what the host uses, and one of this daemon in IPv6', async () => {
  const names = [await network(), await network(), await network()];
  const all = await Promise.all(names.map(subnets));
  // 172.18/16 and 172.20/16 lead elsewhere from this host.
  assert.deepEqual(
    all.map(([v4]) => v4),
    ['172.17.0.0/16', '172.19.0.0/16', '172.21.0.0/16'],
  );
  const [v6 = ''] = all.map(([, one]) => one ?? '');
  assert.match(v6, /^fd[0-9a-f:]+\/64$/);
  const prefix = v6.split(':').slice(0, 3).join(':');
  for (const [, one] of all) assert.ok(one?.startsWith(prefix), `${one} is not of ${prefix}`);
  const name = await up(names[0] ?? '');
  assert.match(await addresses(name), /^172\.17\.0\.2 fd/);
  const [, address6 = ''] = (await addresses(name)).split(' ');
  const peer = await up(names[0] ?? '');
  await daemon.ok('exec', peer, 'ping', '-6', '-c1', '-W2', address6);
  await daemon.ok('exec', peer, 'ping', '-6', '-c1', '-W2', name);
  // Chosen prefixes are kept, and what was removed is free again.
  await removeAll([name, peer], names);
  await daemon.crash();
  const again = await network();
  assert.deepEqual(await subnets(again), all[0]);
  await removeAll([], [again]);
});

test('--ipv4 and --ipv6 choose the families', async () => {
  const only4 = await network('--ipv6=false');
  const only6 = await network('--ipv4=false', '--ipv6');
  assert.equal((await subnets(only4)).join(' ').includes(':'), false);
  assert.match((await subnets(only6)).join(' '), /^fd\S+$/);
  const six = await up(only6);
  assert.match(await addresses(six), /^fd/);
  assert.equal(await daemon.ok('exec', six, 'ip', '-4', 'addr', 'show', 'eth0'), '');
  const four = await up(only4);
  assert.equal(await daemon.ok('exec', four, 'ip', '-6', 'addr', 'show', 'eth0'), '');
  assert.match(
    await refusal('network', 'create', '--ipv4=false', '--ipv6=false', 'neither'),
    /IPv4 or IPv6 must be enabled/,
  );
  await removeAll([six, four], [only4, only6]);
});

test('addresses come from the range, never those of others; the last one is the last', async () => {
  const layout = ['--subnet', '10.44.0.0/24', '--ip-range', '10.44.0.64/29', '--gateway', '10.44.0.65'];
  const name = await network(...layout, '--aux-address', 'printer=10.44.0.66', '--aux-address', 'nas=10.44.0.68');
  assert.match(await host.must('ip', '-4', 'addr', 'show', 'to', '10.44.0.65'), /inet 10\.44\.0\.65\/24/);
  const outside = await up(name, '--ip', '10.44.0.200');
  // A container that is not up keeps the address it asked for.
  const keeper = uniqueName('keeper');
  await daemon.ok('create', '--name', keeper, '--network', name, '--ip', '10.44.0.67', BUSYBOX, 'sleep', '1000');
  const dynamic = [];
  for (let at = 0; at < 4; at += 1) dynamic.push(await up(name));
  const given = await Promise.all(dynamic.map(addresses));
  assert.deepEqual(given, ['10.44.0.64', '10.44.0.69', '10.44.0.70', '10.44.0.71']);
  assert.equal(await addresses(outside), '10.44.0.200');
  assert.match(
    await refusal('run', '--rm', '--network', name, BUSYBOX, 'true'),
    /no available IPv4 addresses on this network's address pools: .*10\.44\.0\.0\/24/,
  );
  assert.match(
    await refusal('run', '--rm', '--network', name, '--ip', '10.44.0.200', BUSYBOX, 'true'),
    new RegExp(`Address already in use: 10\\.44\\.0\\.200 is that of container "${outside}"`),
  );
  assert.match(
    await refusal('run', '--rm', '--network', name, '--ip', '10.45.0.1', BUSYBOX, 'true'),
    /no configured subnet contains IP address 10\.45\.0\.1/,
  );
  // What one leaves the next may have.
  await daemon.ok('rm', '-f', dynamic[1] ?? '');
  const next = await up(name);
  assert.equal(await addresses(next), '10.44.0.69');
  await daemon.ok('start', keeper);
  assert.equal(await addresses(keeper), '10.44.0.67');
  await removeAll([outside, keeper, next, ...dynamic.filter((_, at) => at !== 1)], [name]);
});

test('static addresses are kept for their owners, also when the daemon and all containers come up anew', async () => {
  const name = await network('--subnet', '10.46.0.0/24', '--subnet', 'fd00:46::/64');
  const fixed = await up(name, '--ip', '10.46.0.2', '--ip6', 'fd00:46::2', '--restart', 'always');
  const free = await up(name, '--restart', 'always');
  assert.equal(await addresses(fixed), '10.46.0.2 fd00:46::2');
  assert.equal(await addresses(free), '10.46.0.3 fd00:46::3');
  await daemon.ok('stop', '-t', '0', fixed, free);
  await daemon.crash();
  // The lowest address is free, but promised.
  await daemon.ok('start', free);
  assert.equal(await addresses(free), '10.46.0.3 fd00:46::3');
  await daemon.ok('start', fixed);
  assert.equal(await addresses(fixed), '10.46.0.2 fd00:46::2');
  assert.match(
    await daemon.ok('exec', fixed, 'ip', 'addr', 'show', 'eth0'),
    /inet 10\.46\.0\.2\/24[\s\S]*inet6 fd00:46::2\/64/,
  );
  await daemon.ok('restart', '-t', '0', fixed);
  assert.equal(await addresses(fixed), '10.46.0.2 fd00:46::2');
  await removeAll([fixed, free], [name]);
});

test('subnets that collide, or make no sense, are refused by name', async () => {
  const name = await network('--subnet', '10.47.0.0/16');
  assert.match(
    await refusal('network', 'create', '--subnet', '10.47.8.0/24', 'other'),
    new RegExp(
      `Pool overlaps with other one on this address space: 10\\.47\\.8\\.0/24 overlaps with 10\\.47\\.0\\.0/16 of network "${name}"`,
    ),
  );
  assert.match(
    await refusal('network', 'create', '--subnet', '10.48.0.5/24', 'other'),
    /invalid subnet 10\.48\.0\.5\/24: it should be 10\.48\.0\.0\/24/,
  );
  assert.match(await refusal('network', 'create', name), new RegExp(`network with name ${name} already exists`));
  // A client that names a subnet knows why, also when the host has a route there.
  const told = await network('--subnet', '172.20.200.0/24');
  await removeAll([], [name, told]);
});
