import type { Digest } from '@wharf/kit';
import { codeOf, registryError } from '../errors.ts';
import type { Call } from '../http/call.ts';
import { parseContentRange } from '../http/range.ts';
import { receive } from '../http/receive.ts';
import { digestKey } from '../model/indices.ts';
import type { UploadRecord } from '../model/records.ts';
import type { Algorithm, BlobUpload } from '../storage/storage.ts';
import { adoptFromDonor, digestOf } from './blobs.ts';
import type { RegistryContext } from './context.ts';

/**
 * `POST /v2/<name>/blobs/uploads/` (distribution-spec, "Pushing blobs"): mounts a blob, takes one whole, or begins a session.
 */
export async function beginUpload(context: RegistryContext, call: Call, repository: string): Promise<void> {
  const { query } = call;
  const mount = query.get('mount');
  if (
    mount !== null &&
    (await mountBlob(context, call, { repository, digest: digestOf(mount), from: query.get('from') }))
  )
    return;
  const algorithm = algorithmOf(query.get('digest-algorithm') ?? query.get('digest'));
  const whole = query.get('digest');
  const digest = whole === null ? undefined : digestOf(whole);
  const sizeBytes = digest === undefined ? undefined : call.contentLength;
  for (const guard of context.guards) guard.beforeUpload?.({ repository, sizeBytes, identity: call.identity });
  const id = context.uploads.begin({ repository, algorithm, by: call.identity.name });
  if (digest !== undefined && call.contentLength !== 0) {
    await finishWith(context, call, { id, record: context.uploads.find(repository, id), digest });
    return;
  }
  call.setHeaders({ Location: uploadLocation(repository, id), Range: '0-0', 'Docker-Upload-UUID': id });
  call.empty(202);
}

/** An algorithm by name or by the digest's prefix; sha256 when nothing is said. Throws `DIGEST_INVALID`. */
function algorithmOf(text: string | null): Algorithm {
  const name = text === null ? 'sha256' : (text.split(':', 1)[0] ?? '');
  if (name === 'sha256' || name === 'sha512') return name;
  throw registryError('DIGEST_INVALID', 'the digest algorithm is not supported');
}

/**
 * Mounts a blob out of another repository (distribution-spec, "Mounting a blob from another repository"); without `from`, out of any that
 * the requester may read: a blob nobody would show them stays unknown. False when it has to be uploaded.
 */
async function mountBlob(
  context: RegistryContext,
  call: Call,
  wanted: { readonly repository: string; readonly digest: Digest; readonly from: string | null },
): Promise<boolean> {
  const { catalog, claims, storage, leases } = context;
  const { repository, digest, from } = wanted;
  const { identity } = call;
  const key = digestKey(repository, digest);
  using _claim = await claims.claim(digest);
  let present = catalog.link(repository, digest) !== undefined;
  if (!present) {
    const source = sourceOf(context, call, digest, from);
    const stored = source === undefined ? undefined : await storage.stat(digest);
    if (stored !== undefined) {
      catalog.linkBlob({ repository, digest, sizeBytes: stored.sizeBytes, by: identity.name, how: 'blob.mount' });
      present = true;
    } else if (identity.local === true) {
      present = await adoptFromDonor(context, { repository, digest, by: identity.name });
    }
  }
  if (!present) return false;
  leases.renew(key);
  await catalog.committed();
  created(call, repository, digest);
  return true;
}

function sourceOf(
  { catalog }: RegistryContext,
  { identity }: Call,
  digest: Digest,
  from: string | null,
): string | undefined {
  if (from !== null && from !== '') {
    const holds = catalog.link(from, digest) !== undefined || catalog.manifest(from, digest) !== undefined;
    if (holds && identity.allows('pull', from)) return from;
  }
  for (const user of catalog.usersOf(digest)) if (identity.allows('pull', user)) return user;
  return undefined;
}

/** `GET` of an upload: how far it has come (distribution-spec, "Pushing a blob in chunks"). */
export async function uploadStatus(
  context: RegistryContext,
  call: Call,
  repository: string,
  id: string,
): Promise<void> {
  const record = context.uploads.find(repository, id);
  const size = await context.uploads.use(id, record, async (upload) => upload.sizeBytes);
  progress(call, { repository, id, sizeBytes: size });
  call.empty(204);
}

/** `PATCH` of an upload: a chunk, or with no `Content-Range` as much as comes. */
export async function patchUpload(context: RegistryContext, call: Call, repository: string, id: string): Promise<void> {
  const record = context.uploads.find(repository, id);
  const size = await useAndReceive(context, call, { id, record }, async (upload) => upload.sizeBytes);
  progress(call, { repository, id, sizeBytes: size });
  call.empty(202);
}

