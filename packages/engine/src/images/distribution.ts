import { WharfError } from '@wharf/kit';
import { CONFIG_BYTES } from '@wharf/oci/remote/limits';
import { statusOf } from '@wharf/oci/remote/registry-error';
import type { RemoteRepository } from '@wharf/oci/remote/repository';
import { fetchDocument } from '@wharf/oci/remote/resolver';
import type { Descriptor, Platform } from '@wharf/oci/spec/image';
import { isIndexType } from '@wharf/oci/spec/media-types';
import { readReply } from '@wharf/wire/http/read-reply';
import { checkIndex, checkManifest } from './documents.ts';

export interface DistributionInspect {
  readonly Descriptor: Descriptor;
  readonly Platforms: readonly Platform[];
}

/** What a registry has under a name, and for which platforms. Throws with dockerd's words. */
export async function inspectRemote(repository: RemoteRepository, signal: AbortSignal): Promise<DistributionInspect> {
  const { reference } = repository;
  try {
    const name = reference.digest ?? reference.tag ?? '';
    const { descriptor, bytes } = await fetchDocument(repository, name, { signal });
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    if (isIndexType(descriptor.mediaType)) {
      const { manifests } = checkIndex(document, descriptor.digest);
      return {
        Descriptor: descriptor,
        Platforms: manifests.map(({ platform }) => platformIn(platform)),
      };
    }
    const { config } = checkManifest(document, descriptor.digest);
    return { Descriptor: descriptor, Platforms: await configPlatforms(repository, config, signal) };
  } catch (error) {
    throw inspectError(error);
  }
}

async function configPlatforms(
  repository: RemoteRepository,
  config: Descriptor,
  signal: AbortSignal,
): Promise<readonly Platform[]> {
  const call = { method: 'GET', to: `blobs/${config.digest}`, signal } as const;
  const bytes = await repository
    .firstOf('pull', call, (answer) => readReply(answer.body, CONFIG_BYTES))
    .catch(() => undefined);
  if (bytes === undefined) return [];
  try {
    const parsed = JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>>;
    const text = (key: string): string => (typeof parsed[key] === 'string' ? parsed[key] : '');
    if (text('os') === '' && text('architecture') === '') return [];
    return [platformIn(parsed as unknown as Platform)];
  } catch {
    return [];
  }
}

/** The fields of a platform alone, in Docker's order. */
function platformIn(given: Platform | undefined): Platform {
  // What a registry sends may lack what its type promises.
  const known: Partial<Platform> = given ?? {};
  const { architecture = '', os = '', variant } = known;
  const [version, features] = [given?.['os.version'], given?.['os.features']];
  return {
    architecture,
    os,
    ...(version ? { 'os.version': version } : {}),
    ...(features ? { 'os.features': features } : {}),
    ...(variant ? { variant } : {}),
  };
}

function inspectError(error: unknown): unknown {
  if (!(error instanceof WharfError)) return error;
  const status = statusOf(error);
  if (status === 404) return new WharfError('not-found', 'manifest unknown: manifest unknown', { cause: error });
  if (status === 401 || error.code === 'no-credentials') {
    return new WharfError('unauthenticated', error.message.replace(/^error from registry: /, 'unauthorized: '), {
      cause: error,
    });
  }
  if (status === 403) {
    return new WharfError('permission-denied', error.message.replace(/^error from registry: /, 'denied: '), {
      cause: error,
    });
  }
  if (error.kind === 'unavailable') return new WharfError('internal', error.message, { cause: error });
  return error;
}
