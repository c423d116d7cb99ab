import { createHash } from 'node:crypto';
import { type Digest, isDigest, splitDigest } from '@wharf/kit';
import { registryError } from '../errors.ts';
import type { Call } from '../http/call.ts';
import { matchesEtag } from '../http/range.ts';
import { receiveManifest } from '../http/receive.ts';
import { MAX_TAG_PARAMETERS } from '../limits.ts';
import { unknownRepository } from '../model/catalog.ts';
import { digestKey } from '../model/indices.ts';
import { type Descriptor, type ParsedManifest, parseManifest } from '../model/manifest.ts';
import type { ManifestRecord } from '../model/records.ts';
import { isTag } from '../names.ts';
import { digestOf } from './blobs.ts';
import type { RegistryContext } from './context.ts';

/**
 * `GET` and `HEAD /v2/<name>/manifests/<reference>` (distribution-spec, "Pulling manifests"). Answers in the same turn when the manifest is in
 * memory; returns a promise otherwise.
 */
export function getManifest(
  context: RegistryContext,
  call: Call,
  repository: string,
  reference: string,
): Promise<void> | undefined {
  const tag = reference.includes(':') ? undefined : reference;
  if (tag !== undefined) {
    for (const extension of context.extensions) {
      const wait = extension.freshen?.({ repository, tag });
      if (wait !== undefined) return wait.then(() => serve(context, call, { repository, reference, tag }));
    }
  }
  return serve(context, call, { repository, reference, tag });
}

interface Wanted {
  readonly repository: string;
  readonly reference: string;
  readonly tag: string | undefined;
}

function serve(context: RegistryContext, call: Call, wanted: Wanted): Promise<void> | undefined {
  const digest = resolve(context, wanted);
  const record = digest === undefined ? undefined : context.catalog.manifest(wanted.repository, digest);
  if (digest === undefined || record === undefined) return missing(context, call, wanted);
  const bytes = context.manifests.get(digest);
  if (bytes instanceof Promise)
    return bytes.then((loaded) => send(context, call, { ...wanted, digest, record, bytes: loaded }));
  send(context, call, { ...wanted, digest, record, bytes });
  return undefined;
}

/** The digest a reference means. Throws `MANIFEST_INVALID` for what is neither tag nor digest. */
function resolve({ catalog }: RegistryContext, { repository, reference, tag }: Wanted): Digest | undefined {
  if (tag === undefined) return digestOf(reference);
  if (!isTag(tag)) throw registryError('TAG_INVALID', 'this is neither a tag nor a digest');
  return catalog.tag(repository, tag)?.digest;
}

async function missing(context: RegistryContext, call: Call, wanted: Wanted): Promise<void> {
  const { repository, reference } = wanted;
  for (const extension of context.extensions) {
    if (!(await extension.findManifest?.({ repository, reference, identity: call.identity }))) continue;
    const digest = resolve(context, wanted);
    const record = digest === undefined ? undefined : context.catalog.manifest(repository, digest);
    if (digest === undefined || record === undefined) continue;
    send(context, call, { ...wanted, digest, record, bytes: await context.manifests.get(digest) });
    return;
  }
  if (!context.catalog.hasRepository(repository)) throw unknownRepository(repository);
  throw registryError('MANIFEST_UNKNOWN', 'manifest unknown to registry', { detail: { reference } });
}

interface Found extends Wanted {
  readonly digest: Digest;
  readonly record: ManifestRecord;
  readonly bytes: Buffer;
}

function send(context: RegistryContext, call: Call, found: Found): void {
  const { digest, record, bytes, repository, tag } = found;
  const etag = `"${digest}"`;
  call.setHeader('Docker-Content-Digest', digest);
  call.setHeader('ETag', etag);
  const noneMatch = call.header('if-none-match');
  if (noneMatch !== undefined && matchesEtag(noneMatch, etag)) call.empty(304);
  else call.bytes(200, bytes, record.mediaType);
  if (call.method !== 'GET') return;
  for (const extension of context.extensions) extension.pulled?.({ repository, digest, tag, identity: call.identity });
}

/** `PUT /v2/<name>/manifests/<reference>`, with `tag` parameters (distribution-spec, "Pushing Manifests"). */
export async function putManifest(
  context: RegistryContext,
  call: Call,
  repository: string,
  reference: string,
): Promise<void> {
  const { catalog, storage, claims, manifests, leases } = context;
  const byDigest = reference.includes(':') ? digestOf(reference) : undefined;
  const tags = wantedTags(call, byDigest === undefined ? reference : undefined);
  const bytes = await receiveManifest(call.exchange);
  const parsed = parseManifest(bytes, call.header('content-type'));
  const digest = checkedDigest(bytes, byDigest ?? call.query.get('digest'));
  using _claim = await claims.claim(digest);
  await storage.put(digest, bytes);
  // What follows happens in one turn: nothing it looks at can change before it is written.
  checkConditions(context, call, repository, reference);
  checkReferences(context, repository, parsed);
  const manifest = recordOf(parsed, bytes.length, { at: context.now(), by: call.identity.name });
  catalog.putManifest({ repository, digest, manifest, tags });
  leases.renew(digestKey(repository, digest));
  manifests.add(digest, bytes);
  await catalog.committed();
  call.setHeaders({ Location: `/v2/${repository}/manifests/${reference}`, 'Docker-Content-Digest': digest });
  if (parsed.subject !== undefined) call.setHeader('OCI-Subject', parsed.subject);
  if (byDigest !== undefined && tags.length > 0) call.setHeader('OCI-Tag', tags.join(', '));
  call.empty(201);
}

