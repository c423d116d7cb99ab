import { type Digest, isDigest } from '@wharf/kit';
import { registryError } from '../errors.ts';
import type { Call } from '../http/call.ts';
import { matchesEtag, parseRange } from '../http/range.ts';
import { digestKey } from '../model/indices.ts';
import type { ComingBlob } from '../plug/extension.ts';
import type { RegistryContext } from './context.ts';

const OCTETS = 'application/octet-stream';

/** Checks a digest from a path or a query. Throws `DIGEST_INVALID`. */
export function digestOf(text: string): Digest {
  if (isDigest(text)) return text;
  throw registryError('DIGEST_INVALID', 'the digest is malformed, or its algorithm is not supported', {
    detail: { digest: text.slice(0, 160) },
  });
}

/** `GET` and `HEAD /v2/<name>/blobs/<digest>` (distribution-spec, "Pulling blobs"), with ranges and conditions of RFC 9110. */
export async function getBlob(
  context: RegistryContext,
  call: Call,
  repository: string,
  reference: string,
): Promise<void> {
  const digest = digestOf(reference);
  const { sizeBytes, coming } = await findBlob(context, call, repository, digest);
  const etag = `"${digest}"`;
  call.setHeaders({
    'Docker-Content-Digest': digest,
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000, immutable',
  });
  const noneMatch = call.header('if-none-match');
  if (noneMatch !== undefined && matchesEtag(noneMatch, etag)) {
    call.empty(304);
    return;
  }
  if (call.method === 'HEAD') {
    // Who hears that it is here may rely on it for a while.
    context.leases.renew(digestKey(repository, digest));
    call.head(200, OCTETS, sizeBytes);
    return;
  }
  const ifRange = call.header('if-range');
  const wanted = ifRange === undefined || ifRange.trim() === etag ? call.header('range') : undefined;
  const range = parseRange(wanted, sizeBytes);
  if (range === 'unsatisfiable') {
    throw registryError('SIZE_INVALID', 'the range is not within the blob', {
      status: 416,
      headers: { 'Content-Range': `bytes */${sizeBytes}` },
    });
  }
  const part = range ?? { start: 0, endExclusive: sizeBytes };
  await using source = (await coming?.open(part)) ?? (await context.storage.open(digest, part));
  if (range !== undefined)
    call.setHeader('Content-Range', `bytes ${range.start}-${range.endExclusive - 1}/${sizeBytes}`);
  const lengthBytes = part.endExclusive - part.start;
  await call.blob(range === undefined ? 200 : 206, { source, lengthBytes, contentType: OCTETS });
}

interface FoundBlob {
  readonly sizeBytes: number;
  /** It can be sent while it comes. */
  readonly coming?: ComingBlob;
}

/** A blob that the repository holds, or gets from the daemon's store or an extension. Throws `BLOB_UNKNOWN`. */
async function findBlob(context: RegistryContext, call: Call, repository: string, digest: Digest): Promise<FoundBlob> {
  const { catalog, extensions } = context;
  const here = sizeOf(context, repository, digest);
  if (here !== undefined) return { sizeBytes: here };
  const { identity } = call;
  if (call.method === 'HEAD' && identity.local === true && identity.allows('push', repository)) {
    if (await adoptFromDonor(context, { repository, digest, by: identity.name })) {
      await catalog.committed();
      return { sizeBytes: sizeOf(context, repository, digest) ?? 0 };
    }
  }
  for (const extension of extensions) {
    const found = await extension.findBlob?.({ repository, digest, identity });
    if (typeof found === 'object') return { sizeBytes: found.sizeBytes, coming: found };
    const sizeBytes = found === true ? sizeOf(context, repository, digest) : undefined;
    if (sizeBytes !== undefined) return { sizeBytes };
  }
  throw registryError('BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
}

/** Manifests are blobs too (distribution-spec leaves it open; clients ask for both). */
function sizeOf({ catalog }: RegistryContext, repository: string, digest: Digest): number | undefined {
  return (catalog.link(repository, digest) ?? catalog.manifest(repository, digest))?.sizeBytes;
}

/** Takes a blob from the daemon's own store into a repository, without moving a byte. False when it is not there. */
export async function adoptFromDonor(
  context: RegistryContext,
  wanted: { readonly repository: string; readonly digest: Digest; readonly by: string },
): Promise<boolean> {
  const { donor, claims, storage, catalog, leases } = context;
  const { repository, digest, by } = wanted;
  if (donor === undefined) return false;
  using _claim = await claims.claim(digest);
  const stored = (await storage.stat(digest)) ?? (await storage.adopt(digest, donor.path(digest)));
  if (stored === undefined) return false;
  catalog.linkBlob({ repository, digest, sizeBytes: stored.sizeBytes, by, how: 'blob.mount' });
  leases.renew(digestKey(repository, digest));
  return true;
}

/**
 * `DELETE /v2/<name>/blobs/<digest>` (distribution-spec, "Deleting Blobs"). A blob that a manifest of the repository needs stays: the image
 * could not be pulled any more.
 */
export async function deleteBlob(
  context: RegistryContext,
  call: Call,
  repository: string,
  reference: string,
): Promise<void> {
  const digest = digestOf(reference);
  const { catalog } = context;
  if (catalog.link(repository, digest) === undefined)
    throw registryError('BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
  if (catalog.isNeeded(repository, digest)) {
    throw registryError('DENIED', 'the blob belongs to an image of the repository: delete the manifest first', {
      status: 409,
      detail: { digest },
    });
  }
  catalog.unlinkBlob({ repository, digest, identity: call.identity });
  await catalog.committed();
  call.empty(202);
}
