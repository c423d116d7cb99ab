import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { WharfError } from '@wharf/kit';
import type { ApplyOutcome, ApplyParams } from '@wharf/oci/layers/apply-job';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import { layerPool } from '@wharf/oci/workers/pool';
import { PatternList, readIgnoreFile } from '../files/pattern-list.ts';
import { resolveInTree } from '../files/resolve-path.ts';
import { MAX_CONTEXT_BYTES, MAX_DOCKERFILE_BYTES } from '../limits.ts';

/**
 * Unpacks a build context that came as an archive, compressed or not, into an empty directory. Everything in it is root's, since
 * who owned it at the client means nothing here. Throws `data-loss` for a broken archive, `resource-exhausted` for a full disk.
 */
export async function unpackContext(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await layerPool.run<ApplyParams, ApplyOutcome>({
    module: import.meta.resolve('@wharf/oci/layers/apply-job'),
    job: 'applyJob',
    params: {
      target: directory,
      options: { base: '', whiteouts: 'none', parents: 'make', keepRoot: true, owner: { uid: 0, gid: 0 } },
    },
    input: bounded(source),
    signal,
  });
}

async function* bounded(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > MAX_CONTEXT_BYTES) {
      throw new WharfError(
        'resource-exhausted',
        `Cannot read the build context: it is larger than ${MAX_CONTEXT_BYTES} bytes`,
      );
    }
    yield chunk;
  }
}

/** The text of a context's Dockerfile; symlinks lead nowhere outside. Throws `invalid-argument` in Docker's words without one. */
export async function readDockerfile(directory: string, name: string): Promise<string> {
  const wanted = name === '' ? 'Dockerfile' : name;
  const text =
    (await readText(directory, wanted)) ?? (name === '' ? await readText(directory, 'dockerfile') : undefined);
  if (text === undefined) {
    throw new WharfError('invalid-argument', `Cannot locate specified Dockerfile: ${wanted}`);
  }
  return text;
}

/** The patterns of the .dockerignore that belongs to a Dockerfile: its own before the context's. */
export async function ignorePatterns(directory: string, dockerfile: string): Promise<readonly string[]> {
  const text =
    (await readText(directory, `${dockerfile}.dockerignore`)) ?? (await readText(directory, '.dockerignore'));
  return text === undefined ? [] : readIgnoreFile(text);
}

async function readText(directory: string, name: string): Promise<string | undefined> {
  const path = directory + toText(resolveInTree(directory, toBytes(name)));
  const status = await stat(path).catch(() => undefined);
  if (status === undefined || !status.isFile()) return undefined;
  if (status.size > MAX_DOCKERFILE_BYTES) {
    throw new WharfError('invalid-argument', `Cannot read "${name}": it is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
  }
  return readFileSync(path, 'utf8');
}

/**
 * Clients send the Dockerfile and .dockerignore even where .dockerignore names them, since the builder needs them; to COPY they must
 * not be there.
 */
export async function removeOwnFiles(directory: string, dockerfile: string): Promise<void> {
  const list = new PatternList(await ignorePatterns(directory, dockerfile));
  for (const name of ['.dockerignore', dockerfile]) {
    const cleaned = posix.normalize(name).replace(/^\/+/, '');
    if (list.matches(cleaned))
      await rm(directory + toText(resolveInTree(directory, toBytes(cleaned), false)), { force: true });
  }
}

/** Takes out of a context what its patterns say; the Dockerfile's own rules apply to contexts that no client has filtered. */
export async function applyIgnorePatterns(directory: string, patterns: readonly string[]): Promise<void> {
  const list = new PatternList(patterns);
  if (list.isEmpty) return;
  await prune(directory, '', list);
}

async function prune(root: string, name: string, list: PatternList): Promise<boolean> {
  let kept = false;
  for (const entry of await readdir(join(root, name), { withFileTypes: true })) {
    const path = name === '' ? entry.name : `${name}/${entry.name}`;
    const isOut = list.matches(path);
    if (isOut && (!entry.isDirectory() || list.isFinal)) {
      await rm(join(root, path), { recursive: true, force: true });
      continue;
    }
    const inside = entry.isDirectory() ? await prune(root, path, list) : true;
    if (isOut && !inside) await rm(join(root, path), { recursive: true, force: true });
    else kept = true;
  }
  return kept;
}
