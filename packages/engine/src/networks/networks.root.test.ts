import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { makePrivate, mount } from '@wharf/linux/mount';
import { CLONE, createPinnedNetns, inNetns, removePinnedNetns, unshare } from '@wharf/linux/namespaces';
import { Netlink, withNetlink } from '@wharf/linux/netlink';
import { Nft } from '@wharf/linux/nftables';
import { type Child, runTool, spawnProcess } from '@wharf/linux/spawn';
import type { ContainerRecord } from '../containers/container.ts';
import { type TestRoom, testRecord, testRoom } from './test-support.ts';

// Namespaces of our own: this process is "the host", and nothing of what follows is seen outside or outlives it.
unshare(CLONE.FS | CLONE.NEWNS | CLONE.NEWNET);
makePrivate('/', { recursive: true });
// The switches of /proc/sys/net are those of the namespace that proc was mounted in.
mount({ source: 'proc', target: '/proc', type: 'proc' });
withNetlink((netlink) => netlink.setUp('lo'));

const children: Child[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill(9);
});

const BUSYBOX = '/bin/busybox';
const nsOf = (room: TestRoom, record: ContainerRecord): string => join(room.root, 'run', 'netns', record.id);
const addressOf = (record: ContainerRecord, network = 0): string => record.endpoints[network]?.settings.IPAddress ?? '';

/** Runs `work`, whose processes are then in that container's network; in the host's without one. */
function within<T>(netns: string | undefined, work: () => T): T {
  return netns === undefined ? work() : inNetns(netns, work);
}

/** A web server that says who it is. */
async function serve(room: TestRoom, record: ContainerRecord, port = 80): Promise<void> {
  const home = join(room.root, `www-${record.name}-${port}`);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'index.html'), record.name);
  const netns = nsOf(room, record);
  children.push(
    within(netns, () =>
      spawnProcess({ path: BUSYBOX, argv: ['busybox', 'httpd', '-f', '-p', String(port), '-h', home] }),
    ),
  );
  const deadline = Date.now() + 5000;
  while ((await get(netns, `127.0.0.1:${port}`)) !== record.name)
    assert.ok(Date.now() < deadline, 'the server did not come up');
}

/** Runs a line of JavaScript in that network. */
async function script(netns: string | undefined, code: string): Promise<string> {
  // A tool is started beside this thread, so it goes where it belongs by itself.
  const home = netns ?? `/proc/${process.pid}/ns/net`;
  const argv = ['nsenter', `--net=${home}`, process.execPath, '-e', code];
  const result = await runTool({ path: '/usr/bin/nsenter', argv, timeoutMs: 10_000 });
  return result.stdout.toString();
}

/** What a page says, `undefined` when it cannot be had. */
async function get(netns: string | undefined, address: string): Promise<string | undefined> {
  const code = `const s = require('node:net').connect(${address.split(':')[1]}, '${address.split(':')[0]}');
    s.setTimeout(700, () => s.destroy()); s.on('error', () => {});
    s.end('GET / HTTP/1.0\\r\\n\\r\\n'); s.setEncoding('utf8');
    let t = ''; s.on('data', (d) => { t += d; }); s.on('close', () => process.stdout.write(t.split('\\r\\n\\r\\n')[1] ?? ''));`;
  return (await script(netns, code)) || undefined;
}

/** What the embedded resolver says, over UDP. */
function lookup(netns: string, name: string): Promise<string> {
  return script(
    netns,
    `const r = new (require('node:dns').Resolver)({ timeout: 3000, tries: 1 }); r.setServers(['127.0.0.11']);
    r.${/^[\d.]+$/.test(name) ? 'reverse' : 'resolve4'}('${name}', (e, a) => process.stdout.write(e ? e.code : a.join(' ')));`,
  );
}

/** Another machine on the host's uplink, 203.0.113.2; the host is 203.0.113.1. */
function neighbour(room: TestRoom): Disposable & { readonly netns: string } {
  const netns = join(room.root, 'neighbour');
  using inside = createPinnedNetns(netns, () => Netlink.open()) as Netlink;
  withNetlink((netlink) => {
    netlink.createVeth({ name: 'uplink', peer: 'eth0', peerNetns: netns, up: true });
    netlink.addAddress('uplink', '203.0.113.1/24');
  });
  inside.configure({ ifname: 'eth0', addresses: ['203.0.113.2/24'], gateways: ['203.0.113.1'], loopback: true });
  return {
    netns,
    [Symbol.dispose]() {
      withNetlink((netlink) => netlink.deleteLink('uplink'));
      removePinnedNetns(netns);
    },
  };
}

