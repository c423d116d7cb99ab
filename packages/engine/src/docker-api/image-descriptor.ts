import type { OCIDescriptor } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { Engine } from '../engine.ts';

/** The descriptor of the manifest a container was made from; `undefined` once its content is gone. */
export async function manifestDescriptor(engine: Engine, record: ContainerRecord): Promise<OCIDescriptor | undefined> {
  if (record.manifestDigest === '') return undefined;
  const blob = await engine.content.stat(record.manifestDigest);
  if (!blob) return undefined;
  const manifest: unknown = JSON.parse((await engine.content.read(record.manifestDigest)).toString('utf8'));
  const mediaType =
    typeof manifest === 'object' && manifest !== null && 'mediaType' in manifest ? String(manifest.mediaType) : '';
  return {
    mediaType: mediaType || 'application/vnd.oci.image.manifest.v1+json',
    digest: record.manifestDigest,
    size: blob.sizeBytes,
    platform: record.platform,
  };
}
