import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../scripts/lib/delay.ts';
import { ROOT } from '../scripts/lib/root.ts';
import { run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { TestRegistry } from './lib/registry.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();
const home = mkdtempSync(join(tmpdir(), 'wharf-access-'));
let registry: TestRegistry;
/** What `hub/` of the registry is a cache of. */
let upstream: TestRegistry;

/** An administrator's command; its answer. */
function admin<T = Record<string, unknown>>(line: string, password?: string): T {
  const args = ['registry', ...line.split(' '), '--root', registry.root, '--json'];
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'bin/wharf'), args, {
    input: password ?? '',
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${line}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

before(async () => {
  upstream = await TestRegistry.start();
  const proxies = [{ prefix: 'hub', upstream: upstream.name, tagTtlSeconds: 0 }];
  registry = await TestRegistry.start({ settings: { proxies } });
  admin('users add boss --admin --password-stdin', 'the boss is here');
  admin('users add ann --password-stdin', 'ann was here');
  admin('users add bob --password-stdin', 'bob was here');
  admin('namespaces add team');
  admin('namespaces member team ann writer');
  admin('namespaces add open --anonymous-pull');
  admin('namespaces member open ann writer');
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const docker = (...args: readonly string[]) => daemon().docker(args, { env: { DOCKER_CONFIG: home } });

async function ok(...args: readonly string[]): Promise<string> {
  const result = await docker(...args);
  assert.equal(result.code, 0, result.output);
  return result.output;
}

async function login(name: string, password: string): Promise<void> {
  const said = await daemon().docker(['login', registry.name, '-u', name, '--password-stdin'], {
    env: { DOCKER_CONFIG: home },
    input: password,
  });
  assert.equal(said.code, 0, said.output);
}

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

async function bearer(scope: string, headers: Record<string, string> = {}): Promise<Record<string, string>> {
  const answer = await fetch(`${registry.url}/token?service=wharf-registry&scope=${encodeURIComponent(scope)}`, {
    headers,
  });
  const { token } = (await answer.json()) as { readonly token: string };
  return { authorization: `Bearer ${token}` };
}

/** Uploads a blob in one request; the status, and what an error says. */
async function upload(repository: string, bytes: Buffer, headers: Record<string, string>, to = registry) {
  const begun = await fetch(`${to.url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
  if (begun.status !== 202) return { status: begun.status, text: await begun.text(), digest: '' };
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const place = new URL(begun.headers.get('location') ?? '', to.url);
  place.searchParams.set('digest', digest);
  const done = await fetch(place, { method: 'PUT', headers, body: new Uint8Array(bytes) });
  return { status: done.status, text: await done.text(), digest };
}

test('docker login, push and pull go by accounts, roles and anonymous pull', async () => {
  const [own, open] = [`${registry.name}/team/box:1`, `${registry.name}/open/box:1`];
  await ok('tag', BUSYBOX, own);
  await ok('tag', BUSYBOX, open);
  assert.match((await docker('push', own)).output, /denied|unauthorized|authentication required/);
  const wrong = await daemon().docker(['login', registry.name, '-u', 'ann', '-p', 'wrong'], {
    env: { DOCKER_CONFIG: home },
  });
  assert.match(wrong.output, /unauthorized: incorrect username or password/);
  await login('ann', 'ann was here');
  await ok('push', own);
  await ok('push', open);
  await ok('rmi', own, open);
  await ok('pull', own);
  assert.match((await docker('push', `${registry.name}/other/box:1`)).output, /does not exist|denied/);
  await ok('logout', registry.name);
  await ok('rmi', own);
  assert.match((await docker('pull', own)).output, /denied|unauthorized|authentication required/);
  await ok('pull', open);
  await ok('rmi', open);
  const { token } = admin<{ token: string }>('tokens create ann --rights pull --expires 1h');
  await login('ann', token);
  await ok('pull', own);
  assert.match((await docker('push', own)).output, /denied/);
  await ok('logout', registry.name);
});

test('skopeo works with a robot, which is kept to its repositories', async () => {
  const { name, secret } = admin<{ name: string; secret: string }>(
    'robots create team ci --rights pull --repository team/box',
  );
  const inspect = (repository: string) =>
    run([
      'skopeo',
      'inspect',
      '--tls-verify=false',
      '--creds',
      `${name}:${secret}`,
      `docker://${registry.name}/${repository}`,
    ]);
  assert.equal((await inspect('team/box:1')).code, 0);
  assert.notEqual((await inspect('team/other:1')).code, 0);
  admin(`robots remove ${name}`);
  assert.notEqual((await inspect('team/box:1')).code, 0);
});

test('catalog, tags and mounts show only what the caller may see', async () => {
  const catalog = async (headers: Record<string, string>) => {
    const answer = await fetch(`${registry.url}/v2/_catalog`, { headers });
    return answer.status === 200 ? ((await answer.json()) as { repositories: string[] }).repositories : answer.status;
  };
  assert.equal(await catalog({}), 401);
  assert.deepEqual(await catalog(await bearer('registry:catalog:*')), ['open/box']);
  assert.deepEqual(await catalog(basic('ann', 'ann was here')), ['open/box', 'team/box']);
  assert.deepEqual(await catalog(await bearer('registry:catalog:*', basic('bob', 'bob was here'))), ['open/box']);
  const bob = basic('bob', 'bob was here');
  assert.equal((await fetch(`${registry.url}/v2/team/box/tags/list`, { headers: bob })).status, 403);
  assert.equal((await fetch(`${registry.url}/v2/team/none/tags/list`, { headers: bob })).status, 403);
  // A token for one repository is none for another, and a blob is not mounted from where it may not be read.
  const ann = basic('ann', 'ann was here');
  const secretBlob = await upload('team/box', randomBytes(2000), ann);
  assert.equal(secretBlob.status, 201);
  admin('namespaces add theirs');
  admin('namespaces member theirs bob writer');
  const mounted = await fetch(`${registry.url}/v2/theirs/x/blobs/uploads/?mount=${secretBlob.digest}&from=team/box`, {
    method: 'POST',
    headers: bob,
  });
  assert.equal(mounted.status, 202);
  const replayed = await bearer('repository:theirs/x:pull,push', bob);
  assert.equal(
    (await fetch(`${registry.url}/v2/open/box/blobs/uploads/`, { method: 'POST', headers: replayed })).status,
    403,
  );
});

test('the OAuth2 form gives refresh tokens, which end with the password', async () => {
  const ask = async (fields: Record<string, string>) => {
    const answer = await fetch(`${registry.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ service: 'wharf-registry', client_id: 'test', ...fields }),
    });
    return { status: answer.status, ...((await answer.json()) as { access_token?: string; refresh_token?: string }) };
  };
  const first = await ask({
    grant_type: 'password',
    username: 'bob',
    password: 'bob was here',
    access_type: 'offline',
    scope: 'repository:theirs/x:push,pull',
  });
  assert.equal(first.status, 200);
  const refresh = {
    grant_type: 'refresh_token',
    refresh_token: first.refresh_token ?? '',
    scope: 'repository:theirs/x:pull',
  };
  const second = await ask(refresh);
  assert.equal(
    (await fetch(`${registry.url}/v2/`, { headers: { authorization: `Bearer ${second.access_token}` } })).status,
    200,
  );
  admin('users password bob --password-stdin', 'bob is elsewhere');
  assert.equal((await ask(refresh)).status, 401);
});

test('a full namespace refuses a push with words that docker shows, and parallel pushes never pass its quota', async () => {
  const name = `${registry.name}/team/full:1`;
  await login('ann', 'ann was here');
  admin('quota team --bytes 1');
  // What the namespace has already costs nothing, so it takes something new.
  const { stdout } = await daemon().docker(['create', BUSYBOX, 'true']);
  await ok('commit', stdout.trim(), name);
  await ok('rm', stdout.trim());
  assert.match((await docker('push', name)).output, /denied: the quota of "team" is exceeded/);
  const { usedBytes } = admin<{ usedBytes: number }>('quota team --unlimited');
  admin(`quota team --bytes ${usedBytes + 250_000}`);
  const ann = basic('ann', 'ann was here');
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, each) => upload(`team/p${each}`, randomBytes(100_000), ann)),
  );
  const stored = all.filter(({ status }) => status === 201).length;
  assert.ok(stored >= 1 && stored <= 2, `${stored} of 12 were taken`);
  assert.ok(all.every(({ status, text }) => status === 201 || (status === 403 && text.includes('quota'))));
  const after = admin<{ usedBytes: number; quotaBytes: number }>('quota team --unlimited');
  assert.equal(after.usedBytes, usedBytes + stored * 100_000);
  await ok('rmi', name);
});

test('tags that are set once stay, and docker says why', async () => {
  const [one, other] = [`${registry.name}/team/box:v1`, `${registry.name}/team/box:v2`];
  const { stdout } = await daemon().docker(['create', BUSYBOX, 'true']);
  await ok('commit', stdout.trim(), one);
  await ok('push', one);
  await ok('commit', '-m', 'another', stdout.trim(), one);
  admin('locks immutable team team/** v*');
  assert.match((await docker('push', one)).output, /denied: the tag "v1" of "team\/box" is immutable/);
  await ok('tag', one, other);
  await ok('push', other);
  admin('locks immutable team team/** v* --remove');
  admin('locks set team/box:v1 --write');
  assert.match((await docker('push', one)).output, /denied: "team\/box:v1" is locked/);
  await ok('rm', stdout.trim());
  await ok('rmi', one, other);
});

/** An image of one layer, upstream; the layer's and its manifest's digest. */
async function pushUpstream(tag: string) {
  const [config, layer] = [Buffer.from('{}'), randomBytes(50_000)];
  const descriptors = [];
  for (const bytes of [config, layer]) {
    const { digest } = await upload('app', bytes, {}, upstream);
    descriptors.push({ mediaType: 'application/octet-stream', digest, size: bytes.length });
  }
  const [first, ...layers] = descriptors;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config: first, layers });
  const put = await fetch(`${upstream.url}/v2/app/manifests/${tag}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': mediaType },
  });
  assert.equal(put.status, 201);
  return { layer: layers[0]?.digest ?? '', manifest: put.headers.get('docker-content-digest') };
}

test('a prefix is a cache of an upstream: it follows its tags, and serves what it has while the upstream is down', async () => {
  admin('namespaces add hub --anonymous-pull');
  const get = (path: string) => fetch(`${registry.url}/v2/hub/app/${path}`);
  const one = await pushUpstream('latest');
  const first = await get('manifests/latest');
  assert.equal(first.headers.get('docker-content-digest'), one.manifest);
  const blobs = await Promise.all([1, 2, 3].map(async () => (await get(`blobs/${one.layer}`)).arrayBuffer()));
  for (const each of blobs)
    assert.equal(`sha256:${createHash('sha256').update(Buffer.from(each)).digest('hex')}`, one.layer);
  assert.equal((await get(`blobs/sha256:${'0'.repeat(64)}`)).status, 404);
  assert.equal((await get('manifests/none')).status, 404);
  const two = await pushUpstream('latest');
  assert.equal((await get('manifests/latest')).headers.get('docker-content-digest'), two.manifest);
  await upstream.stop();
  assert.equal((await get('manifests/latest')).headers.get('docker-content-digest'), two.manifest);
  assert.equal((await get(`blobs/${one.layer}`)).status, 200);
  assert.equal((await get(`blobs/${two.layer}`)).status, 404);
  const boss = basic('boss', 'the boss is here');
  const refused = await upload('hub/app', randomBytes(10), boss);
  assert.match(refused.text, /is a cache of/);
});

test('the audit log says who did what; the commands work on a stopped registry too', async () => {
  const lines = () =>
    readFileSync(join(registry.root, 'audit.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  await until(
    'the log has it',
    () =>
      lines().some(
        ({ deed, user, path }) => deed === 'push' && user === 'ann' && path === '/v2/team/box/manifests/1',
      ) || undefined,
  );
  assert.ok(lines().some(({ deed, user }) => deed === 'pull' && user === 'team+ci'));
  assert.ok(lines().some(({ deed, operation }) => deed === 'admin' && operation === 'users add'));
  assert.ok(!JSON.stringify(lines()).includes('was here'));
  await registry.stop();
  const users = admin<{ name: string }[]>('users list');
  assert.deepEqual(
    users.map(({ name }) => name),
    ['ann', 'bob', 'boss'],
  );
  admin('users remove bob');
  await registry.start();
  assert.equal(admin<unknown[]>('users list').length, 2);
});

test('a deleted image comes back whole, also after a collection; without the trash it is gone', async () => {
  const boss = basic('boss', 'the boss is here');
  const inspect = () =>
    run([
      'skopeo',
      'copy',
      '--src-tls-verify=false',
      '--src-creds',
      'boss:the boss is here',
      `docker://${registry.name}/team/box:1`,
      `dir:${join(home, 'copy')}`,
    ]);
  const remove = async () => {
    const head = await fetch(`${registry.url}/v2/team/box/manifests/1`, {
      method: 'HEAD',
      headers: { ...boss, accept: '*/*' },
    });
    const digest = head.headers.get('docker-content-digest') ?? '';
    const gone = await fetch(`${registry.url}/v2/team/box/manifests/${digest}`, { method: 'DELETE', headers: boss });
    assert.equal(gone.status, 202, await gone.text());
    return `team/box@${digest}`;
  };
  const collect = async () => {
    await registry.stop();
    admin('gc');
    await registry.start();
  };
  admin('trash keep team --for 1d');
  const key = await remove();
  assert.notEqual((await inspect()).code, 0);
  await collect();
  assert.deepEqual(admin<{ tags: string[] }>(`trash restore ${key}`).tags, ['1']);
  assert.equal((await inspect()).code, 0);
  await remove();
  admin('trash purge team');
  await collect();
  assert.deepEqual(admin<unknown[]>('trash list'), []);
  assert.notEqual((await inspect()).code, 0);
});
