import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { nullLogger } from '../../packages/kit/src/index.ts';
import { openRegistry } from '../../packages/registry/src/index.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const OCTETS = { 'content-type': 'application/octet-stream' };

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

type Algorithm = 'sha256' | 'sha512';

export function digestOf(bytes: string | Uint8Array, algorithm: Algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** The registry that `WHARF_CONFORMANCE_REGISTRY` names, or one of the file's own. Returns its URL, to be asked for inside tests. */
export function registryForFile(): () => RegistryClient {
  let client: RegistryClient | undefined;
  const stack = new AsyncDisposableStack();
  before(async () => {
    const given = process.env['WHARF_CONFORMANCE_REGISTRY'];
    client = new RegistryClient(given ?? (await startRegistry(stack)));
  });
  after(() => stack.disposeAsync());
  return () => {
    if (client === undefined) throw new Error('the registry has not been started');
    return client;
  };
}

/** Starts a registry in this process; the stack ends it and removes what it wrote. Returns its URL. */
export async function startRegistry(stack: AsyncDisposableStack): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'wharf-conformance-'));
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  const registry = await openRegistry({ root, version: 'test', log: nullLogger });
  stack.defer(() => registry.close());
  const { host } = await registry.server.listen('tcp://127.0.0.1:0');
  return host.replace('tcp:', 'http:');
}

/** The verbs of the specification, and images to push. */
export class RegistryClient {
  readonly base: string;

  constructor(base: string) {
    this.base = base;
  }

  /** Sends a request; `path` is below `/v2/`, or where an earlier answer pointed to. */
  send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, `${this.base}/v2/`);
    return fetch(url, { ...init, method, redirect: 'manual' });
  }

  async status(method: string, path: string, init: RequestInit = {}): Promise<number> {
    const answer = await this.send(method, path, init);
    await answer.arrayBuffer();
    return answer.status;
  }

  /** The first code of an answer of the specification's error form. */
  async code(answer: Response): Promise<string | undefined> {
    const { errors } = (await answer.json()) as { errors?: { code: string }[] };
    return errors?.[0]?.code;
  }

  /** Begins an upload and returns where it goes on. */
  async begin(repository: string, query = ''): Promise<string> {
    const answer = await this.send('POST', `${repository}/blobs/uploads/${query}`);
    if (answer.status !== 202) throw new Error(`POST answered ${answer.status}: ${await answer.text()}`);
    return this.placeOf(answer);
  }

  placeOf(answer: Response): string {
    return new URL(answer.headers.get('location') ?? '', this.base).href;
  }

  finish(place: string, digest: string, bytes?: Uint8Array): Promise<Response> {
    const url = new URL(place);
    url.searchParams.set('digest', digest);
    return this.send('PUT', url.href, bytes === undefined ? {} : { body: new Uint8Array(bytes), headers: OCTETS });
  }

  async pushBlob(repository: string, bytes: Uint8Array, algorithm: Algorithm = 'sha256'): Promise<Descriptor> {
    const digest = digestOf(bytes, algorithm);
    const answer = await this.finish(await this.begin(repository), digest, bytes);
    if (answer.status !== 201) throw new Error(`PUT answered ${answer.status}: ${await answer.text()}`);
    return { mediaType: OCI_LAYER, digest, size: bytes.length };
  }

  putManifest(repository: string, reference: string, manifest: object | string, type?: string): Promise<Response> {
    const body = typeof manifest === 'string' ? manifest : JSON.stringify(manifest);
    const own = typeof manifest === 'string' ? undefined : (manifest as { mediaType?: string }).mediaType;
    return this.send('PUT', `${repository}/manifests/${reference}`, {
      body,
      headers: { 'content-type': type ?? own ?? OCI_MANIFEST },
    });
  }

  /** Pushes config, layers and manifest of a new image. */
  async pushImage(repository: string, reference: string, more: object = {}): Promise<Descriptor & { json: string }> {
    const config = await this.pushBlob(repository, randomBytes(64));
    const layer = await this.pushBlob(repository, randomBytes(512));
    const json = JSON.stringify(imageOf(config, [layer], more));
    const digest = digestOf(json);
    const answer = await this.putManifest(repository, reference === '' ? digest : reference, json);
    if (answer.status !== 201) throw new Error(`PUT answered ${answer.status}: ${await answer.text()}`);
    return { mediaType: OCI_MANIFEST, digest, size: json.length, json };
  }

  async tags(repository: string, query = ''): Promise<readonly string[]> {
    const answer = await this.send('GET', `${repository}/tags/list${query}`);
    return ((await answer.json()) as { tags: string[] }).tags;
  }

  async referrers(repository: string, digest: string, query = ''): Promise<readonly Descriptor[]> {
    const answer = await this.send('GET', `${repository}/referrers/${digest}${query}`);
    if (answer.status !== 200 || answer.headers.get('content-type') !== OCI_INDEX)
      throw new Error(`the listing of referrers answered ${answer.status}`);
    return ((await answer.json()) as { manifests: Descriptor[] }).manifests;
  }
}

export function imageOf(config: Descriptor, layers: readonly Descriptor[], more: object = {}): object {
  return { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { ...config, mediaType: OCI_CONFIG }, layers, ...more };
}

let serial = 0;

/** A repository of a test's own. */
export function repositoryName(): string {
  serial += 1;
  return `conformance/${process.pid}-${Date.now().toString(36)}/r${serial}`;
}

/** The target of the `next` link of a page; `undefined` on the last one. */
export function nextOf(answer: Response): string | undefined {
  return /<([^>]+)>;\s*rel="?next"?/.exec(answer.headers.get('link') ?? '')?.[1];
}
