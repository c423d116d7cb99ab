import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

/** Two resolvers on the host's loopback: one that never answers, and one that knows `up.example`. */
const [SILENT, UPSTREAM] = ['127.0.0.78', '127.0.0.77'];
const asked: string[] = [];
const sockets: Socket[] = [];

/** An answer with one address, or "no such name" with a SOA of a minute. */
function upstreamAnswer(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const name = query.toString('latin1', 13, end - 5).replaceAll(/[^a-z0-9-]/gi, '.');
  asked.push(`${name} ${query.readUInt16BE(end - 4)}`);
  const known = name === 'up.example' && query.readUInt16BE(end - 4) === 1;
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(known ? 1 : 0, 6);
  head.writeUInt16BE(known ? 0 : 1, 8);
  head.writeUInt16BE(0, 10);
  const soa = [0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 60];
  const record = known
    ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4]
    : [0, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, ...soa];
  return Buffer.concat([head, Buffer.from(record)]);
}

before(async () => {
  for (const address of [SILENT, UPSTREAM]) {
    const socket = createSocket('udp4');
    if (address === UPSTREAM) {
      socket.on('message', (query, peer) => socket.send(upstreamAnswer(query), peer.port, peer.address));
    }
    await new Promise<void>((resolve) => socket.bind(53, address, resolve));
    sockets.push(socket);
  }
});
after(() => {
  for (const socket of sockets) socket.close();
});

const daemon = daemonForFile({ arguments: ['--dns', SILENT, '--dns', UPSTREAM] });

async function sleeper(...options: readonly string[]): Promise<string> {
  const name = uniqueName('dns');
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

const inspected = (name: string, format: string): Promise<string> => daemon().ok('inspect', '-f', format, name);

/** Asks as a process of the container would: `status` in words, the rest of each answer. */
async function dig(from: string, ...question: readonly string[]): Promise<{ status: string; answers: string[] }> {
  const pid = await inspected(from, '{{.State.Pid}}');
  const options = ['@127.0.0.11', '+tries=1', '+time=4', '+noall', '+comments', '+answer', ...question];
  const { stdout } = await run(['nsenter', '-t', pid, '-n', 'dig', ...options]);
  const answers = stdout.split('\n').filter((line) => /\sIN\s/.test(line) && !line.startsWith(';'));
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? stdout,
    answers: answers.map((line) => line.split(/\s+/).at(-1) ?? ''),
  };
}

test('containers have names on the default bridge too, in both families and backwards', async () => {
  const [web, client] = [await sleeper('-h', 'harbour'), await sleeper()];
  const address = await inspected(web, '{{.NetworkSettings.Networks.bridge.IPAddress}}');
  const address6 = await inspected(web, '{{.NetworkSettings.Networks.bridge.GlobalIPv6Address}}');
  const id = (await inspected(web, '{{.Id}}')).slice(0, 12);
  for (const name of [web, 'harbour', id, `${web}.bridge`, web.toUpperCase()]) {
    assert.deepEqual(await dig(client, name, 'A'), { status: 'NOERROR', answers: [address] }, name);
  }
  assert.deepEqual((await dig(client, web, 'AAAA')).answers, [address6]);
  assert.deepEqual((await dig(client, web, 'A', '+tcp')).answers, [address]);
  for (const one of [address, address6]) assert.deepEqual((await dig(client, '-x', one)).answers, [`${web}.bridge.`]);
  assert.match(await daemon().ok('exec', client, 'nslookup', web), new RegExp(`Address: ${address}`));
});

test('a name without an address of a family is answered empty, never as unknown', async () => {
  const network = uniqueName('four');
  await daemon().ok('network', 'create', '--ipv6=false', network);
  const [web, client] = [await sleeper('--network', network), await sleeper('--network', network)];
  for (const type of ['AAAA', 'MX', 'TXT']) {
    assert.deepEqual(await dig(client, web, type), { status: 'NOERROR', answers: [] }, type);
  }
});

test('names belong to a network; an alias of several is answered in turn', async () => {
  const [one, two] = [uniqueName('one'), uniqueName('two')];
  await daemon().ok('network', 'create', one);
  await daemon().ok('network', 'create', two);
  const shared = [
    await sleeper('--network', one, '--network-alias', 'pool'),
    await sleeper('--network', one, '--network-alias', 'pool'),
  ];
  const [near, far] = [await sleeper('--network', one), await sleeper('--network', two)];
  const first = new Set<string>();
  for (let round = 0; round < 40 && first.size < 2; round += 1) {
    const { answers } = await dig(near, 'pool', 'A');
    assert.equal(answers.length, 2);
    first.add(answers[0] ?? '');
  }
  assert.equal(first.size, 2, 'both come first at times');
  assert.equal((await dig(far, 'pool', 'A')).status, 'NXDOMAIN');
  await daemon().ok('rm', '-f', shared[0] ?? '');
  assert.equal((await dig(near, 'pool', 'A')).answers.length, 1);
  await daemon().ok('rename', shared[1] ?? '', `${shared[1]}-b`);
  assert.equal((await dig(near, `${shared[1]}-b`, 'A')).answers.length, 1);
  assert.equal((await dig(near, shared[1] ?? '', 'A')).status, 'NXDOMAIN');
});

