import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must, run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { type RegistryUnderTest, startDockerRegistry, startWharfRegistry } from './lib/registries.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const registries = new Map<string, RegistryUnderTest>();
const registry = (kind: string): RegistryUnderTest => {
  const found = registries.get(kind);
  if (found === undefined) throw new Error(`no registry ${kind}`);
  return found;
};
const scratch = mkdtempSync(join(tmpdir(), 'wharf-push-'));

before(async () => {
  for (const each of await Promise.all([startDockerRegistry(), startWharfRegistry()])) registries.set(each.kind, each);
});
after(async () => {
  for (const each of registries.values()) await each[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

/** The classic builder, as `docker build` without BuildKit asks for it. */
async function build(host: TestDaemon | ReturnType<typeof daemon>, name: string, lines: readonly string[]) {
  writeFileSync(join(scratch, 'Dockerfile'), `${lines.join('\n')}\n`);
  const built = await host.docker(['build', '-q', '-t', name, scratch], { env: { DOCKER_BUILDKIT: '0' } });
  assert.equal(built.code, 0, built.output);
  return built.stdout.trim();
}

for (const kind of ['docker-registry', 'wharf']) {
  test(`${kind}: push says what it does, sends nothing twice and mounts across repositories`, async () => {
    const { address } = registry(kind);
    const [one, other] = [`${address}/first/box:1`, `${address}/second/box:1`];
    await daemon().ok('tag', BUSYBOX, one);
    const pushed = (await daemon().ok('push', one)).split('\n');
    assert.equal(pushed[0], `The push refers to repository [${address}/first/box]`);
    assert.ok(
      pushed.some((line) => /^[0-9a-f]{12}: Pushed$/.test(line)),
      pushed.join('\n'),
    );
    assert.match(pushed.at(-1) ?? '', /^1: digest: sha256:[0-9a-f]{64} size: \d+$/);
    const again = await daemon().ok('push', one);
    assert.match(again, /: Layer already exists$/m);
    assert.equal(again.split('\n').at(-1), pushed.at(-1));
    await daemon().ok('tag', BUSYBOX, other);
    assert.match(await daemon().ok('push', other), /: Mounted from first\/box$/m);
    await daemon().ok('tag', BUSYBOX, `${address}/first/box:2`);
    assert.equal((await daemon().ok('push', '-a', `${address}/first/box`)).match(/: digest: /g)?.length, 2);
    const tags = JSON.parse(
      await must(['skopeo', 'list-tags', '--tls-verify=false', `docker://${address}/first/box`]),
    ) as { readonly Tags: readonly string[] };
    assert.deepEqual(tags.Tags.toSorted(), ['1', '2']);
    assert.equal(await daemon().ok('push', '-q', one), one);
  });

  test(`${kind}: an image of the builder travels: pushed compressed, and known by the digest the registry has`, async () => {
    const name = `${registry(kind).address}/built/app:1`;
    const id = await build(daemon(), name, [
      `FROM ${BUSYBOX}`,
      'RUN dd if=/dev/zero of=/zeros bs=1M count=4 2>/dev/null && echo from the builder > /word',
      'CMD ["cat", "/word"]',
    ]);
    const pushed = await daemon().ok('push', name);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? '';
    const repoDigest = `${registry(kind).address}/built/app@${digest}`;
    assert.equal(await daemon().ok('inspect', '-f', '{{join .RepoDigests ","}}', name), repoDigest);
    assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', name), id, 'the id stays');
    const raw = JSON.parse(
      await must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${repoDigest}`]),
    ) as {
      readonly layers: readonly { readonly mediaType: string; readonly size: number }[];
    };
    assert.match(raw.layers.at(-1)?.mediaType ?? '', /\+gzip$/);
    assert.ok((raw.layers.at(-1)?.size ?? 0) < 100_000, JSON.stringify(raw.layers));
    assert.match(await daemon().ok('pull', name), /Status: Image is up to date/);
    assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', name), id);
    assert.equal(await daemon().ok('run', '--rm', repoDigest), 'from the builder');
    assert.match(await daemon().ok('push', name), /Layer already exists/);
    // As a blob for an archive it stays what the builder made, and another engine runs what was pushed.
    const saved = await daemon().docker(['save', '-o', join(scratch, 'app.tar'), name]);
    assert.equal(saved.code, 0, saved.output);
    await using elsewhere = await TestDaemon.start();
    assert.match(await elsewhere.ok('pull', name), /Status: Downloaded newer image/);
    assert.equal(await elsewhere.ok('run', '--rm', '--network', 'none', name), 'from the builder');
    assert.equal(await elsewhere.ok('inspect', '-f', '{{.Id}}', name), digest);
    await elsewhere.ok('rmi', name);
    await elsewhere.ok('load', '-i', join(scratch, 'app.tar'));
    assert.equal(await elsewhere.ok('run', '--rm', '--network', 'none', name), 'from the builder');
    assert.match(await daemon().ok('rmi', repoDigest), /Untagged: .*app:1/);
    assert.notEqual((await daemon().docker(['inspect', name])).code, 0);
  });

  test(`${kind}: a committed image and one of many layers arrive whole`, async () => {
    const name = `${registry(kind).address}/committed:1`;
    const container = uniqueName();
    await daemon().ok(
      'run',
      '--name',
      container,
      '--network',
      'none',
      BUSYBOX,
      'sh',
      '-c',
      'echo committed > /word; rm /etc/group',
    );
    await daemon().ok('commit', '-c', 'CMD cat /word', container, name);
    await daemon().ok('push', name);
    await daemon().ok('rm', container);
    await daemon().ok('rmi', name);
    assert.equal(await daemon().ok('run', '--rm', '--network', 'none', '--pull', 'always', '-q', name), 'committed');
    assert.equal(
      (await daemon().docker(['run', '--rm', '--network', 'none', name, 'ls', '/etc/group'])).code,
      1,
      'a whiteout is kept',
    );
  });
}

test('what cannot be pushed is told in Docker’s words', async () => {
  const { address } = registry('docker-registry');
  const missing = await daemon().docker(['push', `${address}/none/such:1`]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, new RegExp(`tag does not exist: ${address}/none/such:1`));
  const none = await daemon().docker(['push', '-a', `${address}/none/such`]);
  assert.match(none.stderr, new RegExp(`An image does not exist locally with the tag: ${address}/none/such`));
  await daemon().ok('tag', BUSYBOX, 'localhost:1/box:1');
  const refused = await daemon().docker(['push', 'localhost:1/box:1']);
  assert.match(
    refused.stderr,
    /failed to do request: Head "https?:\/\/localhost:1\/v2\/box\/blobs\/sha256:\w+": dial tcp .*connect: connection refused/,
  );
});

test('docker-py pushes, streaming what the CLI shows', async () => {
  const { address } = registry('wharf');
  const script = `
import docker
client = docker.from_env(version='auto')
image = client.images.get('${BUSYBOX}')
assert image.tag('${address}/py/box', tag='1')
lines = list(client.api.push('${address}/py/box', tag='1', stream=True, decode=True))
assert lines[0]['status'].startswith('The push refers to repository'), lines[0]
assert not any('error' in l for l in lines), lines
client.images.remove('${address}/py/box:1')
pulled = client.images.pull('${address}/py/box', tag='1')
assert pulled.tags == ['${address}/py/box:1'] or '${address}/py/box:1' in pulled.tags, pulled.tags
data = client.images.get_registry_data('${address}/py/box:1')
assert any(each.endswith(data.id) for each in pulled.attrs['RepoDigests']), (data.id, pulled.attrs)
assert data.has_platform('linux'), data.attrs
try:
    client.images.pull('${address}/py/none', tag='1')
    raise AssertionError('no error')
except docker.errors.NotFound as e:
    assert 'not found' in str(e)
print('ok')
`;
  const env = clientEnvironment(daemon().host);
  const result = await run(['/usr/bin/python3', '-c', script], { env, timeoutMs: 60_000 });
  assert.equal(result.stdout.trim(), 'ok', result.output);
});
