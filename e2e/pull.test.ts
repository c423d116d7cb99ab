import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { must, type RunResult } from '../scripts/lib/run.ts';
import type { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { type RegistryUnderTest, startDockerRegistry, startWharfRegistry, type Tap, tap } from './lib/registries.ts';
import { daemonForFile, eventually } from './lib/suite.ts';

const daemon = daemonForFile({ prepare });
const registries = new Map<string, RegistryUnderTest>();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-pull-'));
const MIB = 1024 * 1024;
const NOISE = 12 * MIB;

function registry(kind: string): RegistryUnderTest {
  const found = registries.get(kind);
  if (found === undefined) throw new Error(`no registry ${kind}`);
  return found;
}

async function prepare(daemon: Pick<TestDaemon, 'host' | 'ok'>): Promise<void> {
  for (const each of await Promise.all([startDockerRegistry(), startWharfRegistry()])) registries.set(each.kind, each);
  // One small layer, and one that takes its time.
  await loadBusybox(daemon.host, {
    reference: 'noise:1',
    layers: [[{ path: 'noise', content: randomBytes(NOISE) }]],
    config: { Cmd: ['wc', '-c', '/noise'] },
  });
  await daemon.ok('save', '-o', join(scratch, 'box.tar'), BUSYBOX);
  for (const { address } of registries.values()) {
    for (const tag of ['1', '2']) {
      await daemon.ok('tag', 'noise:1', `${address}/noise:${tag}`);
      await daemon.ok('push', '-q', `${address}/noise:${tag}`);
      await daemon.ok('rmi', `${address}/noise:${tag}`);
    }
  }
  await daemon.ok('rmi', 'noise:1');
}
after(async () => {
  for (const each of registries.values()) await each[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true, force: true });
});

const skopeo = (...args: readonly string[]) => must(['skopeo', ...args]);

/** Takes away what other tests have pulled. */
async function forget(): Promise<void> {
  const rows = (await daemon().ok('images', '--no-trunc', '--format', '{{.ID}} {{.Repository}}')).split('\n');
  const ids = new Set(rows.filter((row) => row.endsWith('/noise')).map((row) => row.split(' ')[0] ?? ''));
  if (ids.size > 0) await daemon().ok('rmi', '-f', ...ids);
}

/** Pulls in the background; the connection ends with the process. */
function pulling(name: string): Promise<RunResult> {
  return daemon().docker(['pull', name]);
}

