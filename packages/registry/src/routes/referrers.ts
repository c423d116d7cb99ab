import type { Digest } from '@wharf/kit';
import { OCI_INDEX } from '@wharf/oci/spec/media-types';
import type { Call } from '../http/call.ts';
import { MAX_REFERRERS_BYTES } from '../limits.ts';
import { readAnnotations } from '../model/manifest.ts';
import type { ManifestRecord } from '../model/records.ts';
import { digestOf } from './blobs.ts';
import type { RegistryContext } from './context.ts';

/**
 * `GET /v2/<name>/referrers/<digest>` (distribution-spec, "Listing Referrers"): an index of the manifests whose subject is the digest, with a
 * filter by artifact type, by pages when they do not fit into one manifest. Images that older clients have listed under the referrers tag are
 * manifests of this repository with a subject, so they are here without that tag being read. A cache asks its upstream first.
 */
export async function listReferrers(
  context: RegistryContext,
  call: Call,
  repository: string,
  reference: string,
): Promise<void> {
  const subject = digestOf(reference);
  const type = call.query.get('artifactType');
  for (const extension of context.extensions) await extension.findReferrers?.({ repository, subject });
  const all = [...context.catalog.referrersOf(repository, subject)].sort();
  const after = call.query.get('last');
  const parts: string[] = [];
  let bytes = 0;
  let last: Digest | undefined;
  for (const digest of after === null ? all : all.filter((each) => each > after)) {
    const record = context.catalog.manifest(repository, digest);
    if (record === undefined || (type !== null && type !== '' && record.artifactType !== type)) continue;
    const text = JSON.stringify(await descriptorOf(context, digest, record));
    if (bytes + text.length > MAX_REFERRERS_BYTES && last !== undefined) {
      const filter = type === null ? '' : `&artifactType=${encodeURIComponent(type)}`;
      call.setHeader(
        'Link',
        `</v2/${repository}/referrers/${subject}?last=${encodeURIComponent(last)}${filter}>; rel="next"`,
      );
      break;
    }
    parts.push(text);
    bytes += text.length + 1;
    last = digest;
  }
  if (type !== null && type !== '') call.setHeader('OCI-Filters-Applied', 'artifactType');
  call.text(200, `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${parts.join(',')}]}`, OCI_INDEX);
}

async function descriptorOf({ manifests }: RegistryContext, digest: Digest, record: ManifestRecord): Promise<object> {
  const { mediaType, sizeBytes: size, artifactType } = record;
  const annotations = record.annotations === 'long' ? readAnnotations(await manifests.get(digest)) : record.annotations;
  return { mediaType, digest, size, artifactType, annotations };
}
