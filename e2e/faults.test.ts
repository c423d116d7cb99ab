import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { OwnHost } from './lib/own-host.ts';
import { eventually, uniqueName } from './lib/suite.ts';

/** Answers every question for an address with the one it is given. */
const NAME_SERVER = `
  const [, at, answer] = process.argv;
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (query, from) => {
    let end = 12;
    while (query[end] !== 0) end += query[end] + 1;
    const question = query.subarray(12, end + 5);
    const isA = question.readUInt16BE(question.length - 4) === 1;
    const head = Buffer.from([query[0], query[1], 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...answer.split('.').map(Number)]);
    socket.send(Buffer.concat([head, question, isA ? record : Buffer.alloc(0)]), from.port, from.address);
  });
  socket.bind(53, at);
`;

let host: OwnHost;
let daemon: TestDaemon;
let bystander: string;

before(async () => {
  host = await OwnHost.start();
  await host.must('ip', 'addr', 'add', '10.99.0.1/32', 'dev', 'lo');
  await host.must('ip', 'addr', 'add', '10.99.0.2/32', 'dev', 'lo');
  for (const [at, answer] of [
    ['10.99.0.1', '192.0.2.11'],
    ['10.99.0.2', '192.0.2.22'],
  ] as const) {
    host.spawn(process.execPath, '-e', NAME_SERVER, '--', at, answer);
  }
  resolvers('10.99.0.1');
  daemon = await TestDaemon.start({ within: host.within });
  await loadBusybox(daemon.host);
  await daemon.ok('network', 'create', 'mine');
  bystander = await server('bystander', '18081');
});

after(async () => {
  try {
    await daemon?.dispose();
  } finally {
    await host?.dispose();
  }
});

/** As resolvconf does it: a new file takes the old one's name. */
function resolvers(address: string): void {
  const path = join(host.etc, 'resolv.conf');
  writeFileSync(`${path}.new`, `nameserver ${address}\n`);
  renameSync(`${path}.new`, path);
}

/** A web server on the network `mine` that says its name, published. */
async function server(name: string, port: string): Promise<string> {
  const script = 'mkdir /w && hostname > /w/index.html && exec httpd -f -p 80 -h /w';
  await daemon.ok(
    ...['run', '-d', '--name', name, '--hostname', name, '--network', 'mine', '-p', `${port}:80`],
    ...[BUSYBOX, 'sh', '-c', script],
  );
  return name;
}

const fetched = (port: string) => host.run('curl', '-s', '-m', '2', `http://127.0.0.1:${port}/`);
const serves = async (name: string, port: string) => (await fetched(port)).stdout.trim() === name;

/** What the containers that nothing was done to must go on doing, without a moment's help. */
async function bystanderIsWell(): Promise<void> {
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', bystander), 'running 0');
  await eventually('the bystander serves', () => serves(bystander, '18081'));
}

test('rules flushed by someone else are noticed, logged and put back', async () => {
  const before = await host.must('nft', '-s', 'list', 'ruleset');
  assert.match(before, /wharf/);
  await host.must('nft', 'flush', 'ruleset');
  await host.must('nft', 'add', 'table', 'inet', 'theirs');
  await eventually('the port is published again', () => serves(bystander, '18081'));
  const rules = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith('table'))
      .sort();
  // Ours is as it was, and theirs is left alone.
  assert.deepEqual(
    rules(await host.must('nft', '-s', 'list', 'ruleset')),
    [...rules(before), 'table inet theirs {'].sort(),
  );
  assert.match(daemon.log, /WARN.*(rule|table|packet filter)/i);
  await bystanderIsWell();
});

test('a link deleted by someone else is noticed, and the container has its address again', async () => {
  const name = await server('unplugged', '18082');
  await eventually('it serves', () => serves(name, '18082'));
  const index = await daemon.ok('exec', name, 'cat', '/sys/class/net/eth0/iflink');
  const links = JSON.parse(await host.must('ip', '-j', 'link', 'show', 'type', 'veth')) as readonly {
    ifindex: number;
    ifname: string;
  }[];
  const link = links.find(({ ifindex }) => String(ifindex) === index.trim());
  assert.ok(link, `no link ${index}`);
  await host.must('ip', 'link', 'delete', link.ifname);
  await eventually('it serves again', () => serves(name, '18082'));
  assert.match(await daemon.ok('exec', name, 'wget', '-q', '-O-', `http://${bystander}/`), /bystander/);
  await bystanderIsWell();
  await daemon.ok('rm', '-f', name);
});

