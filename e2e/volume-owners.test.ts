import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HttpClient } from '@wharf/wire/http/client';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-owners-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A directory with a file, both of the user with that id. */
function owned(name: string, id: number): string {
  const path = join(scratch, name);
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'x');
  for (const each of [path, join(path, 'file')]) chownSync(each, id, id + 1);
  return path;
}

/** Runs a container made by the API, which knows of mappings the CLI has no option for; its output comes without frames. */
async function runMapped(config: Readonly<Record<string, unknown>>): Promise<{ status: number; output: string }> {
  const client = new HttpClient(daemon().host);
  const name = uniqueName();
  const body = { Image: BUSYBOX, Tty: true, ...config };
  const made = await client.request({ method: 'POST', path: `/containers/create?name=${name}`, body });
  if (made.status !== 201) return { status: made.status, output: made.text };
  const started = await client.request({ method: 'POST', path: `/containers/${name}/start` });
  if (started.status !== 204) return { status: started.status, output: started.text };
  await client.request({ method: 'POST', path: `/containers/${name}/wait` });
  const output = (await daemon().ok('logs', name)).replaceAll('\r', '');
  await daemon().ok('rm', name);
  return { status: 200, output };
}

const look = ['sh', '-c', 'stat -c "%u:%g %n" /m /m/file; echo y > /m/new; stat -c %u /m/new'];

test("a bind with an id mapping shows its owner's files as the container user's, and writes as the owner", async () => {
  const path = owned('bind', 1500);
  const mount = { Type: 'bind', Source: path, Target: '/m', BindOptions: { IDMapping: { Source: 'match-user' } } };
  const { output } = await runMapped({ User: '33:44', Cmd: look, HostConfig: { Mounts: [mount] } });
  assert.deepEqual(output.split('\n'), ['33:44 /m', '33:44 /m/file', '33']);
  const made = statSync(join(path, 'new'));
  assert.deepEqual([made.uid, made.gid], [1500, 1501]);
});

test('the mapping names another user of the container, by the name in its image', async () => {
  const path = owned('named', 1600);
  writeFileSync(join(path, 'of-root'), '');
  const IDMapping = { Source: 'match-user', User: 'nobody' };
  const { output } = await runMapped({
    Cmd: ['sh', '-c', 'stat -c %U /m/file /m/of-root'],
    HostConfig: { Mounts: [{ Type: 'bind', Source: path, Target: '/m', BindOptions: { IDMapping } }] },
  });
  // What belongs to others stays theirs.
  assert.deepEqual(output.split('\n'), ['nobody', 'root']);
});

test('-v takes the word idmap, for volumes and for single files as well', async () => {
  const path = owned('word', 1700);
  const run = (...args: string[]) => daemon().ok('run', '--rm', '-u', '21:22', ...args);
  assert.equal(await run('-v', `${path}:/m:idmap`, BUSYBOX, 'stat', '-c', '%u:%g', '/m/file'), '21:22');
  assert.equal(await run('-v', `${path}/file:/f:ro,idmap`, BUSYBOX, 'stat', '-c', '%u:%g', '/f'), '21:22');
  await daemon().ok('run', '--rm', '-v', 'mapped:/m', BUSYBOX, 'chown', '5:6', '/m');
  assert.equal(await run('-v', 'mapped:/m:idmap', BUSYBOX, 'sh', '-c', 'echo > /m/x; stat -c %u:%g /m'), '21:22');
  assert.equal(await daemon().ok('run', '--rm', '-v', 'mapped:/m', BUSYBOX, 'stat', '-c', '%u', '/m/x'), '5');
  await daemon().ok('volume', 'rm', 'mapped');
});

test('docker cp sees the same owners', async () => {
  const path = owned('copied', 1800);
  const name = uniqueName();
  await daemon().ok('create', '--name', name, '-u', '70', '-v', `${path}:/m:idmap`, BUSYBOX, 'true');
  await daemon().ok('cp', join(path, 'file'), `${name}:/m/again`);
  assert.equal(statSync(join(path, 'again')).size, 1);
  await daemon().ok('rm', name);
});

test('what cannot be mapped is refused in words', async () => {
  const bind = (IDMapping: unknown) => ({
    Cmd: ['true'],
    HostConfig: { Mounts: [{ Type: 'bind', Source: scratch, Target: '/m', BindOptions: { IDMapping } }] },
  });
  const refused = async (mapping: unknown) => (await runMapped(bind(mapping))).output;
  assert.match(await refused({ Source: 'nonsense' }), /invalid ID mapping source: nonsense/);
  assert.match(await refused({ Source: 'userns', User: 'x' }), /must have the source/);
  assert.match(await refused({ Source: 'userns' }), /user namespace of its own/);
  const proc = {
    Type: 'bind',
    Source: '/proc/sys',
    Target: '/m',
    BindOptions: { IDMapping: { Source: 'match-user' } },
  };
  const { output } = await runMapped({ User: '9', Cmd: ['true'], HostConfig: { Mounts: [proc] } });
  assert.match(output, /Cannot map the owners of files in .*does not support/);
});

test('a container with a user namespace of its own has both mappings', async () => {
  const path = owned('twice', 1900);
  const HostConfig = {
    SecurityOpt: ['userns=auto'],
    Mounts: [{ Type: 'bind', Source: path, Target: '/m', BindOptions: { IDMapping: { Source: 'match-user' } } }],
  };
  const { output } = await runMapped({ User: '33:44', Cmd: look, HostConfig });
  assert.deepEqual(output.split('\n'), ['33:44 /m', '33:44 /m/file', '33']);
  assert.equal(statSync(join(path, 'new')).uid, 1900);
  // Without a mapping of its own the mount has that of the namespace: an owner on disk is the same number inside.
  const plain = { Type: 'bind', Source: path, Target: '/m', BindOptions: { IDMapping: { Source: 'userns' } } };
  const seen = await runMapped({
    Cmd: ['stat', '-c', '%u', '/m/file'],
    HostConfig: { ...HostConfig, Mounts: [plain] },
  });
  assert.equal(seen.output, '1900');
});
