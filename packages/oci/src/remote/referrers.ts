import { type Digest, splitDigest, WharfError } from '@wharf/kit';
import { readReply } from '@wharf/wire/http/read-reply';
import type { Descriptor } from '../spec/image.ts';
import { OCI_INDEX } from '../spec/media-types.ts';
import type { HostCall } from './connection.ts';
import { MANIFEST_BYTES, REFERRER_PAGES } from './limits.ts';
import { statusOf } from './registry-error.ts';
import type { RemoteRepository } from './repository.ts';
import { fetchDocument } from './resolver.ts';
import { nextPage } from './tags.ts';

/**
 * The manifests whose subject is a digest (distribution-spec, "Listing Referrers"); of a registry without that API, what its clients keep
 * under the referrers tag. Throws what the registry refuses.
 */
export async function listReferrers(
  repository: RemoteRepository,
  subject: Digest,
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  let next: string | URL | undefined = `referrers/${subject}`;
  for (let page = 0; next !== undefined && page < REFERRER_PAGES; page += 1) {
    const to: string | URL = next;
    const call: HostCall = { method: 'GET', to, headers: { accept: OCI_INDEX }, signal };
    try {
      next = await repository.firstOf('resolve', call, async (answer) => {
        found.push(...descriptorsOf(await readReply(answer.body, MANIFEST_BYTES)));
        return nextPage(answer.headers.link, answer.url);
      });
    } catch (error) {
      if (page > 0 || statusOf(error) !== 404) throw error;
      return byTag(repository, subject, signal);
    }
  }
  return found;
}

async function byTag(
  repository: RemoteRepository,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const { algorithm, hex } = splitDigest(subject);
  try {
    // The tag's characters and length are limited (distribution-spec, "Referrers Tag Schema").
    const tag = `${algorithm.slice(0, 32)}-${hex.slice(0, 64)}`;
    return descriptorsOf((await fetchDocument(repository, tag, { signal })).bytes);
  } catch (error) {
    if (statusOf(error) === 404) return [];
    throw error;
  }
}

function descriptorsOf(bytes: Buffer): readonly Descriptor[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new WharfError('unavailable', 'the registry answered with something that is not JSON', { cause });
  }
  const list = typeof parsed === 'object' && parsed !== null && 'manifests' in parsed ? parsed.manifests : undefined;
  return Array.isArray(list) ? list.filter(isDescriptor) : [];
}

function isDescriptor(value: unknown): value is Descriptor {
  return (
    typeof value === 'object' &&
    value !== null &&
    'digest' in value &&
    typeof value.digest === 'string' &&
    'size' in value &&
    typeof value.size === 'number' &&
    'mediaType' in value &&
    typeof value.mediaType === 'string'
  );
}
