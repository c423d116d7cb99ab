import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-networks-e2e-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function sleeper(...options: readonly string[]): Promise<string> {
  const name = uniqueName('net');
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

const inspected = (name: string, format: string) => daemon().ok('inspect', '-f', format, name);
const addressIn = (name: string, network: string) =>
  inspected(name, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`);
const ping = (from: string, to: string) => daemon().ok('exec', from, 'ping', '-c1', '-W2', to);

test('docker network create, connect, inspect, disconnect and rm', async () => {
  const network = uniqueName('mine');
  await daemon().ok('network', 'create', '--label', 'who=me', '--subnet', '10.211.7.0/24', network);
  const one = await sleeper('--network', network, '--network-alias', 'first');
  const two = await sleeper();
  await daemon().ok('network', 'connect', '--ip', '10.211.7.77', '--alias', 'second', network, two);
  assert.equal(await addressIn(two, network), '10.211.7.77');
  assert.match(await ping(two, 'first'), /10\.211\.7\.2/);
  assert.match(await ping(one, 'second'), /10\.211\.7\.77/);
  assert.match(await ping(one, two), /10\.211\.7\.77/);
  const names = await daemon().ok('network', 'inspect', '-f', '{{range .Containers}}{{.Name}} {{end}}', network);
  assert.deepEqual(names.trim().split(' ').sort(), [one, two].sort());
  const refused = await daemon().docker(['network', 'rm', network]);
  assert.match(refused.stderr, new RegExp(`network ${network} has active endpoints \\(`));
  await daemon().ok('network', 'disconnect', network, two);
  const again = await daemon().docker(['network', 'disconnect', network, two]);
  assert.match(again.stderr, /is not connected to network/);
  assert.equal(await daemon().ok('exec', two, 'ls', '/sys/class/net'), 'eth0\nlo');
  await daemon().ok('rm', '-f', one, two);
  assert.match(await daemon().ok('network', 'prune', '-f', '--filter', 'label=who=me'), new RegExp(network));
});

test('docker create waits for no network, docker start needs it', async () => {
  const name = uniqueName('early');
  const network = uniqueName('late');
  await daemon().ok('create', '--name', name, '--network', network, BUSYBOX, 'true');
  const refused = await daemon().docker(['start', name]);
  assert.match(refused.stderr, new RegExp(`failed to set up container networking: network ${network} not found`));
  await daemon().ok('network', 'create', network);
  await daemon().ok('start', '-a', name);
  await daemon().ok('rm', name);
  await daemon().ok('network', 'rm', network);
});

test('--link gives a name, an address and variables', async () => {
  const db = await sleeper('--expose', '5432', '-e', 'SECRET=no');
  const web = await sleeper('--link', `${db}:store`);
  const address = await addressIn(db, 'bridge');
  assert.match(await ping(web, 'store'), new RegExp(address.replaceAll('.', '\\.')));
  const variables = await daemon().ok('exec', web, 'env');
  assert.match(variables, new RegExp(`^STORE_PORT_5432_TCP_ADDR=${address}$`, 'm'));
  assert.match(variables, new RegExp(`^STORE_NAME=/${web}/store$`, 'm'));
  assert.match(variables, /^STORE_ENV_SECRET=no$/m);
  assert.equal(await inspected(web, '{{json .HostConfig.Links}}'), `["/${db}:/${web}/store"]`);
  assert.equal(await inspected(`${web}/store`, '{{.Name}}'), `/${db}`);
  await daemon().ok('rename', web, `${web}-b`);
  assert.match(await daemon().ok('ps', '--no-trunc', '--format', '{{.Names}}'), new RegExp(`${db},${web}-b/store`));
  await daemon().ok('rm', '--link', `${web}-b/store`);
  assert.doesNotMatch(await daemon().ok('exec', `${web}-b`, 'cat', '/etc/hosts'), /store/);
  const nobody = await daemon().docker(['run', '--rm', '--link', 'nobody:x', BUSYBOX, 'true']);
  assert.match(nobody.stderr, /could not get container for nobody: No such container: nobody/);
  await daemon().ok('rm', '-f', db, `${web}-b`);
});

test('a published port is free as soon as its container has died, and bound again after a crash of the daemon', async () => {
  const one = await sleeper('-p', '80');
  const port = /:(\d+)$/m.exec(await daemon().ok('port', one, '80'))?.[1] ?? '';
  await daemon().ok('kill', one);
  const two = await sleeper('-p', `${port}:80`);
  await daemon().crash();
  const refused = await daemon().docker(['run', '--rm', '-p', `${port}:80`, BUSYBOX, 'true']);
  assert.match(refused.stderr, /port is already allocated/);
  await daemon().ok('rm', '-f', two);
  await daemon().ok('run', '--rm', '-p', `${port}:80`, BUSYBOX, 'true');
  await daemon().ok('rm', one);
});

test('docker-compose 1.29 brings services up on a network of their own, which know each other by name', async () => {
  const folder = join(scratch, 'shop');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'docker-compose.yml'),
    `version: "3.8"
services:
  web:
    image: ${BUSYBOX}
    command: sh -c "mkdir /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www"
    ports: ["127.0.0.1::80"]
  client:
    image: ${BUSYBOX}
    depends_on: [web]
    command: sh -c "until wget -qO- http://web/; do sleep 0.1; done; sleep 1000"
`,
  );
  const compose = async (...args: readonly string[]) => {
    const env = clientEnvironment(daemon().host);
    const result = await run(['docker-compose', ...args], { cwd: folder, env, timeoutMs: 90_000 });
    assert.equal(result.code, 0, `docker-compose ${args.join(' ')}: ${result.output}`);
    return result.output;
  };
  assert.match(await compose('up', '-d'), /Creating network "shop_default"/);
  // To a client this old, IPv6 is what has to be asked for, and it compares.
  assert.equal(await daemon().ok('network', 'inspect', '-f', '{{.EnableIPv6}}', 'shop_default'), 'false');
  assert.match(await compose('up', '-d'), /shop_web_1 is up-to-date/);
  assert.match(await compose('ps'), /shop_web_1.*Up.*127\.0\.0\.1:\d+->80\/tcp/);
  await eventually('the client has heard of the web', async () =>
    /client_1.*hello/.test(await compose('logs', '--no-color', 'client')),
  );
  const published = (await compose('port', 'web', '80')).trim();
  const fetched = await run(['curl', '-sS', '-m', '5', `http://${published}/`]);
  assert.equal(fetched.stdout, 'hello\n', fetched.output);
  await compose('up', '-d', '--scale', 'web=2', '-t', '0');
  const lookup = await daemon().ok('exec', 'shop_client_1', 'nslookup', 'web');
  assert.equal(lookup.match(/^Address: 1\d+\./gm)?.length, 2, lookup);
  await compose('down', '-t', '0');
  assert.equal(await daemon().ok('network', 'ls', '-q', '--filter', 'name=shop'), '');
});
