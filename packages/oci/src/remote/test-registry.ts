import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Digest } from '@wharf/kit';
import type { Descriptor } from '../spec/image.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../spec/media-types.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

export interface TestRegistryOptions {
  readonly auth?: 'basic' | 'token';
  readonly username?: string;
  readonly password?: string;
  /** The refresh token that is taken and given. */
  readonly identityToken?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Looks at each request first; true when it has answered. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
  readonly port?: number;
}

/** A registry in memory, for tests: pull, push, mount, Basic and token authorization, and whatever `intercept` breaks. */
export class TestRegistry implements AsyncDisposable {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  /** `repository digest` of blobs that a repository has. */
  readonly links = new Set<string>();
  readonly seen: SeenRequest[] = [];
  readonly tokens: string[] = [];
  readonly #options: TestRegistryOptions;
  readonly #server: Server;
  readonly #uploads = new Map<string, Buffer>();

  private constructor(options: TestRegistryOptions) {
    this.#options = options;
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch(() => response.destroy());
    };
    this.#server = options.tls === undefined ? createServer(handle) : createTlsServer({ ...options.tls }, handle);
  }

  static async start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(options);
    await new Promise<void>((resolve) => registry.#server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get origin(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${this.host}`;
  }

  count(method: string, part: string): number {
    return this.seen.filter((each) => each.method === method && each.url.includes(part)).length;
  }

  putBlob(repository: string, bytes: Buffer, mediaType = OCI_LAYER): Descriptor {
    const digest = digestOf(bytes);
    this.blobs.set(digest, bytes);
    this.links.add(`${repository} ${digest}`);
    return { mediaType, digest, size: bytes.length };
  }

  putManifest(repository: string, tag: string | undefined, document: object, type = OCI_MANIFEST): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    for (const name of [digest, ...(tag === undefined ? [] : [tag])])
      this.manifests.set(`${repository} ${name}`, { type, bytes });
    return { mediaType: type, digest, size: bytes.length };
  }

  /** An image of these uncompressed layers. */
  putImage(repository: string, tag: string | undefined, layers: readonly Buffer[], platform = PLATFORM): Descriptor {
    const diffIds = layers.map((layer) => digestOf(layer));
    const config = { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
    return this.putManifest(repository, tag, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: this.putBlob(repository, Buffer.from(JSON.stringify(config)), OCI_CONFIG),
      layers: layers.map((layer) => this.putBlob(repository, layer)),
    });
  }

  putIndex(repository: string, tag: string, manifests: readonly Descriptor[]): Descriptor {
    return this.putManifest(repository, tag, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    this.seen.push({ method, url, authorization: headers.authorization, range: headers.range, headers });
    if ((await this.#options.intercept?.(request, response)) === true) return;
    const at = new URL(url, `${this.origin.split('://')[0]}://${headers.host ?? this.host}`);
    if (at.pathname === '/token') await this.#token(request, response, at);
    else if (!this.#isAllowed(request, at)) this.#challenge(response, at);
    else if (/^\/v2\/?$/.test(at.pathname)) response.end('{}');
    else await this.#route(request, response, at);
  }

  #isAllowed({ headers }: IncomingMessage, at: URL): boolean {
    const { auth } = this.#options;
    if (auth === undefined) return true;
    if (auth === 'basic') return headers.authorization === this.#basic();
    const token = /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1];
    if (token === undefined || !this.tokens.includes(token)) return false;
    const repository = repositoryOf(at);
    return repository === undefined || token.includes(`repository:${repository}:`);
  }

  #basic(): string {
    const { username = 'me', password = 'secret' } = this.#options;
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }

  #challenge(response: ServerResponse, at: URL): void {
    const realm = `${at.origin}/token`;
    const repository = repositoryOf(at);
    const scope = repository === undefined ? '' : `,scope="repository:${repository}:pull"`;
    const challenge =
      this.#options.auth === 'basic' ? 'Basic realm="test"' : `Bearer realm="${realm}",service="test"${scope}`;
    response.setHeader('www-authenticate', challenge);
    fault(response, 401, 'UNAUTHORIZED', 'authentication required');
  }

  async #token(request: IncomingMessage, response: ServerResponse, at: URL): Promise<void> {
    const form = request.method === 'POST' ? new URLSearchParams((await bodyOf(request)).toString()) : at.searchParams;
    const byPassword =
      request.headers.authorization === this.#basic() || form.get('password') === (this.#options.password ?? 'secret');
    const byRefresh =
      this.#options.identityToken !== undefined && form.get('refresh_token') === this.#options.identityToken;
    if (!byPassword && !byRefresh) {
      fault(response, 401, 'UNAUTHORIZED', 'incorrect username or password');
      return;
    }
    const token = `${randomUUID()} ${form.getAll('scope').join(' ')}`.replaceAll(' ', '+');
    this.tokens.push(token);
    const { identityToken } = this.#options;
    response.end(
      JSON.stringify({
        token,
        expires_in: 300,
        ...(identityToken === undefined ? {} : { refresh_token: identityToken }),
      }),
    );
  }

  async #route(request: IncomingMessage, response: ServerResponse, at: URL): Promise<void> {
    const match = /^\/v2\/(.+?)\/(manifests|blobs|tags)\/(.+)$/.exec(decodeURIComponent(at.pathname));
    const [, repository = '', kind, rest = ''] = match ?? [];
    if (kind === 'tags') this.#tags(response, repository);
    else if (kind === 'manifests' && request.method === 'PUT')
      await this.#putManifest(request, response, repository, rest);
    else if (kind === 'manifests') this.#manifest(request, response, `${repository} ${rest}`);
    else if (kind === 'blobs' && rest.startsWith('uploads/')) await this.#upload(request, response, at, repository);
    else if (kind === 'blobs') this.#blob(request, response, repository, rest);
    else fault(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
  }

  #tags(response: ServerResponse, repository: string): void {
    const names = [...this.manifests.keys()].filter((key) => key.startsWith(`${repository} `) && !key.includes(':'));
    response.end(JSON.stringify({ name: repository, tags: names.map((key) => key.slice(repository.length + 1)) }));
  }

  #manifest(request: IncomingMessage, response: ServerResponse, key: string): void {
    const found = this.manifests.get(key);
    if (found === undefined) {
      fault(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
      return;
    }
    response.setHeader('content-type', found.type);
    response.setHeader('content-length', found.bytes.length);
    response.setHeader('docker-content-digest', digestOf(found.bytes));
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  async #putManifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    name: string,
  ): Promise<void> {
    const bytes = await bodyOf(request);
    const digest = digestOf(bytes);
    const type = request.headers['content-type'] ?? '';
    for (const each of [digest, name]) this.manifests.set(`${repository} ${each}`, { type, bytes });
    response.writeHead(201, { 'docker-content-digest': digest }).end();
  }

  #blob(request: IncomingMessage, response: ServerResponse, repository: string, digest: string): void {
    const bytes = this.links.has(`${repository} ${digest}`) ? this.blobs.get(digest) : undefined;
    if (bytes === undefined) {
      fault(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
      return;
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, bytes.length) : bytes.length;
    response.statusCode = range === null ? 200 : 206;
    if (range !== null) response.setHeader('content-range', `bytes ${start}-${end - 1}/${bytes.length}`);
    response.setHeader('content-length', end - start);
    response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start, end));
  }

  async #upload(request: IncomingMessage, response: ServerResponse, at: URL, repository: string): Promise<void> {
    const bytes = await bodyOf(request);
    const place = (id: string): string => `${at.origin}/v2/${repository}/blobs/uploads/${id}`;
    if (request.method === 'POST') {
      const [mount, from] = [at.searchParams.get('mount'), at.searchParams.get('from')];
      if (mount !== null && this.links.has(`${from} ${mount}`)) {
        this.links.add(`${repository} ${mount}`);
        response.writeHead(201, { location: `${at.origin}/v2/${repository}/blobs/${mount}` }).end();
        return;
      }
      const id = randomUUID();
      this.#uploads.set(id, Buffer.alloc(0));
      response.writeHead(202, { location: place(id), range: '0-0' }).end();
      return;
    }
    const id = at.pathname.slice(at.pathname.lastIndexOf('/') + 1);
    const before = this.#uploads.get(id) ?? Buffer.alloc(0);
    const all = Buffer.concat([before, bytes]);
    const range = `0-${all.length - 1}`;
    if (request.method === 'GET') response.writeHead(204, { location: place(id), range }).end();
    else if (request.method === 'PATCH') {
      this.#uploads.set(id, all);
      response.writeHead(202, { location: place(id), range }).end();
    } else {
      const digest = at.searchParams.get('digest') ?? '';
      if (digestOf(all) !== digest) {
        fault(response, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
        return;
      }
      this.putBlob(repository, all);
      response.writeHead(201, { 'docker-content-digest': digest }).end();
    }
  }
}

const PLATFORM = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };

/** The sha256 of some bytes. */
export function digestOf(bytes: Buffer): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** Answers with an error document. */
export function fault(response: ServerResponse, status: number, code: string, message: string, detail?: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] }));
}

function repositoryOf(at: URL): string | undefined {
  return /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(at.pathname)?.[1];
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}
