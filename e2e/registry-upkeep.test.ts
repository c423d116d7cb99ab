import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { must } from '../scripts/lib/run.ts';
import { TestRegistry } from './lib/registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A registry that sends the second half of its one blob only when it is let. */
class HaltingUpstream {
  readonly blob = randomBytes(8 << 20);
  readonly config = Buffer.from('{}');
  readonly manifest: Buffer;
  downloads = 0;
  /** Another manifest, by the tag `trap`. */
  trap = Buffer.alloc(0);
  #waiting: (() => void)[] = [];
  #server: Server | undefined;

  constructor() {
    const descriptor = (bytes: Uint8Array) => ({ mediaType: 'x/y', digest: digestOf(bytes), size: bytes.length });
    const layers = [descriptor(this.blob)];
    const config = descriptor(this.config);
    this.manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers }));
  }

  async start(): Promise<string> {
    const server = createServer((request, response) => this.#answer(request.url ?? '', request.method ?? '', response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return `localhost:${(server.address() as AddressInfo).port}`;
  }

  /** Sends what is left, or breaks off. */
  letGo(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #answer(path: string, method: string, response: ServerResponse): void {
    if (path.includes('/manifests/')) {
      const manifest = path.endsWith('/trap') ? this.trap : this.manifest;
      response.writeHead(200, { 'content-type': MANIFEST, 'content-length': manifest.length });
      response.end(method === 'HEAD' ? undefined : manifest);
    } else if (path.endsWith(digestOf(this.blob))) {
      this.downloads += 1;
      response.writeHead(200, { 'content-length': this.blob.length });
      response.write(this.blob.subarray(0, this.blob.length / 2));
      this.#waiting.push(() => response.end(this.blob.subarray(this.blob.length / 2)));
    } else response.writeHead(path === '/v2/' ? 200 : 404).end();
  }
}