/** `PUT` of an upload: the last chunk, if any, and the digest of all. */
export async function finishUpload(
  context: RegistryContext,
  call: Call,
  repository: string,
  id: string,
): Promise<void> {
  const record = context.uploads.find(repository, id);
  const text = call.query.get('digest');
  if (text === null) throw registryError('DIGEST_INVALID', 'the digest parameter is missing');
  await finishWith(context, call, { id, record, digest: digestOf(text) });
}

/** `DELETE` of an upload (distribution-spec, "Cancel a blob upload"). */
export async function cancelUpload(
  context: RegistryContext,
  call: Call,
  repository: string,
  id: string,
): Promise<void> {
  const record = context.uploads.find(repository, id);
  await context.uploads.use(id, record, () => context.uploads.drop(id));
  await context.catalog.committed();
  call.empty(204);
}

interface Session {
  readonly id: string;
  readonly record: UploadRecord;
}

async function finishWith(
  context: RegistryContext,
  call: Call,
  session: Session & { readonly digest: Digest },
): Promise<void> {
  const { catalog, claims, uploads, leases } = context;
  const { id, record, digest } = session;
  const { repository } = record;
  const { name: by } = call.identity;
  await useAndReceive(context, call, session, async (upload) => {
    using _claim = await claims.claim(digest);
    const { sizeBytes } = await uploads.finish(id, upload, digest);
    catalog.linkBlob({ repository, digest, sizeBytes, by, how: 'blob.push' });
    leases.renew(digestKey(repository, digest));
  });
  await catalog.committed();
  created(call, repository, digest);
}

/**
 * Appends the request's body to the session, then does `work`. What a client that left had sent stays, so that it can go on; after a
 * failure of the storage the session is dropped.
 */
async function useAndReceive<T>(
  context: RegistryContext,
  call: Call,
  { id, record }: Session,
  work: (upload: BlobUpload) => Promise<T>,
): Promise<T> {
  return context.uploads.use(id, record, async (upload) => {
    const { repository } = record;
    checkPlace(call, upload.sizeBytes, { repository, id });
    let sizeBytes = upload.sizeBytes;
    const ask = (bytes: number): void => {
      for (const guard of context.guards) guard.duringUpload?.({ repository, id, sizeBytes: bytes });
    };
    try {
      ask(sizeBytes + (call.contentLength ?? 0));
      await receive(call.exchange, (chunk) => {
        sizeBytes += chunk.length;
        if (call.contentLength === undefined) ask(sizeBytes);
        return upload.write(chunk);
      });
      return await work(upload);
    } catch (error) {
      if (isStorageFailure(error)) await context.uploads.drop(id).catch(() => {});
      throw error;
    } finally {
      for (const guard of context.guards) guard.afterUpload?.({ repository, id });
    }
  });
}

function isStorageFailure(error: unknown): boolean {
  const kind = error instanceof Error && 'kind' in error ? error.kind : undefined;
  return codeOf(error) === undefined && (kind === 'resource-exhausted' || kind === 'internal' || kind === 'data-loss');
}

/** A chunk must begin where the last one ended; else 416 with where that is. */
function checkPlace(call: Call, sizeBytes: number, where: { readonly repository: string; readonly id: string }): void {
  const header = call.header('content-range');
  if (header === undefined) return;
  const range = parseContentRange(header);
  const length = call.contentLength;
  if (range === undefined || (length !== undefined && length !== range.last - range.first + 1)) {
    throw registryError(
      range === undefined ? 'BLOB_UPLOAD_INVALID' : 'SIZE_INVALID',
      'Content-Range and Content-Length do not agree',
      {
        status: range === undefined ? 416 : 400,
      },
    );
  }
  if (range.first === sizeBytes) return;
  const { repository, id } = where;
  throw registryError('BLOB_UPLOAD_INVALID', `the chunk begins at ${range.first}, the upload has ${sizeBytes} bytes`, {
    status: 416,
    headers: { Location: uploadLocation(repository, id), Range: rangeOf(sizeBytes), 'Docker-Upload-UUID': id },
  });
}

function progress(
  call: Call,
  at: { readonly repository: string; readonly id: string; readonly sizeBytes: number },
): void {
  const { repository, id, sizeBytes } = at;
  call.setHeaders({ Location: uploadLocation(repository, id), Range: rangeOf(sizeBytes), 'Docker-Upload-UUID': id });
}

/** The range of what is there, both ends inclusive; an empty upload has no such range and says `0-0`, as clients expect. */
function rangeOf(sizeBytes: number): string {
  return `0-${Math.max(0, sizeBytes - 1)}`;
}

function created(call: Call, repository: string, digest: Digest): void {
  call.setHeaders({ Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
  call.empty(201);
}

function uploadLocation(repository: string, id: string): string {
  return `/v2/${repository}/blobs/uploads/${id}`;
}
