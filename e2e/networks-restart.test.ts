import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestDaemon } from './lib/daemon.ts';
import { DaemonOnHost } from './lib/daemon-on-host.ts';
import { BUSYBOX } from './lib/images.ts';
import type { OwnHost } from './lib/own-host.ts';
import { eventually, uniqueName } from './lib/suite.ts';

let started: DaemonOnHost | undefined;
let host: OwnHost;
let daemon: TestDaemon;
const scratch = mkdtempSync(join(tmpdir(), 'wharf-networks-restart-'));

before(async () => {
  started = await DaemonOnHost.start({
    address: '198.51.100.2/24',
    route: ['default', 'via', '198.51.100.1'],
    otherEnd: 'world0',
  });
  ({ host, daemon } = started);
});
after(async () => {
  await started?.[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

async function up(...options: readonly string[]): Promise<string> {
  const name = uniqueName('c');
  const command = 'mkdir /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w';
  await daemon.ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sh', '-c', command);
  return name;
}

async function joins(other: string, ...options: readonly string[]): Promise<string> {
  const name = uniqueName('guest');
  await daemon.ok('run', '-d', '--name', name, '--network', `container:${other}`, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

/** Everything of the network that a restart could touch: rules, links, addresses, routes, on the host and in containers. */
async function everything(containers: readonly string[]): Promise<readonly string[]> {
  const commands: readonly (readonly string[])[] = [
    ['nft', '-s', 'list', 'ruleset'],
    ['ip', '-o', 'link'],
    ['ip', '-o', 'addr'],
    ['ip', 'route', 'show', 'table', 'all'],
    ['ip', '-6', 'route', 'show', 'table', 'all'],
  ];
  const seen = await Promise.all(commands.map((command) => host.must(...command)));
  const inside = await Promise.all(
    containers.map((name) =>
      daemon.ok(
        'exec',
        name,
        'sh',
        '-c',
        'ip -o link; ip -o addr; ip route; ip -6 route; cat /etc/hosts /etc/resolv.conf',
      ),
    ),
  );
  // What runs out by itself, and what the kernel comes to know of a link only some time after it was made.
  const volatile = /(valid_lft|preferred_lft|expires) \S+| tentative| linkdown|NO-CARRIER,|,LOWER_UP| state \S+/g;
  const byItself = /^(anycast|local|multicast|fe80::\/64|\S+: \S+ +inet6) .*\n/gm;
  return [...seen, ...inside].map((text) =>
    text.replaceAll(volatile, '').replaceAll(byItself, (line) => (/fe80|ff00/.test(line) ? '' : line)),
  );
}

/** Talks with an echo server over one connection, and writes down how often it was answered. */
const TALKER = `
  const [, port, path] = process.argv;
  const { writeFileSync } = require('node:fs');
  let answers = 0;
  const talk = () => {
    const socket = require('node:net').connect(Number(port), '198.51.100.2', () => socket.write('x'));
    socket.on('data', () => { writeFileSync(path, String(++answers)); setTimeout(() => socket.write('x'), 5); });
    socket.on('error', () => {});
    socket.on('close', () => { if (answers > 0) writeFileSync(path, 'closed'); else setTimeout(talk, 20); });
  };
  talk();
`;

const removeAll = async (containers: readonly string[], networks: readonly string[]) => {
  await daemon.ok('rm', '-f', ...containers);
  if (networks.length > 0) await daemon.ok('network', 'rm', ...networks);
};

test('a restart of the daemon changes no rule, link, address or route, and breaks no connection', async () => {
  const [one, two, beside] = ['one', 'two', 'beside'].map((name) => uniqueName(name)) as [string, string, string];
  await daemon.ok('network', 'create', one);
  await daemon.ok('network', 'create', '-o', 'com.docker.network.bridge.enable_icc=false', two);
  const layout = ['--subnet', '198.51.100.0/24', '--ip-range', '198.51.100.128/25'];
  await daemon.ok(
    'network',
    'create',
    '-d',
    'macvlan',
    ...layout,
    '-o',
    'parent=up0',
    '-o',
    'host_access=true',
    beside,
  );
  const plain = await up('-p', '18080:80', '-p', '[::1]:18081:80');
  const moved = await up('--network', one, '--network-alias', 'web', '-p', '18100-18120:100-120/udp', '-p', '80');
  await daemon.ok('network', 'connect', two, moved);
  await daemon.ok('network', 'connect', '--gw-priority', '9', beside, moved);
  await daemon.ok('network', 'disconnect', two, moved);
  const sharing = await joins(moved);
  const server = uniqueName('echo');
  await daemon.ok(
    'run',
    '-d',
    '--name',
    server,
    '--network',
    one,
    '-p',
    '18090:7',
    BUSYBOX,
    'nc',
    '-ll',
    '-p',
    '7',
    '-e',
    'cat',
  );
  const answers = join(scratch, 'answers');
  const count = () => {
    const text = readFileSync(answers, { encoding: 'utf8', flag: 'a+' });
    assert.match(text, /^\d*$/, 'the connection broke');
    return Number(text);
  };
  host.spawn(process.execPath, '-e', TALKER, '--', '18090', answers);
  await eventually('there is a conversation', async () => count() > 10);
  const containers = [plain, moved, server];
  const before = await everything(containers);
  for (const restart of [() => daemon.crash(), () => daemon.stop().then(() => daemon.start())]) {
    await restart();
    assert.deepEqual(await everything(containers), before);
    const sofar = count();
    await eventually('the conversation goes on', async () => count() > sofar + 10);
  }
  await removeAll([plain, moved, sharing, server], [one, two, beside]);
});

test('what cannot be set up when the machine comes up is tried again like a crash', async () => {
  const parent = uniqueName('m').slice(0, 8);
  await host.must('ip', 'link', 'add', 'late0', 'type', 'veth', 'peer', 'name', 'late1');
  await host.must('ip', 'link', 'set', 'late0', 'up');
  await host.must('ip', 'link', 'set', 'late1', 'up');
  await daemon.ok('network', 'create', '-d', 'macvlan', '--subnet', '10.74.0.0/24', '-o', 'parent=late0', parent);
  const busy = await up('-p', '18085:80', '--restart', 'always');
  const late = await up('--network', parent, '--restart', 'unless-stopped');
  const joined = await joins(busy, '--restart', 'always');
  const pids = await Promise.all(
    [busy, late, joined].map((name) => daemon.ok('inspect', '-f', '{{.State.Pid}}', name)),
  );
  await daemon.kill();
  // As after a power cut: no process is left, the link of one is not there yet, and somebody has the port of the other.
  assert.ok(pids.every((pid) => Number(pid) > 1));
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
  await host.must('ip', 'link', 'delete', 'late0');
  const squatter = host.spawn('busybox', 'nc', '-ll', '-p', '18085', '-e', 'true');
  await eventually('the port is taken', async () => (await host.run('ss', '-Hltn', 'sport = :18085')).stdout !== '');
  await daemon.start();
  const status = (name: string) => daemon.ok('inspect', '-f', '{{.State.Status}} {{gt .RestartCount 0}}', name);
  for (const name of [busy, late])
    await eventually(`${name} is tried again`, async () => (await status(name)) === 'restarting true');
  const reason = await daemon.ok('inspect', '-f', '{{.State.Error}}', busy);
  assert.match(reason, /18085/);
  squatter.kill('SIGKILL');
  await host.must('ip', 'link', 'add', 'late0', 'type', 'veth', 'peer', 'name', 'late1');
  await host.must('ip', 'link', 'set', 'late0', 'up');
  for (const name of [busy, late, joined])
    await eventually(`${name} runs`, async () => (await status(name)).startsWith('running'));
  await eventually(
    'the port leads there',
    async () => (await host.run('curl', '-sf', '-m1', 'http://127.0.0.1:18085/')).code === 0,
  );
  await removeAll([joined, busy, late], [parent]);
});

test('an address that the host has again some time after the boot is waited for', async () => {
  const publish = ['-p', '203.0.113.7:18086:80', '--restart', 'always'];
  const refused = await daemon.docker(['run', '--rm', ...publish.slice(0, 2), BUSYBOX, 'true']);
  assert.match(refused.stderr, /failed to bind host port 203\.0\.113\.7:18086\/tcp: cannot assign requested address/);
  await host.must('ip', 'addr', 'add', '203.0.113.7/32', 'dev', 'up0');
  const name = await up(...publish);
  const pid = Number(await daemon.ok('inspect', '-f', '{{.State.Pid}}', name));
  assert.ok(pid > 1);
  await daemon.kill();
  process.kill(pid, 'SIGKILL');
  await host.must('ip', 'addr', 'delete', '203.0.113.7/32', 'dev', 'up0');
  await daemon.start();
  const status = () => daemon.ok('inspect', '-f', '{{.State.Status}}', name);
  await eventually('it is tried again', async () => (await status()) === 'restarting');
  await host.must('ip', 'addr', 'add', '203.0.113.7/32', 'dev', 'up0');
  await eventually(
    'it answers',
    async () => (await host.run('curl', '-sf', '-m1', 'http://203.0.113.7:18086/')).code === 0,
  );
  await removeAll([name], []);
});