function wantedTags(call: Call, tag: string | undefined): readonly string[] {
  const tags = [...new Set(tag === undefined ? call.query.getAll('tag') : [tag, ...call.query.getAll('tag')])];
  if (tags.length > MAX_TAG_PARAMETERS) {
    throw registryError('TAG_INVALID', `more than ${MAX_TAG_PARAMETERS} tags in one request`, { status: 414 });
  }
  const wrong = tags.find((each) => !isTag(each));
  if (wrong !== undefined)
    throw registryError('TAG_INVALID', 'the tag is malformed', { detail: { tag: wrong.slice(0, 160) } });
  return tags;
}

function checkedDigest(bytes: Buffer, claimed: string | null): Digest {
  const wanted = claimed === null ? undefined : digestOf(claimed);
  const algorithm = wanted === undefined ? 'sha256' : splitDigest(wanted).algorithm;
  const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (!isDigest(actual) || (wanted !== undefined && wanted !== actual))
    throw registryError('DIGEST_INVALID', 'the manifest does not have that digest', { detail: { digest: wanted } });
  return actual;
}

/** `If-Match` and `If-None-Match` of a push to a tag (RFC 9110, section 13): clients that share one use them against each other's changes. */
function checkConditions({ catalog }: RegistryContext, call: Call, repository: string, reference: string): void {
  const match = call.header('if-match');
  const noneMatch = call.header('if-none-match');
  if (match === undefined && noneMatch === undefined) return;
  const current = isDigest(reference)
    ? catalog.manifest(repository, reference) && reference
    : catalog.tag(repository, reference)?.digest;
  const holds = (header: string) => current !== undefined && matchesEtag(header, `"${current}"`);
  if ((match !== undefined && !holds(match)) || (noneMatch !== undefined && holds(noneMatch)))
    throw registryError('DENIED', 'the reference has changed meanwhile', { status: 412 });
}

/** Everything a manifest needs must be in the repository. Throws `MANIFEST_BLOB_UNKNOWN` naming what is missing. */
function checkReferences(
  { catalog, sparseIndexes }: RegistryContext,
  repository: string,
  parsed: ParsedManifest,
): void {
  const held = ({ digest }: Descriptor) => catalog.link(repository, digest) ?? catalog.manifest(repository, digest);
  const needed = sparseIndexes ? parsed.blobs : [...parsed.blobs, ...parsed.children];
  const missing = needed.filter((each) => held(each) === undefined);
  if (missing.length > 0) {
    throw registryError('MANIFEST_BLOB_UNKNOWN', 'manifest references a manifest or blob unknown to registry', {
      detail: { digests: missing.slice(0, 20).map(({ digest }) => digest) },
    });
  }
  const wrong = needed.find((each) => held(each)?.sizeBytes !== each.sizeBytes);
  if (wrong !== undefined) {
    throw registryError('MANIFEST_INVALID', 'a descriptor gives a size that its content does not have', {
      detail: { digest: wrong.digest, size: wrong.sizeBytes },
    });
  }
}

function recordOf(
  parsed: ParsedManifest,
  sizeBytes: number,
  made: { readonly at: number; readonly by: string },
): ManifestRecord {
  const { mediaType, blobs, children, subject, artifactType, annotations } = parsed;
  return {
    ...{ mediaType, sizeBytes, ...made },
    blobs: [...new Set(blobs.map(({ digest }) => digest))],
    children: [...new Set(children.map(({ digest }) => digest))],
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** `DELETE /v2/<name>/manifests/<reference>`: a tag alone, or a manifest with all its tags (distribution-spec, "Content Management"). */
export async function deleteManifest(
  context: RegistryContext,
  call: Call,
  repository: string,
  reference: string,
): Promise<void> {
  const { catalog } = context;
  const { identity } = call;
  if (!catalog.hasRepository(repository)) throw unknownRepository(repository);
  let deleted: boolean;
  if (reference.includes(':')) deleted = catalog.deleteManifest({ repository, digest: digestOf(reference), identity });
  else if (isTag(reference)) deleted = catalog.deleteTag({ repository, tag: reference, identity });
  else throw registryError('TAG_INVALID', 'this is neither a tag nor a digest');
  if (!deleted) throw registryError('MANIFEST_UNKNOWN', 'manifest unknown to registry', { detail: { reference } });
  await catalog.committed();
  call.empty(202);
}