test('other names go to resolvers on the loopback of the host, past one that is silent, and are remembered', async () => {
  const client = await sleeper();
  const before = asked.length;
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual((await dig(client, 'up.example', 'A', '+noedns')).answers, ['1.2.3.4']);
    assert.equal((await dig(client, 'none.example', 'A', '+noedns')).status, 'NXDOMAIN');
  }
  assert.deepEqual(asked.slice(before).sort(), ['none.example 1', 'up.example 1']);
});

test('an internal network knows its own names and asks nobody', async () => {
  const network = uniqueName('inner');
  await daemon().ok('network', 'create', '--internal', network);
  const [web, client] = [await sleeper('--network', network), await sleeper('--network', network)];
  const before = asked.length;
  assert.equal((await dig(client, web, 'A')).answers.length, 1);
  assert.equal((await dig(client, 'up.example', 'A')).status, 'SERVFAIL');
  assert.equal(asked.length, before);
});

test('--dns, --dns-search, --dns-option and --add-host host-gateway', async () => {
  const options = [
    '--dns',
    UPSTREAM,
    '--dns-search',
    'example',
    '--dns-option',
    'ndots:1',
    '--add-host',
    'me:host-gateway',
  ];
  const client = await sleeper(...options);
  const conf = await daemon().ok('exec', client, 'cat', '/etc/resolv.conf');
  assert.match(conf, /^nameserver 127\.0\.0\.11\nsearch example\noptions ndots:1\n/);
  assert.match(conf, /ExtServers: \[127\.0\.0\.77\]/);
  // A loopback address of its own is the container's, where nobody listens.
  assert.equal((await dig(client, 'up.example', 'A', '+noedns')).status, 'SERVFAIL');
  assert.deepEqual(await dig(client, 'up', 'A'), { status: 'NOERROR', answers: [] });
  const gateway = await inspected(client, '{{.NetworkSettings.Networks.bridge.Gateway}}');
  assert.match(await daemon().ok('exec', client, 'cat', '/etc/hosts'), new RegExp(`^${gateway}\\s+me$`, 'm'));
});

test('ten thousand questions of four containers at once are all answered, also after a crash of the daemon', async () => {
  const names = [await sleeper(), await sleeper(), await sleeper(), await sleeper()];
  await daemon().crash();
  const client = fileURLToPath(new URL('../bench/lib/dns-client.ts', import.meta.url));
  const reports = await Promise.all(
    names.map(async (name) => {
      const pid = await inspected(name, '{{.State.Pid}}');
      const result = await run(['nsenter', '-t', pid, '-n', process.execPath, client, '2500', '0', ...names]);
      return JSON.parse(result.stdout) as { readonly lost: number; readonly wrong: number };
    }),
  );
  for (const { lost, wrong } of reports) assert.deepEqual([lost, wrong], [0, 0]);
});

test('a name that several have leads to those that are well, and away from one that is being stopped', async () => {
  const network = uniqueName('net');
  await daemon().ok('network', 'create', network);
  const shared = ['--network', network, '--network-alias', 'shared', '--stop-timeout', '5'] as const;
  const old = await sleeper(...shared);
  const now = await sleeper(
    ...shared,
    ...[
      '--health-cmd',
      'test -f /tmp/well',
      '--health-interval',
      '100ms',
      '--health-start-period',
      '1m',
      '--health-start-interval',
      '100ms',
    ],
  );
  const address = (name: string) => inspected(name, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`);
  const [first, second] = [await address(old), await address(now)];
  const answered = async (): Promise<string> => (await dig(old, 'shared', 'A')).answers.toSorted().join(' ');
  assert.equal(await answered(), first);
  assert.equal((await dig(old, now, 'A')).answers.join(), second);
  await daemon().ok('exec', now, 'touch', '/tmp/well');
  await eventually('both are well', async () => (await answered()) === [first, second].toSorted().join(' '));
  // Process 1 takes no notice of the signal: it goes on for the seconds it is given.
  const stopped = daemon().ok('stop', old);
  await eventually('the one that stops is passed by', async () => (await answered()) === second);
  assert.equal(await inspected(old, '{{.State.Running}}'), 'true');
  await stopped;
  await daemon().ok('rm', '-f', old, now);
  await daemon().ok('network', 'rm', network);
});
