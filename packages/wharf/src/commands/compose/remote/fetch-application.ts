import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { WharfError } from '@wharf/kit/errors';
import { formatFamiliar } from '@wharf/kit/reference';
import { fetchDocument } from '@wharf/oci/remote/resolver';
import { readReply } from '@wharf/wire/http/read-reply';
import {
  type ArtifactDescriptor,
  type ArtifactManifest,
  digestOf,
  ENV_FILE_NOTE,
  ENV_FILE_TYPE,
  EXTENDS_NOTE,
  FILE_NOTE,
  FILE_TYPE,
  isApplication,
} from './artifact.ts';
import { MAX_FILE_BYTES, MAX_FILES } from './limits.ts';
import { type OpenRepository, openRepository } from './registry.ts';

interface Index {
  readonly manifests?: readonly (ArtifactDescriptor & { readonly artifactType?: string })[];
}

/** Where files of others are kept: docker compose's place. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'docker-compose');
}

/**
 * Fetches an application from a registry and returns the path of its compose file, in which all its files stand one behind the other. What
 * was fetched before is there already: directories are called by the digest of their manifest.
 */
export async function fetchApplication(name: string, signal: AbortSignal): Promise<string> {
  using open = await openRepository(name);
  const { bytes, digest } = await manifestDocument(open, signal);
  const directory = join(cacheDirectory(), digest.slice('sha256:'.length));
  const file = join(directory, 'compose.yaml');
  if (existsSync(file)) return file;
  const manifest = JSON.parse(bytes.toString('utf8')) as ArtifactManifest;
  if (!isApplication(manifest)) {
    throw new WharfError(
      'invalid-argument',
      `${formatFamiliar(open.reference)} is not a compose project OCI artifact, but ${manifest.artifactType || 'an image'}`,
      { hint: '`wharf compose publish` makes one.' },
    );
  }
  const layers = manifest.layers ?? [];
  if (layers.length > MAX_FILES) {
    throw new WharfError('resource-exhausted', `${formatFamiliar(open.reference)} has more than ${MAX_FILES} files`);
  }
  // All files are there, or the directory is not.
  const draft = `${directory}.${process.pid}`;
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 });
    for (const [path, content] of await filesOf(open, layers, signal)) {
      await writeFile(join(draft, path), content, { mode: 0o600 });
    }
    await rm(directory, { recursive: true, force: true });
    await rename(draft, directory);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return file;
}

/** The manifest; of an index, that of the application it holds. */
async function manifestDocument(open: OpenRepository, signal: AbortSignal) {
  const { repository, reference } = open;
  const found = await fetchDocument(repository, reference.digest ?? reference.tag ?? 'latest', { signal });
  const { manifests } = JSON.parse(found.bytes.toString('utf8')) as Index;
  if (manifests === undefined) return { bytes: found.bytes, digest: found.descriptor.digest as string };
  const wanted = manifests.find((each) => isApplication({ artifactType: each.artifactType ?? '' }));
  if (wanted === undefined) {
    throw new WharfError(
      'invalid-argument',
      `OCI index ${formatFamiliar(reference)} doesn't refer to compose artifacts`,
    );
  }
  const { bytes, descriptor } = await fetchDocument(repository, wanted.digest, { signal });
  return { bytes, digest: descriptor.digest as string };
}

async function filesOf(
  open: OpenRepository,
  layers: readonly ArtifactDescriptor[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const layer of layers) {
    const { mediaType, annotations = {} } = layer;
    const isEnvironment = mediaType === ENV_FILE_TYPE;
    if (mediaType !== FILE_TYPE && !isEnvironment) continue;
    const own = isEnvironment ? annotations[ENV_FILE_NOTE] : annotations[EXTENDS_NOTE] && annotations[FILE_NOTE];
    const path = own ? plainName(own) : 'compose.yaml';
    const content = await blobOf(open, layer, signal);
    const before = files.get(path);
    files.set(path, before === undefined ? content : Buffer.concat([before, Buffer.from('\n---\n'), content]));
  }
  return files;
}

/** Names come from somebody else: they may lead nowhere. */
function plainName(name: string): string {
  if (/^[\w.-]+$/.test(name) && name !== '.' && name !== '..') return name;
  throw new WharfError('invalid-argument', `invalid OCI artifact: "${name}" is no name of a file in it`);
}

async function blobOf(
  { repository }: OpenRepository,
  { digest, size }: ArtifactDescriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  if (size > MAX_FILE_BYTES) {
    throw new WharfError(
      'resource-exhausted',
      `file ${digest} of the application is larger than ${MAX_FILE_BYTES} bytes`,
    );
  }
  const call = { method: 'GET', to: `blobs/${digest}`, signal } as const;
  return repository.firstOf('pull', call, async (answer) => {
    const bytes = await readReply(answer.body, MAX_FILE_BYTES);
    if (digestOf(bytes) === digest) return bytes;
    throw new WharfError('data-loss', `the registry has sent something else for ${digest}`);
  });
}
