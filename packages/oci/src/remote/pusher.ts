import { type Digest, isKind, WharfError } from '@wharf/kit';
import type { FileBody } from '@wharf/wire/http/send-file';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../spec/image.ts';
import type { HostAnswer, RegistryConnection } from './connection.ts';
import { UPLOAD_ATTEMPTS, UPLOAD_CHUNK_BYTES } from './limits.ts';
import { statusOf } from './registry-error.ts';

export interface PushBlobOptions {
  readonly connection: RegistryConnection;
  readonly content: ContentStore;
  readonly descriptor: Descriptor;
  /** Repositories of the same registry that have the blob, the likeliest first. */
  readonly mountFrom: readonly string[];
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export type PushedBlob = { readonly how: 'exists' | 'pushed' } | { readonly how: 'mounted'; readonly from: string };

const PUSH = ['pull', 'push'];

/**
 * Brings a blob into a repository (distribution-spec, "Pushing blobs"): nothing is sent when it is there, or can be mounted from
 * another repository; else it goes in one piece, and by chunks after a failure. Throws the registry's error, `not-found` without
 * the blob.
 */
export async function pushBlob(options: PushBlobOptions): Promise<PushedBlob> {
  if (await exists(options)) return { how: 'exists' };
  for (const from of options.mountFrom) {
    const mounted = await mount(options, from);
    if (mounted === true) return { how: 'mounted', from };
    if (mounted !== undefined) {
      await upload(options, mounted);
      return { how: 'pushed' };
    }
  }
  await upload(options, undefined);
  return { how: 'pushed' };
}

/** Puts a manifest or index under a tag or its digest. */
export async function pushDocument(options: {
  readonly connection: RegistryConnection;
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { connection, descriptor, bytes, name, signal } = options;
  const headers = { 'content-type': descriptor.mediaType };
  const call = { method: 'PUT', to: `manifests/${name}`, headers, body: bytes, actions: PUSH, signal } as const;
  const { answer } = await connection.read(call);
  const stored = answer.headers['docker-content-digest'];
  if (
    typeof stored === 'string' &&
    stored.startsWith('sha256:') &&
    descriptor.digest.startsWith('sha256:') &&
    stored !== descriptor.digest
  ) {
    throw new WharfError('data-loss', `the registry has stored manifest ${descriptor.digest} as ${stored}`);
  }
}

async function exists({ connection, descriptor, signal }: PushBlobOptions): Promise<boolean> {
  try {
    const answer = await connection.send({ method: 'HEAD', to: `blobs/${descriptor.digest}`, actions: PUSH, signal });
    answer.body.resume();
    return answer.status === 200;
  } catch (error) {
    // What is refused here is refused again, and with its reasons, when the upload begins.
    if ([401, 403, 404, 405].includes(statusOf(error) ?? 0)) return false;
    throw error;
  }
}

/** True when mounted, an upload to go on with when the registry offers that instead, `undefined` when it will do neither. */
async function mount(
  { connection, descriptor, signal }: PushBlobOptions,
  from: string,
): Promise<true | URL | undefined> {
  const query = { mount: descriptor.digest, from };
  try {
    const call = {
      method: 'POST',
      to: 'blobs/uploads/',
      query,
      actions: PUSH,
      alsoFrom: [from],
      attempts: 2,
      signal,
    } as const;
    const { answer } = await connection.read(call);
    return answer.status === 201 ? true : placeOf(answer);
  } catch (error) {
    // A repository this user may not read from is no reason not to push.
    if (signal.aborted || (statusOf(error) === undefined && !isKind(error, 'unavailable'))) throw error;
    return undefined;
  }
}

async function begin({ connection, signal }: PushBlobOptions): Promise<URL> {
  const { answer } = await connection.read({ method: 'POST', to: 'blobs/uploads/', actions: PUSH, signal });
  return placeOf(answer);
}

/** Where the upload goes on. */
function placeOf({ headers, url }: HostAnswer): URL {
  const place = URL.parse(headers.location ?? '', url.href);
  if (place !== null && /^https?:$/.test(place.protocol)) return place;
  throw new WharfError('unavailable', 'the registry does not say where to upload to');
}

async function upload(options: PushBlobOptions, place: URL | undefined): Promise<void> {
  const { descriptor, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const at = attempt === 0 && place !== undefined ? place : await begin(options);
      if (attempt === 0) await whole(options, at);
      else await chunks(options, at);
      options.onProgress(descriptor.size);
      return;
    } catch (error) {
      if (signal.aborted || attempt + 1 >= UPLOAD_ATTEMPTS || !mayPass(error)) throw error;
    }
  }
}

/** Broken connections, servers in trouble, and proxies that take no large bodies. */
function mayPass(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined)
    return status >= 500 || status === 413 || status === 408 || status === 404 || status === 416;
  return error instanceof WharfError && ['network', 'timeout', 'cut-off'].includes(error.code ?? '');
}

const OCTETS = { 'content-type': 'application/octet-stream' };

async function whole(options: PushBlobOptions, to: URL): Promise<void> {
  const { connection, descriptor, signal } = options;
  const { digest, size } = descriptor;
  const body = await part(options, 0, size);
  await connection.read({
    method: 'PUT',
    to,
    query: { digest },
    headers: OCTETS,
    body,
    actions: PUSH,
    attempts: 1,
    signal,
  });
}

async function chunks(options: PushBlobOptions, first: URL): Promise<void> {
  const { connection, descriptor, signal } = options;
  const { digest, size } = descriptor;
  let to = first;
  let at = 0;
  for (let failures = 0; at < size; ) {
    const end = Math.min(at + UPLOAD_CHUNK_BYTES, size);
    const from = at;
    const body = await part(options, from, end);
    const headers = { ...OCTETS, 'content-range': `${from}-${end - 1}` };
    try {
      const { answer } = await connection.read({
        method: 'PATCH',
        to,
        headers,
        body,
        actions: PUSH,
        attempts: 1,
        signal,
      });
      to = placeOf(answer);
      at = end;
    } catch (error) {
      failures += 1;
      if (signal.aborted || failures >= UPLOAD_ATTEMPTS || !mayPass(error) || statusOf(error) === 404) throw error;
      const { answer } = await connection.read({ method: 'GET', to, actions: PUSH, signal });
      at = sentOf(answer);
      to = placeOf(answer);
    }
  }
  await connection.read({ method: 'PUT', to, query: { digest }, headers: OCTETS, actions: PUSH, signal });
}

/** How many bytes the registry has: `Range: 0-<last>`. */
function sentOf({ headers }: HostAnswer): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headers.range ?? '')?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}

async function part(options: PushBlobOptions, start: number, endExclusive: number): Promise<FileBody> {
  const { content, descriptor, onProgress } = options;
  if ((await content.stat(descriptor.digest)) === undefined) throw missing(descriptor.digest);
  return { path: content.path(descriptor.digest), start, endExclusive, onSent: onProgress };
}

function missing(digest: Digest): WharfError {
  return new WharfError('not-found', `content digest ${digest}: not found`);
}