for (const kind of ['docker-registry', 'wharf']) {
  test(`${kind}: pull says what it does, by tag, by digest and all tags`, async () => {
    await forget();
    const name = `${registry(kind).address}/noise`;
    const lines = (await daemon().ok('pull', `${name}:1`)).split('\n');
    assert.equal(lines[0], '1: Pulling from noise');
    const [, digest = ''] = /^Digest: (sha256:[0-9a-f]{64})$/.exec(lines.at(-3) ?? '') ?? [];
    assert.equal(lines.at(-2), `Status: Downloaded newer image for ${name}:1`);
    assert.equal(lines.at(-1), `${name}:1`);
    const said = new Set(lines.slice(1, -3).map((line) => line.replace(/^[0-9a-f]{12}: /, '')));
    for (const each of ['Pulling fs layer', 'Download complete', 'Pull complete']) assert.ok(said.has(each), each);
    assert.deepEqual((await daemon().ok('pull', `${name}:1`)).split('\n'), [
      '1: Pulling from noise',
      `Digest: ${digest}`,
      `Status: Image is up to date for ${name}:1`,
      `${name}:1`,
    ]);
    const all = await daemon().ok('pull', '-a', name);
    assert.match(all, /^2: Pulling from noise$/m);
    assert.match(all, new RegExp(`^Status: Downloaded newer image for ${name}:2$`, 'm'));
    assert.match(all, new RegExp(`^Status: Image is up to date for ${name}:1$`, 'm'));
    await daemon().ok('rmi', `${name}:1`, `${name}:2`);
    const byDigest = await daemon().ok('pull', `${name}@${digest}`);
    assert.equal(byDigest.split('\n')[0], `${name}@${digest}: Pulling from noise`);
    assert.equal(await daemon().ok('run', '--rm', '--network', 'none', `${name}@${digest}`), `${NOISE} /noise`);
    await daemon().ok('rmi', `${name}@${digest}`);
  });

  test(`${kind}: schema 2 and OCI, zstd and gzip, indexes and platforms`, async () => {
    const name = `${registry(kind).address}/formats`;
    const insecure = ['--dest-tls-verify=false', `docker-archive:${join(scratch, 'box.tar')}`];
    const forms = [
      ['v2s2', 'gzip'],
      ['oci', 'gzip'],
      ['oci', 'zstd'],
    ] as const;
    for (const [format, compression] of forms) {
      const tag = `${format}-${compression}`;
      const how = ['--format', format, '--dest-compress-format', compression, '--dest-force-compress-format'];
      // Older ones of skopeo do not know the last flag and need it less.
      const copied = await must(['skopeo', 'copy', ...how, ...insecure, `docker://${name}:${tag}`]).catch(() =>
        skopeo('copy', ...how.slice(0, -1), ...insecure, `docker://${name}:${tag}`),
      );
      assert.ok(copied);
      await daemon().ok('pull', '-q', `${name}:${tag}`);
      assert.equal(await daemon().ok('run', '--rm', '--network', 'none', `${name}:${tag}`, 'echo', tag), tag);
    }
    const manifest = ['manifest', 'create', '--insecure', `${name}:many`, `${name}:v2s2-gzip`];
    await daemon().ok(...manifest);
    await daemon().ok('manifest', 'annotate', `${name}:many`, `${name}:v2s2-gzip`, '--os', 'linux', '--arch', 'arm64');
    await daemon().ok('manifest', 'push', '--insecure', '-p', `${name}:many`);
    const none = await daemon().docker(['pull', '--platform', 'linux/s390x', `${name}:many`]);
    assert.match(
      none.stderr,
      /no matching manifest for linux\/s390x in the manifest list entries: no match for platform in manifest: not found/,
    );
    assert.match(await daemon().ok('pull', '--platform', 'linux/arm64', `${name}:many`), /Downloaded newer image/);
    const shown = JSON.parse(await daemon().ok('manifest', 'inspect', '--insecure', `${name}:many`)) as {
      readonly manifests: readonly { readonly platform: { readonly architecture: string } }[];
    };
    assert.equal(shown.manifests[0]?.platform.architecture, 'arm64');
    await daemon().ok('rmi', ...forms.map((each) => `${name}:${each.join('-')}`), `${name}:many`);
  });

  test(`${kind}: what is there already is not fetched again after a crash of the daemon`, async () => {
    await forget();
    await using way = await tap(registry(kind).port);
    const name = `${way.address}/noise:1`;
    await until(way, 7 * MIB, pulling(name), () => daemon().crash());
    way.reset();
    assert.match(await daemon().ok('pull', name), /Downloaded newer image/);
    assert.ok(way.bytes < NOISE - 2 * MIB, `${way.bytes} bytes came again`);
    assert.equal(await daemon().ok('run', '--rm', '--network', 'none', name), `${NOISE} /noise`);
    await daemon().ok('rmi', name);
  });
}

/** Holds the pull up after so many bytes, does something then, and waits for the pull's end. */
async function until(
  way: Tap,
  bytes: number,
  pull: Promise<RunResult>,
  act: () => Promise<unknown>,
): Promise<RunResult> {
  way.limit = bytes;
  await eventually('the pull is held up', async () => way.bytes >= bytes);
  // What has passed is on its way to the disk.
  await eventually('the bytes are on the disk', async () => partialBytes() > bytes / 2);
  await act();
  return pull;
}

function partialBytes(): number {
  const { readdirSync, statSync } = process.getBuiltinModule('node:fs');
  const root = join((daemon() as unknown as { readonly dataRoot: string }).dataRoot, 'content');
  if (!existsSync(root)) return 0;
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return files
    .filter((each) => !each.parentPath.includes('/blobs'))
    .reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0);
}