const publish = (hostPort: string, hostIp = '', port = '80/tcp') => ({
  PortBindings: { [port]: [{ HostIp: hostIp, HostPort: hostPort }] },
});

test('setUp() publishes a port to the host, 127.0.0.1, other machines, other containers and the container itself', async () => {
  await using room = testRoom('wtest0');
  using outside = neighbour(room);
  const web = await room.up(testRecord('web', publish('8080')));
  const other = await room.up(testRecord('other'));
  await serve(room, web);
  const everywhere = ['0.0.0.0', '::'].map((HostIp) => ({ HostIp, HostPort: '8080' }));
  assert.deepEqual(web.ports, { '80/tcp': everywhere });
  const gateway = web.endpoints[0]?.settings.Gateway ?? '';
  assert.equal(await get(undefined, `${addressOf(web)}:80`), 'web', 'the container from the host');
  assert.equal(await get(undefined, '127.0.0.1:8080'), 'web', 'loopback');
  assert.equal(await get(undefined, '203.0.113.1:8080'), 'web', 'an address of the host from the host');
  assert.equal(await get(outside.netns, '203.0.113.1:8080'), 'web', 'another machine');
  assert.equal(await get(nsOf(room, other), `${gateway}:8080`), 'web', 'another container through the host');
  assert.equal(await get(nsOf(room, web), `${gateway}:8080`), 'web', 'hairpin');
  assert.equal(await get(nsOf(room, other), `${addressOf(web)}:80`), 'web', 'container to container');
  await room.networks.tearDown(web);
  assert.equal(await get(undefined, '127.0.0.1:8080'), undefined);
  assert.equal(existsSync(nsOf(room, web)), false);
  await room.networks.tearDown(other);
});

test('containers reach other machines under the host address, which reach them only by published ports', async () => {
  await using room = testRoom('wtest1');
  using outside = neighbour(room);
  const web = await room.up(testRecord('web', publish('8081')));
  await serve(room, web);
  const peer = { ...testRecord('peer'), name: 'peer' };
  const home = join(room.root, 'peer');
  mkdirSync(home);
  writeFileSync(join(home, 'index.html'), 'peer');
  children.push(
    inNetns(outside.netns, () =>
      spawnProcess({ path: BUSYBOX, argv: ['busybox', 'httpd', '-f', '-p', '80', '-h', home] }),
    ),
  );
  const deadline = Date.now() + 5000;
  while ((await get(nsOf(room, web), '203.0.113.2:80')) !== peer.name) assert.ok(Date.now() < deadline);
  assert.equal(await get(outside.netns, `${addressOf(web)}:80`), undefined, 'not published under that address');
  await room.networks.tearDown(web);
});

test('setUp() honours the host address of a port, and finds free ones', async () => {
  await using room = testRoom('wtest2');
  using outside = neighbour(room);
  const web = await room.up(
    testRecord('web', {
      PortBindings: {
        '80/tcp': [
          { HostIp: '127.0.0.1', HostPort: '8082' },
          { HostIp: '', HostPort: '' },
        ],
      },
    }),
  );
  await serve(room, web);
  assert.equal(await get(undefined, '127.0.0.1:8082'), 'web');
  assert.equal(await get(outside.netns, '203.0.113.1:8082'), undefined);
  const ephemeral = web.ports['80/tcp']?.[1]?.HostPort;
  assert.ok(Number(ephemeral) >= 32768);
  assert.equal(await get(undefined, `127.0.0.1:${ephemeral}`), 'web');
  await room.networks.tearDown(web);
});