const halting = new HaltingUpstream();
let source: TestRegistry;
let registry: TestRegistry;
before(async () => {
  source = await TestRegistry.start();
  const proxies = [
    { prefix: 'slow', upstream: await halting.start(), insecure: true },
    { prefix: 'lab', upstream: source.name, tagTtlSeconds: 0 },
  ];
  registry = await TestRegistry.start({ settings: { proxies, monitor: '127.0.0.1:0' } });
});
after(async () => {
  halting.stop();
  await registry[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

/** An administrator's command: its status and answer. */
async function admin<T>(line: string): Promise<{ readonly status: number | null; readonly answer: T }> {
  const args = ['registry', ...line.split(' '), '--root', registry.root, '--json'];
  const child = spawn(join(ROOT, 'bin/wharf'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, answer: JSON.parse(Buffer.concat(chunks).toString() || 'null') as T };
}

async function pushBlob(to: TestRegistry, repository: string, bytes: Uint8Array): Promise<string> {
  const begun = await fetch(`${to.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const place = new URL(begun.headers.get('location') ?? '', to.url);
  place.searchParams.set('digest', digestOf(bytes));
  const done = await fetch(place, { method: 'PUT', body: new Uint8Array(bytes) });
  assert.equal(done.status, 201, await done.text());
  return digestOf(bytes);
}

/** Pushes an image of one layer, or what refers to one; its digest. */
async function pushImage(
  to: TestRegistry,
  repository: string,
  layer: Uint8Array,
  options: { readonly tag?: string; readonly subject?: { digest: string; size: number } } = {},
): Promise<{ readonly digest: string; readonly size: number }> {
  const config = Buffer.from('{}');
  await pushBlob(to, repository, config);
  await pushBlob(to, repository, layer);
  const body = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: 'x/config', digest: digestOf(config), size: 2 } },
    layers: [{ mediaType: 'x/layer', digest: digestOf(layer), size: layer.length }],
    ...(options.subject === undefined ? {} : { subject: { mediaType: MANIFEST, ...options.subject } }),
  });
  const digest = digestOf(Buffer.from(body));
  const name = options.tag ?? digest;
  const headers = { 'content-type': MANIFEST };
  const put = await fetch(`${to.url}/v2/${repository}/manifests/${name}`, { method: 'PUT', body, headers });
  assert.equal(put.status, 201, await put.text());
  return { digest, size: body.length };
}

test('a blob of an upstream is sent while it comes, once for all who ask', async () => {
  const url = `${registry.url}/v2/slow/app`;
  assert.equal((await fetch(`${url}/manifests/1`)).status, 200);
  const ask = async (from: number) => {
    const answer = await fetch(`${url}/blobs/${digestOf(halting.blob)}`, { headers: { range: `bytes=${from}-` } });
    assert.equal(answer.headers.get('content-length'), String(halting.blob.length - from));
    assert.ok(answer.body);
    return answer.body.getReader();
  };
  const readers = [await ask(0), await ask(1000)];
  // What the upstream has sent arrives although it holds the rest back.
  const heads = await Promise.all(readers.map(async (reader) => Buffer.from((await reader.read()).value ?? [])));
  halting.letGo();
  for (const [index, reader] of readers.entries()) {
    const parts = [heads[index] ?? Buffer.alloc(0)];
    assert.ok(parts[0] !== undefined && parts[0].length > 0);
    for (let step = await reader.read(); !step.done; step = await reader.read()) parts.push(Buffer.from(step.value));
    assert.ok(Buffer.concat(parts).equals(halting.blob.subarray(index * 1000)));
  }
  assert.equal(halting.downloads, 1);
});

test('a cache lists who refers to an image upstream, and counts what it does', async () => {
  const image = await pushImage(source, 'app', randomBytes(1000), { tag: '1' });
  const signature = await pushImage(source, 'app', randomBytes(1000), { subject: image });
  assert.equal((await fetch(`${registry.url}/v2/lab/app/manifests/1`)).status, 200);
  const listed = async () => {
    const answer = await fetch(`${registry.url}/v2/lab/app/referrers/${image.digest}`);
    const { manifests } = (await answer.json()) as { readonly manifests: readonly { readonly digest: string }[] };
    return manifests.map(({ digest }) => digest);
  };
  assert.deepEqual(await listed(), [signature.digest]);
  const second = await pushImage(source, 'app', randomBytes(1000), { subject: image });
  assert.deepEqual((await listed()).toSorted(), [signature.digest, second.digest].toSorted());
  await source.stop();
  assert.equal((await listed()).length, 2);
  await source.start();
  const address = /"msg":"monitoring".*|"address":"(tcp:[^"]+)"/.exec(registry.log)?.[1] ?? '';
  const metrics = await (await fetch(`${address.replace('tcp:', 'http:')}/metrics`)).text();
  assert.match(metrics, /^wharf_registry_proxy_bytes_total\{prefix="slow"\} 8388608$/m);
  assert.match(metrics, /^wharf_registry_proxy_failures_total\{prefix="lab"\} [1-9]/m);
});

test('a manifest of an upstream that names what the registry has from elsewhere opens no way to it', async () => {
  const secret = await pushBlob(registry, 'private/store', randomBytes(1000));
  const layers = [{ mediaType: 'x/layer', digest: secret, size: 1000 }];
  const config = { mediaType: 'x/config', digest: await pushBlob(source, 'trap', Buffer.from('{}')), size: 2 };
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers });
  halting.trap = Buffer.from(body);
  assert.equal((await fetch(`${registry.url}/v2/slow/trap/manifests/trap`)).status, 200);
  assert.equal((await fetch(`${registry.url}/v2/slow/trap/blobs/${secret}`)).status, 404);
});

test('images of another registry are imported with all tags and what refers to them', async () => {
  const image = await pushImage(source, 'from', randomBytes(50_000), { tag: 'one' });
  await pushImage(source, 'from', randomBytes(50_000), { tag: 'two' });
  await pushImage(source, 'from', randomBytes(1000), { subject: image });
  const { status, answer } = await admin(`import ${source.name}/from team/to --all-tags --referrers`);
  assert.equal(status, 0);
  assert.deepEqual(answer, { tags: 2, manifests: 3, blobs: 6, bytes: 101_002 });
  await must(['skopeo', 'inspect', '--raw', '--tls-verify=false', `docker://${registry.name}/team/to:two`]);
  const referrers = await (await fetch(`${registry.url}/v2/team/to/referrers/${image.digest}`)).json();
  assert.equal((referrers as { readonly manifests: readonly unknown[] }).manifests.length, 1);
  // What is here is not fetched again.
  const again = await admin<{ readonly bytes: number }>(`import ${source.name}/from:one team/to`);
  assert.equal(again.answer.bytes, 0);
});

test('a registry that runs is verified, repaired and collected', async () => {
  const layer = randomBytes(20_000);
  const image = await pushImage(registry, 'team/kept', layer, { tag: '1' });
  const whole = await admin<{ readonly damaged: readonly unknown[] }>('verify');
  assert.deepEqual([whole.status, whole.answer.damaged], [0, []]);
  writeFileSync(join(registry.root, 'blobs/sha256', digestOf(layer).slice(7)), randomBytes(20_000));
  const damaged = [{ digest: digestOf(layer), what: 'content', repositories: ['team/kept'] }];
  const found = await admin<{ readonly damaged: readonly unknown[] }>('verify --repair');
  assert.deepEqual([found.status, found.answer.damaged], [1, damaged]);
  assert.equal((await fetch(`${registry.url}/v2/team/kept/blobs/${digestOf(layer)}`)).status, 404);
  await pushBlob(registry, 'team/kept', layer);
  assert.equal((await admin('verify')).status, 0);
  const dry = await admin<{ readonly dryRun: boolean; readonly blobs: number }>('gc --dry-run');
  assert.equal(dry.answer.dryRun, true);
  assert.equal((await admin('gc')).status, 0);
  assert.equal((await fetch(`${registry.url}/v2/team/kept/manifests/${image.digest}`)).status, 200);
});