test('a bridge that someone takes down or deletes comes back', async () => {
  const id = await daemon.ok('network', 'inspect', '-f', '{{.Id}}', 'mine');
  const links = JSON.parse(await host.must('ip', '-j', 'link', 'show', 'type', 'bridge')) as readonly {
    ifname: string;
  }[];
  const bridge = links.find(({ ifname }) => ifname.includes(id.slice(0, 8)))?.ifname ?? '';
  assert.notEqual(bridge, '', JSON.stringify(links));
  await host.must('ip', 'link', 'set', bridge, 'down');
  await eventually('the bridge is up', () => serves(bystander, '18081'));
  await host.must('ip', 'link', 'delete', bridge);
  await eventually('the bridge is back', () => serves(bystander, '18081'));
});

test('a resolv.conf that is replaced is followed, and one that is gone or broken is survived', async () => {
  const name = uniqueName('asks');
  await daemon.ok('run', '-d', '--name', name, '--network', 'mine', BUSYBOX, 'sleep', '1000');
  const answer = async () => (await daemon.docker(['exec', name, 'nslookup', '-type=a', 'example.org'])).stdout;
  await eventually('the first resolver answers', async () => (await answer()).includes('192.0.2.11'));
  resolvers('10.99.0.2');
  await eventually('the second resolver answers', async () => (await answer()).includes('192.0.2.22'));
  writeFileSync(join(host.etc, 'resolv.conf'), 'nameserver\n\0nonsense'.repeat(1000));
  assert.match(await daemon.ok('exec', name, 'nslookup', '-type=a', bystander), /Address/);
  resolvers('10.99.0.1');
  await eventually('the first resolver answers again', async () => (await answer()).includes('192.0.2.11'));
  await daemon.ok('rm', '-f', name);
});

test('a daemon killed in the middle of work finds everything again; a container that ended meanwhile is known', async () => {
  const name = await server('survivor', '18083');
  const script = 'while [ ! -e /gate ]; do usleep 20000; done; exit 7';
  await daemon.ok('run', '-d', '--name', 'leaver', '--network', 'mine', BUSYBOX, 'sh', '-c', script);
  const leaver = await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'leaver');
  const work = Array.from({ length: 4 }, (_, at) =>
    daemon.docker(['run', '--rm', '--name', `cut-${at}`, '--network', 'mine', BUSYBOX, 'true']),
  );
  await daemon.kill();
  await Promise.all(work);
  // The rules are the kernel's: ports are served without a daemon.
  assert.ok(await serves(name, '18083'));
  writeFileSync(`/proc/${leaver}/root/gate`, '');
  await eventually('it has ended', async () => !existsSync(`/proc/${leaver}`));
  await daemon.start();
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'leaver'), 'exited 7');
  await bystanderIsWell();
  await eventually(
    'what was cut off is gone',
    async () => !(await daemon.ok('ps', '-a', '--format', '{{.Names}}')).includes('cut-'),
  );
  assert.ok(await serves(name, '18083'));
  await daemon.ok('rm', '-f', name, 'leaver');
});

/** The control groups of a container below every hierarchy. */
function groupsOf(id: string): readonly string[] {
  const root = '/sys/fs/cgroup';
  const hierarchies = existsSync(join(root, 'cgroup.controllers'))
    ? [root]
    : readdirSync(root).map((name) => join(root, name));
  return hierarchies.map((path) => join(path, 'wharf', id)).filter((path) => existsSync(path));
}

test('a container whose control groups vanish can be seen, asked, stopped and removed', async () => {
  const name = uniqueName('lost');
  await daemon.ok('run', '-d', '--name', name, '--network', 'mine', '--memory', '64m', BUSYBOX, 'sleep', '1000');
  const id = await daemon.ok('inspect', '-f', '{{.Id}}', name);
  for (const group of groupsOf(id)) {
    for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')) {
      writeFileSync(join(group, '../../cgroup.procs'), pid);
    }
    rmdirSync(group);
  }
  assert.deepEqual(groupsOf(id), []);
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}}', name), 'running');
  assert.notEqual((await daemon.docker(['stats', '--no-stream', name, bystander], { timeoutMs: 15_000 })).code, 124);
  assert.notEqual((await daemon.docker(['exec', name, 'true'], { timeoutMs: 15_000 })).code, 124);
  assert.notEqual(
    (await daemon.docker(['update', '--memory', '128m', '--memory-swap', '-1', name], { timeoutMs: 15_000 })).code,
    124,
  );
  await daemon.ok('stop', '-t', '1', name);
  await daemon.ok('start', name);
  assert.ok(groupsOf(id).length > 0);
  await daemon.ok('rm', '-f', name);
  await bystanderIsWell();
});