test('setUp() refuses a port that is taken, by us or by others, and leaves nothing behind', async () => {
  await using room = testRoom('wtest3');
  const first = await room.up(testRecord('first', publish('8083')));
  const second = testRecord('second', publish('8083'));
  await assert.rejects(room.up(second), (error: Error) => {
    assert.match(
      error.message,
      /^failed to set up container networking: driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:8083 failed: port is already allocated$/,
    );
    return true;
  });
  assert.equal(existsSync(nsOf(room, second)), false);
  await assert.rejects(
    new Promise((resolve, reject) =>
      createServer()
        .on('error', reject)
        .listen(8083, '0.0.0.0', () => resolve(undefined)),
    ),
    { code: 'EADDRINUSE' },
  );
  await room.networks.tearDown(first);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(8083, '0.0.0.0', resolve));
  await assert.rejects(room.up(second), /failed to bind host port 0\.0\.0\.0:8083\/tcp: address already in use/);
  server.close();
  const again = await room.up(second);
  assert.equal(addressOf(again), addressOf(first), 'addresses of failed starts are given back');
  await room.networks.tearDown(again);
});

test('a user-defined network has names, aliases and static addresses, apart from other networks', async () => {
  await using room = testRoom('wtest4');
  const { networks } = room;
  await networks.createNetwork({ Name: 'one', IPAM: { Config: [{ Subnet: '10.91.0.0/24' }] } });
  await networks.createNetwork({ Name: 'two' });
  const web = await room.up(
    testRecord(
      'web',
      { NetworkMode: 'one' },
      { endpoints: { one: { Aliases: ['www'], IPAMConfig: { IPv4Address: '10.91.0.77' } } } },
    ),
  );
  const client = await room.up(testRecord('client', { NetworkMode: 'one' }));
  const stranger = await room.up(testRecord('stranger', { NetworkMode: 'two' }));
  await serve(room, web);
  assert.equal(addressOf(web), '10.91.0.77');
  for (const name of ['web', 'WWW', web.id.slice(0, 12), 'web.one'])
    assert.match(await lookup(nsOf(room, client), name), /10\.91\.0\.77/, name);
  assert.match(await lookup(nsOf(room, client), '10.91.0.77'), /web\.one/);
  assert.doesNotMatch(await lookup(nsOf(room, stranger), 'web'), /10\.91\.0\.77/);
  assert.equal(await get(nsOf(room, client), '10.91.0.77:80'), 'web');
  assert.equal(await get(nsOf(room, stranger), '10.91.0.77:80'), undefined, 'networks are apart');

  const endpoint = await networks.connect(stranger, 'one', { Aliases: ['friend'] });
  assert.equal(await get(nsOf(room, stranger), '10.91.0.77:80'), 'web', 'connected');
  assert.match(await lookup(nsOf(room, client), 'friend'), new RegExp(endpoint.settings.IPAddress ?? 'none'));
  await networks.disconnect({ ...stranger, endpoints: [...stranger.endpoints, endpoint] }, 'one');
  assert.equal(await get(nsOf(room, stranger), '10.91.0.77:80'), undefined, 'disconnected');

  await networks.rename({ ...web, name: 'renamed' });
  assert.match(await lookup(nsOf(room, client), 'renamed'), /10\.91\.0\.77/);

  await assert.rejects(
    networks.removeNetwork('one'),
    /error while removing network: network one has active endpoints \(name:"renamed" id:"[0-9a-f]{12}", name:"client"/,
  );
  for (const record of [web, client, stranger]) await networks.tearDown(record);
  await networks.removeNetwork('one');
  assert.deepEqual(await networks.pruneNetworks(new Map()), ['two']);
});

test('an internal network has no way out and publishes nothing', async () => {
  await using room = testRoom('wtest5');
  using outside = neighbour(room);
  await room.networks.createNetwork({ Name: 'inner', Internal: true });
  const web = await room.up(testRecord('web', { NetworkMode: 'inner', ...publish('8085') }));
  const client = await room.up(testRecord('client', { NetworkMode: 'inner' }));
  await serve(room, web);
  assert.deepEqual(web.ports, {});
  assert.match(await lookup(nsOf(room, client), 'web'), new RegExp(addressOf(web)));
  assert.equal(await get(nsOf(room, client), `${addressOf(web)}:80`), 'web');
  assert.equal(
    inNetns(nsOf(room, client), () =>
      withNetlink((netlink) => netlink.listRoutes().some(({ destination }) => destination === 'default')),
    ),
    false,
  );
  assert.equal(await get(outside.netns, '203.0.113.1:8085'), undefined);
  for (const record of [web, client]) await room.networks.tearDown(record);
});

test('containers without mutual communication are kept apart on one bridge', async () => {
  await using room = testRoom('wtest6');
  await room.networks.createNetwork({ Name: 'apart', Options: { 'com.docker.network.bridge.enable_icc': 'false' } });
  const web = await room.up(testRecord('web', { NetworkMode: 'apart' }));
  const client = await room.up(testRecord('client', { NetworkMode: 'apart' }));
  await serve(room, web);
  assert.equal(await get(undefined, `${addressOf(web)}:80`), 'web');
  assert.equal(await get(nsOf(room, client), `${addressOf(web)}:80`), undefined);
  for (const record of [web, client]) await room.networks.tearDown(record);
});

test('restore() takes running containers back, with ports and names, and clears away the rest', async () => {
  await using room = testRoom('wtest7');
  await room.networks.createNetwork({ Name: 'net' });
  const web = await room.up(testRecord('web', { NetworkMode: 'net', ...publish('8087') }));
  const client = await room.up(testRecord('client', { NetworkMode: 'net' }));
  const gone = await room.up(testRecord('gone', publish('8088')));
  await serve(room, web);
  await room.restart([web, client]);
  assert.equal(await get(undefined, '127.0.0.1:8087'), 'web');
  assert.match(await lookup(nsOf(room, client), 'web'), new RegExp(addressOf(web)));
  assert.equal(existsSync(nsOf(room, gone)), false);
  await assert.rejects(room.up(testRecord('late', publish('8087'))), /port is already allocated/);
  const next = await room.up(testRecord('next', { NetworkMode: 'net', ...publish('8088') }));
  assert.ok(![addressOf(web), addressOf(client)].includes(addressOf(next)));
  const endpoint = await room.networks.connect(client, 'bridge', {});
  assert.match(endpoint.settings.IPAddress ?? '', /^172\./);
  for (const record of [web, client, next]) await room.networks.tearDown(record);
  // The web server is still in its namespace, so that the kernel does not take the link down by itself.
  const veths = (): number =>
    withNetlink((netlink) => netlink.listLinks().filter(({ master }) => master === netlink.indexOf('wtest7')).length);
  const deadline = Date.now() + 5000;
  while (veths() > 0) {
    assert.ok(Date.now() < deadline, 'links were left');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('the rules and the bridge come back when somebody removes them', async () => {
  await using room = testRoom('wtest8');
  const web = await room.up(testRecord('web', publish('8089')));
  await serve(room, web);
  using nft = new Nft();
  // Put back when the daemon hears of it; at the latest with the next container.
  nft.apply('flush ruleset');
  const second = await room.up(testRecord('second', publish('8090')));
  assert.equal(await get(undefined, '127.0.0.1:8089'), 'web');
  await room.networks.tearDown(web);
  await room.networks.tearDown(second);
  withNetlink((netlink) => netlink.deleteLink('wtest8'));
  const third = await room.up(testRecord('third', publish('8091')));
  await serve(room, third);
  assert.equal(await get(undefined, '127.0.0.1:8091'), 'third');
  await room.networks.tearDown(third);
});

test('setUp() gives `none` a loopback alone, `host` nothing, and `container:` the namespace of the other', async () => {
  await using room = testRoom('wtest9');
  const { networks } = room;
  const lonely = await room.up(testRecord('lonely', { NetworkMode: 'none' }));
  assert.deepEqual(
    inNetns(nsOf(room, lonely), () => withNetlink((netlink) => netlink.listLinks().map(({ name, up }) => [name, up]))),
    [['lo', true]],
  );
  const plain = testRecord('plain', { NetworkMode: 'host', ...publish('8092') });
  const host = await networks.setUp(
    { ...plain, endpoints: await networks.plan({ ...plain, networkingConfig: undefined, hostname: '' }) },
    { containerDir: '' },
  );
  assert.equal(host.netnsPath, undefined);
  assert.deepEqual(host.ports, {});
  const joined = await networks.setUp(testRecord('joined', { NetworkMode: `container:${lonely.id}` }), {
    containerDir: '',
    peer: lonely,
  });
  assert.equal(joined.netnsPath, nsOf(room, lonely));
  assert.equal(networks.inspectNetwork('none').Containers?.[lonely.id]?.Name, 'lonely');
  await networks.tearDown(lonely);
  await networks.tearDown(plain);
});

test('writeFiles() writes what the container is called and whom it asks', async () => {
  await using room = testRoom('wtest10');
  await room.networks.createNetwork({ Name: 'net' });
  const web = await room.up(
    testRecord(
      'web',
      { NetworkMode: 'net', ExtraHosts: ['db:10.0.0.9', 'me:host-gateway'], DnsSearch: ['example.org'] },
      { config: { Hostname: 'box', Domainname: 'lan' } },
    ),
  );
  const file = (name: string): string => readFileSync(join(room.containerDir(web), name), 'utf8');
  assert.equal(file('hostname'), 'box\n');
  assert.match(file('hosts'), /^127\.0\.0\.1\tlocalhost\n/);
  assert.match(file('hosts'), /\n10\.0\.0\.9\tdb\n172\.\d+\.0\.1\tme\nfd[0-9a-f:]+::1\tme\n/);
  const own = [addressOf(web), web.endpoints[0]?.settings.GlobalIPv6Address];
  assert.ok(file('hosts').endsWith(own.map((address) => `${address}\tbox.lan box\n`).join('')));
  assert.match(file('resolv.conf'), /^nameserver 127\.0\.0\.11\nsearch example\.org\noptions (?:.* )?ndots:0\n/);
  const plain = await room.up(testRecord('plain', { Dns: ['9.9.9.9'] }));
  const plainFile = readFileSync(join(room.containerDir(plain), 'resolv.conf'), 'utf8');
  assert.match(plainFile, /^nameserver 127\.0\.0\.11\n(?:.*\n)*# .*ExtServers: \[9\.9\.9\.9\]/);
  for (const record of [web, plain]) await room.networks.tearDown(record);
});

test('a container that links to another has its address in /etc/hosts, also after the other came up anew', async () => {
  await using room = testRoom('wtest20');
  const db = await room.up(testRecord('db'));
  const links = [{ alias: 'store', containerId: db.id }];
  const web = await room.up({ ...testRecord('web'), links });
  const hosts = (): string => readFileSync(join(room.containerDir(web), 'hosts'), 'utf8');
  const line = (record: ContainerRecord): string => `${addressOf(record)}\tstore ${db.config.Hostname} db\n`;
  assert.ok(hosts().includes(line(db)));
  await room.networks.tearDown(db);
  const other = await room.up(testRecord('other'));
  const again = await room.up({ ...db, endpoints: [] });
  assert.notEqual(addressOf(again), addressOf(db));
  assert.ok(hosts().includes(line(again)));
  await room.networks.refreshFiles({ ...web, links: [] });
  assert.ok(!hosts().includes('store'));
  for (const record of [web, again, other]) await room.networks.tearDown(record);
});

test('plan() keeps the name of a network that is not there yet; the start needs it', async () => {
  await using room = testRoom('wtest21');
  const hostConfig = { NetworkMode: 'later' };
  const endpoints = await room.networks.plan({ hostConfig, networkingConfig: undefined, hostname: '' });
  assert.deepEqual(
    endpoints.map(({ networkName }) => networkName),
    ['later'],
  );
  const record = { ...testRecord('early', hostConfig), endpoints };
  await assert.rejects(room.up(record), {
    kind: 'not-found',
    message: 'failed to set up container networking: network later not found',
  });
  await room.networks.createNetwork({ Name: 'later' });
  const up = await room.up(record);
  assert.notEqual(addressOf(up), '');
  await room.networks.tearDown(up);
});

/** A UDP server that answers with the container's name. */
async function answerUdp(room: TestRoom, record: ContainerRecord): Promise<void> {
  const code = `const s = require('node:dgram').createSocket('udp4'); s.bind(53);
    s.on('message', (_, from) => s.send('${record.name}', from.port, from.address))`;
  const netns = nsOf(room, record);
  children.push(within(netns, () => spawnProcess({ path: process.execPath, argv: ['node', '-e', code] })));
  const deadline = Date.now() + 5000;
  while ((await askUdp(netns, 0, 53)) !== record.name) assert.ok(Date.now() < deadline, 'the server did not come up');
}

/** Asks a server behind 127.0.0.1 from a certain port; empty when there is no answer. */
const askUdp = (netns: string | undefined, from: number, port: number): Promise<string> =>
  script(
    netns,
    `const s = require('node:dgram').createSocket('udp4'); s.bind(${from}, '127.0.0.1');
    s.on('message', (text) => { process.stdout.write(text); s.close(); });
    s.on('error', () => s.close());
    s.send('?', ${port}, '127.0.0.1'); setTimeout(() => process.exit(), 300)`,
  );

test('a steady UDP client reaches the container that has the port now', async () => {
  await using room = testRoom('wtest22');
  const hostConfig = { PortBindings: { '53/udp': [{ HostIp: '', HostPort: '8095' }] } };
  assert.equal(await askUdp(undefined, 41_000, 8095), '', 'a flow that leads nowhere');
  const one = await room.up(testRecord('one', hostConfig));
  await answerUdp(room, one);
  assert.equal(await askUdp(undefined, 41_000, 8095), 'one');
  await room.networks.tearDown(one);
  const other = await room.up(testRecord('other'));
  const two = await room.up(testRecord('two', hostConfig));
  assert.notEqual(addressOf(two), addressOf(one));
  await answerUdp(room, two);
  assert.equal(await askUdp(undefined, 41_000, 8095), 'two');
  for (const record of [other, two]) await room.networks.tearDown(record);
});

test('two daemons keep out of each other', async () => {
  await using first = testRoom('wtest11');
  const web = await first.up(testRecord('web', publish('8093')));
  await using second = testRoom('wtest12');
  const other = await second.up(testRecord('other', publish('8094')));
  await serve(first, web);
  await serve(second, other);
  assert.notEqual(addressOf(web), addressOf(other));
  assert.equal(await get(undefined, '127.0.0.1:8093'), 'web');
  assert.equal(await get(undefined, '127.0.0.1:8094'), 'other');
  assert.equal(
    await get(nsOf(first, web), `${other.endpoints[0]?.settings.Gateway}:8094`),
    'other',
    'published ports are reached across',
  );
  await first.networks.tearDown(web);
  await second.networks.tearDown(other);
});

test('networks are shown, filtered and announced as Docker does', async () => {
  await using room = testRoom('wtest13');
  const { networks } = room;
  const { Id } = await networks.createNetwork({
    Name: 'shown',
    Labels: { team: 'a' },
    IPAM: { Config: [{ Subnet: '10.92.0.0/24' }] },
  });
  const names = (filters: Record<string, string[]>): string[] =>
    networks
      .listNetworks(new Map(Object.entries(filters)))
      .map(({ Name }) => Name)
      .sort();
  assert.deepEqual(names({}), ['bridge', 'host', 'none', 'shown']);
  assert.deepEqual(names({ type: ['custom'] }), ['shown']);
  assert.deepEqual(names({ driver: ['null', 'host'] }), ['host', 'none']);
  assert.deepEqual(names({ label: ['team=a'] }), ['shown']);
  assert.deepEqual(names({ dangling: ['true'] }), ['shown']);
  assert.deepEqual(names({ id: [Id.slice(0, 6)] }), ['shown']);
  assert.throws(() => names({ color: ['red'] }), { kind: 'invalid-argument' });
  const web = await room.up(testRecord('web', { NetworkMode: 'shown' }));
  const shown = networks.inspectNetwork(Id.slice(0, 8));
  assert.deepEqual(shown.IPAM.Config, [{ Subnet: '10.92.0.0/24', Gateway: '10.92.0.1' }]);
  assert.deepEqual(
    Object.values(shown.Containers ?? {}).map(({ Name, IPv4Address }) => [Name, IPv4Address]),
    [['web', '10.92.0.2/24']],
  );
  assert.equal(networks.inspectNetwork('bridge').Options?.['com.docker.network.bridge.name'], 'wtest13');
  await assert.rejects(networks.createNetwork({ Name: 'shown' }), {
    kind: 'conflict',
    message: 'network with name shown already exists',
  });
  await assert.rejects(networks.removeNetwork('nothing'), { kind: 'not-found', message: 'network nothing not found' });
  await assert.rejects(networks.removeNetwork('host'), { kind: 'permission-denied' });
  await networks.tearDown(web);
  await networks.removeNetwork('shown');
  assert.deepEqual(
    room.events.map(({ action }) => action),
    ['create', 'connect', 'disconnect', 'destroy'],
  );
  assert.deepEqual(room.events[1]?.attributes, { container: web.id, name: 'shown', type: 'bridge' });
});
