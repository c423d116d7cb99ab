import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { until } from '../scripts/lib/delay.ts';
import { run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
/** Below the ephemeral ports, and another one for each process that tests. */
const BASE = 12_000 + (process.pid % 18) * 1000;

async function webServer(...options: readonly string[]): Promise<string> {
  const name = uniqueName('web');
  const script = 'mkdir /www && hostname > /www/index.html && exec httpd -f -p [::]:80 -h /www';
  await daemon().ok('run', '-d', '--name', name, '-h', name, ...options, BUSYBOX, 'sh', '-c', script);
  return name;
}

async function publishedPort(name: string): Promise<string> {
  return /:(\d+)$/m.exec(await daemon().ok('port', name, '80'))?.[1] ?? '';
}

function fetched(address: string): Promise<string> {
  return until(
    `${address} answers`,
    async () => {
      const result = await run(['curl', '-gsS', '-m', '1', `http://${address}/`]);
      return result.code === 0 ? result.stdout.trim() : undefined;
    },
    { timeoutMs: 10_000, everyMs: 50 },
  );
}

async function refused(address: string): Promise<void> {
  const result = await run(['curl', '-gsS', '-m', '1', `http://${address}/`]);
  assert.notEqual(result.code, 0, `${address} answers: ${result.output}`);
}

/** A shell stays process 1, which no signal from inside would end. */
const fetching = (url: string, seconds: number): readonly string[] => [
  'sh',
  '-c',
  `timeout ${seconds} wget -qO- ${url} || exit 1`,
];

const inspected = (name: string, format: string): Promise<string> => daemon().ok('inspect', '-f', format, name);

/** Beyond Docker's API, so not by its client. */
async function update(name: string, body: unknown): Promise<string> {
  const options = ['-sS', '--unix-socket', daemon().socketPath, '-H', 'content-type: application/json'];
  const url = `http://wharf/v1.50/containers/${name}/update`;
  const result = await run(['curl', ...options, '-d', JSON.stringify(body), url]);
  return result.stdout;
}

test('-p publishes the same port in both families, from everywhere', async () => {
  const name = await webServer('-p', '80');
  const port = await publishedPort(name);
  assert.equal(await daemon().ok('port', name), `80/tcp -> 0.0.0.0:${port}\n80/tcp -> [::]:${port}`);
  assert.equal(
    await daemon().ok('ps', '--filter', `name=${name}`, '--format', '{{.Ports}}'),
    `0.0.0.0:${port}->80/tcp, [::]:${port}->80/tcp`,
  );
  const gateway = await inspected(name, '{{.NetworkSettings.Networks.bridge.Gateway}}');
  const gateway6 = await inspected(name, '{{.NetworkSettings.Networks.bridge.IPv6Gateway}}');
  for (const host of ['127.0.0.1', '[::1]', 'localhost', gateway, `[${gateway6}]`]) {
    assert.equal(await fetched(`${host}:${port}`), name, host);
  }
  for (const host of [gateway, `[${gateway6}]`]) {
    const url = `http://${host}:${port}/`;
    assert.equal(await daemon().ok('run', '--rm', BUSYBOX, ...fetching(url, 5)), name, `another container: ${host}`);
    assert.equal(await daemon().ok('exec', name, ...fetching(url, 5)), name, `hairpin: ${host}`);
  }
});

test('-p [::1]: publishes there only', async () => {
  const name = await webServer('-p', '[::1]::80');
  const port = await publishedPort(name);
  assert.equal(await daemon().ok('port', name), `80/tcp -> [::1]:${port}`);
  assert.equal(await fetched(`[::1]:${port}`), name);
  await refused(`127.0.0.1:${port}`);
  const gateway6 = await inspected(name, '{{.NetworkSettings.Networks.bridge.IPv6Gateway}}');
  await refused(`[${gateway6}]:${port}`);
});

test('a thousand ports are one rule and hardly a descriptor, and inspect shows each', async () => {
  const fds = (): number => readdirSync(`/proc/${(daemon() as TestDaemon).pid}/fd`).length;
  const before = fds();
  const range = `${BASE}-${BASE + 999}`;
  const script = `mkdir /www && echo wide > /www/index.html && exec httpd -f -p [::]:${BASE + 500} -h /www`;
  const name = uniqueName('wide');
  await daemon().ok('run', '-d', '--name', name, '-p', `${range}:${range}`, BUSYBOX, 'sh', '-c', script);
  assert.equal(await fetched(`127.0.0.1:${BASE + 500}`), 'wide');
  assert.equal(await fetched(`[::1]:${BASE + 500}`), 'wide');
  assert.ok(fds() - before < 20, `${fds() - before} descriptors more`);
  const rules = (await run(['nft', 'list', 'tables'])).stdout
    .split('\n')
    .find((line) => line.endsWith(daemon().bridge));
  const { stdout } = await run(['nft', 'list', ...(rules ?? '').split(' ')]);
  assert.match(stdout, new RegExp(`elements = \\{ tcp \\. ${range} : [0-9.]+ \\}`));
  assert.match(stdout, new RegExp(`elements = \\{ tcp \\. ${range} : fd[0-9a-f:]+ \\}`));
  const ports = JSON.parse(await inspected(name, '{{json .NetworkSettings.Ports}}')) as Record<string, unknown[]>;
  assert.deepEqual(ports[`${BASE + 999}/tcp`], [
    { HostIp: '0.0.0.0', HostPort: String(BASE + 999) },
    { HostIp: '::', HostPort: String(BASE + 999) },
  ]);
  assert.equal(Object.keys(ports).length, 1000);
  const taken = await daemon().docker(['run', '--rm', '-p', `${BASE + 7}:80`, BUSYBOX, 'true']);
  assert.match(taken.stderr, new RegExp(`Bind for 0\\.0\\.0\\.0:${BASE + 7} failed: port is already allocated`));
  await daemon().ok('rm', '-f', name);
});

test('a port in a long range that another program has is refused', async () => {
  const server = createServer().listen(BASE + 300, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const range = `${BASE}-${BASE + 999}`;
  const result = await daemon().docker(['run', '--rm', '-p', `${range}:${range}`, BUSYBOX, 'true']);
  server.close();
  assert.match(
    result.stderr,
    new RegExp(`failed to bind host port 0\\.0\\.0\\.0:${BASE + 300}/tcp: address already in use`),
  );
});

test('update changes the ports of a running container, all or none', async () => {
  const name = await webServer('-p', `${BASE + 1}:80`);
  await update(name, { PortBindings: { '80/tcp': [{ HostPort: `${BASE + 1}` }, { HostPort: `${BASE + 2}` }] } });
  for (const port of [BASE + 1, BASE + 2]) assert.equal(await fetched(`127.0.0.1:${port}`), name);
  const other = await webServer('-p', `${BASE + 3}:80`);
  const answer = await update(name, { PortBindings: { '80/tcp': [{ HostPort: `${BASE + 3}` }] } });
  assert.match(answer, /port is already allocated/);
  assert.equal(await fetched(`127.0.0.1:${BASE + 2}`), name);
  assert.equal(await fetched(`127.0.0.1:${BASE + 3}`), other);
  await daemon().crash();
  assert.match(await daemon().ok('port', name), new RegExp(`0\\.0\\.0\\.0:${BASE + 2}`));
  assert.equal(await fetched(`[::1]:${BASE + 2}`), name);
  await update(name, { PortBindings: {} });
  await refused(`127.0.0.1:${BASE + 2}`);
  assert.equal(await daemon().ok('port', name), '');
});

test('rules that somebody removes are written anew', async () => {
  const name = await webServer('-p', '80');
  const port = await publishedPort(name);
  const table = `wharf_${daemon().bridge}`;
  for (const change of [
    ['delete', 'table', 'inet', table],
    ['flush', 'chain', 'inet', table, 'publish4'],
    ['flush', 'map', 'inet', table, 'ports_any4'],
  ]) {
    const done = await run(['nft', ...change]);
    assert.equal(done.code, 0, done.output);
    assert.equal(await fetched(`127.0.0.1:${port}`), name, change.join(' '));
  }
});

test('networks do not see each other, in neither family, and internal ones see nothing', async () => {
  const [one, two, inner] = [uniqueName('one'), uniqueName('two'), uniqueName('inner')];
  await daemon().ok('network', 'create', one);
  await daemon().ok('network', 'create', two);
  await daemon().ok('network', 'create', '--internal', inner);
  const web = await webServer('--network', one);
  const name = `{{(index .NetworkSettings.Networks "${one}")`;
  const hosts = [
    await inspected(web, `${name}.IPAddress}}`),
    `[${await inspected(web, `${name}.GlobalIPv6Address}}`)}]`,
  ];
  for (const host of hosts) {
    const ask = fetching(`http://${host}/`, 1);
    assert.equal(await daemon().ok('run', '--rm', '--network', one, BUSYBOX, ...ask), web);
    for (const network of [two, inner]) {
      const result = await daemon().docker(['run', '--rm', '--network', network, BUSYBOX, ...ask]);
      assert.notEqual(result.code, 0, `${network} reaches ${host}`);
    }
  }
  await daemon().ok('rm', '-f', web);
  await daemon().ok('network', 'rm', one, two, inner);
});

test('--ip sets where ports are published that name no address', async () => {
  await using own = await TestDaemon.start({ arguments: ['--ip', '127.0.0.1'] });
  await loadBusybox(own.host);
  await own.ok('run', '-d', '--name', 'web', '-p', '80', BUSYBOX, 'sleep', '1000');
  assert.match(await own.ok('port', 'web'), /^80\/tcp -> 127\.0\.0\.1:\d+$/);
});
