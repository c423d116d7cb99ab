import { WharfError } from '@wharf/kit/errors';
import type { RegistryConnection } from '@wharf/oci/remote/connection';
import { statusOf } from '@wharf/oci/remote/registry-error';
import { type ArtifactLayer, manifestOf, OCI_MANIFEST } from './artifact.ts';
import type { OpenRepository } from './registry.ts';

const PUSH = ['pull', 'push'];
const OCTETS = { 'content-type': 'application/octet-stream' };

/**
 * Puts an application into a repository: its files, then the manifest under the tag. Without a version it is OCI 1.1, and 1.0 where the
 * registry refuses that. Resolves with the manifest's digest.
 */
export async function pushArtifact(
  { repository, reference }: OpenRepository,
  layers: readonly ArtifactLayer[],
  given: { readonly version: '1.0' | '1.1' | undefined; readonly signal: AbortSignal },
): Promise<string> {
  const { version, signal } = given;
  const connection = repository.forPush();
  for (const layer of layers) await pushBlob(connection, layer, signal);
  const put = async (as: '1.0' | '1.1'): Promise<string> => {
    const { config, bytes, digest } = manifestOf(layers, { version: as, now: new Date() });
    await pushBlob(connection, config, signal);
    const to = `manifests/${reference.tag ?? 'latest'}`;
    const headers = { 'content-type': OCI_MANIFEST };
    await connection.read({ method: 'PUT', to, headers, body: bytes, actions: PUSH, signal });
    return digest;
  };
  try {
    return await put(version ?? '1.1');
  } catch (error) {
    const status = statusOf(error) ?? 0;
    const isRefused = status >= 400 && status < 500 && ![401, 403, 407].includes(status);
    if (version !== undefined || !isRefused) throw error;
    return put('1.0');
  }
}

async function pushBlob(
  connection: RegistryConnection,
  { descriptor, bytes }: ArtifactLayer,
  signal: AbortSignal,
): Promise<void> {
  const { digest } = descriptor;
  try {
    const answer = await connection.send({ method: 'HEAD', to: `blobs/${digest}`, actions: PUSH, signal });
    answer.body.resume();
    if (answer.status === 200) return;
  } catch (error) {
    // What is refused here is refused again, with its reasons, when the upload begins.
    if (![401, 403, 404, 405].includes(statusOf(error) ?? 0)) throw error;
  }
  const { answer } = await connection.read({ method: 'POST', to: 'blobs/uploads/', actions: PUSH, signal });
  const place = URL.parse(answer.headers.location ?? '', answer.url.href);
  if (place === null) throw new WharfError('unavailable', 'the registry does not say where to upload to');
  place.searchParams.set('digest', digest);
  await connection.read({ method: 'PUT', to: place, headers: OCTETS, body: bytes, actions: PUSH, signal });
}
