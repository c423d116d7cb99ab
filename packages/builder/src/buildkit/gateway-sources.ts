import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WharfError } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { hostPlatform } from '@wharf/oci/spec/platform';
import type { Builder } from '../build.ts';
import { fetchRemote } from '../docker-api/remote-context.ts';
import type { CredentialsSource } from '../interfaces.ts';
import type { StepSecrets } from '../ops/step-mounts.ts';
import type { BaseImage } from '../plan/vertex.ts';
import { parseGitReference } from '../sources/git/git-reference.ts';
import { download } from '../sources/http.ts';
import { type DefinitionMessage, sourcesOf } from './definition.ts';
import { graphAddress } from './named-contexts.ts';
import type { HeldResult } from './results.ts';

export interface SourceTools {
  readonly builder: Builder;
  readonly secrets: StepSecrets;
  readonly credentials: CredentialsSource;
  /** Stays for as long as the result is held. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * Fetches what a client describes as a graph of one source: a repository, a file, the archive in a file, an image. `bake` looks into
 * such for its definitions. Throws `not-implemented` for graphs that do more.
 */
export async function solveSource(definition: DefinitionMessage, tools: SourceTools): Promise<HeldResult> {
  const { builder, secrets, scratch, signal } = tools;
  const { source, isUnpacked } = sourcesOf(definition);
  const directory = join(scratch, `source-${randomBytes(8).toString('hex')}`);
  await mkdir(directory, { recursive: true });
  if (source === undefined) return { kind: 'directory', path: directory };
  const { identifier, attrs } = source;
  if (identifier.startsWith('docker-image://')) {
    const image = await resolveImage(identifier.slice('docker-image://'.length), hostPlatform(), tools);
    const layers = image.diffIds.flatMap((diffId, index) => {
      const descriptor = image.layers[index];
      return descriptor === undefined ? [] : [{ diffId, descriptor }];
    });
    const { config, platform, chainId } = image;
    return { kind: 'tree', tree: { chainId, layers }, config, platform };
  }
  const address = graphAddress(source);
  if (!isUnpacked && parseGitReference(address) === undefined) {
    const filename = attrs['http.filename'] ?? 'download';
    await download({ kind: 'http', url: address, filename, checksum: '', name: address }, directory, signal);
    return { kind: 'directory', path: directory };
  }
  const keepGitDir = attrs['git.keepgitdir'] === 'true';
  const fetched = await fetchRemote(address, directory, {
    repositories: builder.repositories,
    secrets,
    keepGitDir,
    signal,
  });
  return { kind: 'directory', path: fetched.directory };
}

/** An image as the engine has it, or its registry. */
export async function resolveImage(
  reference: string,
  platform: Platform,
  {
    builder,
    credentials,
    signal,
    pull = false,
  }: Omit<SourceTools, 'secrets' | 'scratch'> & { readonly pull?: boolean },
): Promise<BaseImage> {
  if (reference === '') throw new WharfError('invalid-argument', 'Cannot resolve an image without a name');
  return builder.images.resolve(reference, platform, { pull, progress: () => undefined, signal, credentials });
}