test('two pulls at once fetch each layer once, and one that is interrupted leaves its bytes for the next', async () => {
  await forget();
  await using way = await tap(registry('wharf').port);
  const names = [`${way.address}/noise:1`, `${way.address}/noise:2`];
  const results = await Promise.all(names.map((name) => daemon().docker(['pull', name])));
  for (const result of results) assert.equal(result.code, 0, result.output);
  assert.ok(way.bytes < 1.5 * NOISE, `${way.bytes} bytes for two pulls`);
  await daemon().ok('rmi', ...names);
  way.reset(6 * MIB);
  const [name = ''] = names;
  const cut = daemon().docker(['pull', name], { timeoutMs: 1500 });
  await eventually('the pull is held up', async () => way.bytes >= 6 * MIB);
  const open = way.open;
  assert.notEqual((await cut).code, 0);
  // The daemon lets go of the registry when the client has gone.
  await eventually('the busy connection ends', async () => partialBytes() > 3 * MIB && way.open < open);
  way.reset();
  await daemon().ok('pull', '-q', name);
  assert.ok(way.bytes < NOISE - 2 * MIB, `${way.bytes} bytes came again`);
  await daemon().ok('rmi', name);
});

test('what cannot be pulled is told in Docker’s words', async () => {
  const { address } = registry('docker-registry');
  const told = async (...args: readonly string[]): Promise<string> => {
    const result = await daemon().docker(['pull', ...args]);
    assert.equal(result.code, 1, result.output);
    return result.stderr.trim();
  };
  const prefix = 'Error response from daemon:';
  const missing = `${address}/none/such:1`;
  assert.equal(await told(missing), `${prefix} failed to resolve reference "${missing}": ${missing}: not found`);
  assert.equal(
    await told('-a', `${address}/none/such`),
    `${prefix} repository ${address}/none/such not found: name unknown: repository name not known to registry`,
  );
  const digest = `${address}/noise@sha256:${'0'.repeat(64)}`;
  assert.equal(await told(digest), `${prefix} failed to resolve reference "${digest}": ${digest}: not found`);
  assert.match(
    await told('localhost:1/box:1'),
    /failed to resolve reference "localhost:1\/box:1": failed to do request: Head "https?:\/\/localhost:1\/v2\/box\/manifests\/1": dial tcp .*: connect: connection refused$/,
  );
  assert.match(await told('nowhere.invalid/box:1'), /dial tcp: lookup nowhere\.invalid.*: no such host$/);
  assert.equal(await told('scratch'), `${prefix} 'scratch' is a reserved name`);
  assert.match(await told(`${address}/UPPER`), /invalid reference format|must be lowercase/);
});

test('an image of Windows is carried along, its foreign layers from where they lie, and is not run', async () => {
  const { address, port } = registry('wharf');
  const base = `http://127.0.0.1:${port}/v2/windows`;
  const put = async (bytes: Buffer): Promise<string> => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const answer = await fetch(`${base}/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      body: new Uint8Array(bytes),
    });
    assert.equal(answer.status, 201);
    return digest;
  };
  const layer = randomBytes(100_000);
  const layerDigest = await put(layer);
  const rootfs = { type: 'layers', diff_ids: [layerDigest] };
  const config = Buffer.from(
    JSON.stringify({ os: 'windows', architecture: 'amd64', config: { Cmd: ['cmd'] }, rootfs }),
  );
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = {
    schemaVersion: 2,
    mediaType: type,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: config.length,
      digest: await put(config),
    },
    layers: [
      {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        size: layer.length,
        digest: layerDigest,
        urls: [`${base}/blobs/${layerDigest}`],
      },
    ],
  };
  const headers = { 'content-type': type };
  const made = await fetch(`${base}/manifests/1`, { method: 'PUT', headers, body: JSON.stringify(manifest) });
  assert.equal(made.status, 201);
  const name = `${address}/windows:1`;
  await daemon().ok('pull', '--platform', 'windows/amd64', name);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Os}}', name), 'windows');
  const run = await daemon().docker(['run', '--rm', name]);
  assert.equal(run.code, 125);
  assert.match(
    run.stderr,
    /image operating system "windows" cannot be used on this platform: operating system is not supported/,
  );
  await daemon().ok('tag', name, `${address}/elsewhere:1`);
  assert.match(await daemon().ok('push', `${address}/elsewhere:1`), /^[0-9a-f]{12}: Skipped foreign layer$/m);
  await daemon().ok('rmi', name, `${address}/elsewhere:1`);
});
