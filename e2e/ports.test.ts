import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../scripts/lib/delay.ts';
import { run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();

async function webServer(text: string, ...options: readonly string[]): Promise<string> {
  const name = uniqueName('web');
  const script = `mkdir /www && echo ${text} > /www/index.html && exec httpd -f -p 80 -h /www`;
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sh', '-c', script);
  return name;
}

async function publishedPort(name: string): Promise<string> {
  const line = (await daemon().ok('port', name, '80')).split('\n')[0] ?? '';
  return line.slice(line.lastIndexOf(':') + 1);
}

function fetched(address: string): Promise<string> {
  return until(
    `${address} answers`,
    async () => {
      const result = await run(['curl', '-sS', '-m', '2', `http://${address}/`]);
      return result.code === 0 ? result.stdout.trim() : undefined;
    },
    { timeoutMs: 10_000, everyMs: 50 },
  );
}

test('-p publishes a port on localhost and on the addresses of the host', async () => {
  const name = await webServer('hello', '-p', '80');
  const port = await publishedPort(name);
  assert.equal(await fetched(`127.0.0.1:${port}`), 'hello');
  const gateway = await daemon().ok('inspect', '-f', '{{.NetworkSettings.Networks.bridge.Gateway}}', name);
  assert.equal(await fetched(`${gateway}:${port}`), 'hello');
});

test('containers of the default bridge reach each other by address', async () => {
  const name = await webServer('neighbour');
  const address = await daemon().ok('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', name);
  assert.equal(await fetched(address), 'neighbour');
  assert.equal(await daemon().ok('run', '--rm', BUSYBOX, 'wget', '-qO-', `http://${address}/`), 'neighbour');
});

test('a container reaches a published port of another on an address of the host', async () => {
  const name = await webServer('hairpin', '-p', '80');
  const port = await publishedPort(name);
  const gateway = await daemon().ok('inspect', '-f', '{{.NetworkSettings.Networks.bridge.Gateway}}', name);
  assert.equal(await daemon().ok('run', '--rm', BUSYBOX, 'wget', '-qO-', `http://${gateway}:${port}/`), 'hairpin');
});

test('a port that is taken is refused in words of Docker, and free again afterwards', async () => {
  const name = await webServer('first', '-p', '80');
  const port = await publishedPort(name);
  const refused = await daemon().docker(['run', '--rm', '-p', `${port}:80`, BUSYBOX, 'true']);
  assert.equal(refused.code, 125, refused.output);
  assert.match(refused.stderr, new RegExp(`Bind for 0\\.0\\.0\\.0:${port} failed: port is already allocated`));
  await daemon().ok('rm', '-f', name);
  const second = await webServer('second', '-p', `${port}:80`);
  assert.equal(await publishedPort(second), port);
  assert.equal(await fetched(`127.0.0.1:${port}`), 'second');
});

test('-p 127.0.0.1: publishes on that address only', async () => {
  const name = await webServer('local', '-p', '127.0.0.1::80');
  const port = await publishedPort(name);
  assert.equal(await fetched(`127.0.0.1:${port}`), 'local');
  const gateway = await daemon().ok('inspect', '-f', '{{.NetworkSettings.Networks.bridge.Gateway}}', name);
  const refused = await run(['curl', '-sS', '-m', '1', `http://${gateway}:${port}/`]);
  assert.notEqual(refused.code, 0);
});

test('a container has its name, hosts and resolver files', async () => {
  const out = await daemon().ok(
    'run',
    '--rm',
    '-h',
    'quay',
    '--add-host',
    'there:10.1.2.3',
    '--dns',
    '9.9.9.9',
    BUSYBOX,
    'sh',
    '-c',
    'hostname; cat /etc/hosts /etc/resolv.conf',
  );
  assert.match(out, /^quay\n/);
  assert.match(out, /10\.1\.2\.3\s+there/);
  assert.match(out, /\d+\.\d+\.\d+\.\d+\s+quay/);
  assert.match(out, /nameserver 127\.0\.0\.11\n(?:.*\n)*# .*ExtServers: \[9\.9\.9\.9\]/);
});

test('a published port works on after the daemon was killed and started again', async () => {
  const name = await webServer('survivor', '-p', '80');
  const port = await publishedPort(name);
  await daemon().crash();
  assert.equal(await publishedPort(name), port);
  assert.equal(await fetched(`127.0.0.1:${port}`), 'survivor');
  const refused = await daemon().docker(['run', '--rm', '-p', `${port}:80`, BUSYBOX, 'true']);
  assert.match(refused.stderr, /port is already allocated/);
});
