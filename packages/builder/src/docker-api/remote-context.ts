import { createReadStream } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { redact, WharfError } from '@wharf/kit';
import { MAX_DOCKERFILE_BYTES } from '../limits.ts';
import type { StepSecrets } from '../ops/step-mounts.ts';
import { unpackContext } from '../sources/context.ts';
import { parseGitReference } from '../sources/git/git-reference.ts';
import type { GitRepositories } from '../sources/git/git-repositories.ts';
import { download } from '../sources/http.ts';

/** What `remote=` came to: a directory, or a Dockerfile alone. */
export interface RemoteContext {
  readonly directory: string;
  readonly dockerfile?: string;
}

/** True for what `fetchRemote` fetches. */
export function isRemote(address: string): boolean {
  return /^https?:\/\//.test(address) || parseGitReference(address) !== undefined;
}

/**
 * Fetches a remote build context into an empty directory: a git repository (`url#ref:directory`), an archive, or a text file, which
 * is taken as the Dockerfile (Engine API, "ImageBuild", `remote`). Throws `invalid-argument` or `unavailable`.
 */
export async function fetchRemote(
  remote: string,
  directory: string,
  options: {
    readonly repositories: GitRepositories;
    readonly secrets: StepSecrets;
    readonly keepGitDir: boolean;
    readonly signal: AbortSignal;
  },
): Promise<RemoteContext> {
  const { signal } = options;
  const reference = parseGitReference(remote);
  if (reference !== undefined) {
    const keepGitDir = options.keepGitDir || reference.keepGitDir === true;
    const { path } = await options.repositories.checkout(reference, directory, { ...options, keepGitDir });
    return { directory: path };
  }
  if (!/^https?:\/\//.test(remote)) {
    throw new WharfError('invalid-argument', `remoteURL (${redact(remote)}) could not be recognized as URL`);
  }
  const name = '.wharf-remote';
  await download({ kind: 'http', url: remote, filename: name, checksum: '', name: remote }, directory, signal);
  const path = join(directory, name);
  const text = await textOf(path);
  if (text === undefined) await unpackContext(createReadStream(path), directory, signal);
  await rm(path, { force: true });
  return text === undefined ? { directory } : { directory, dockerfile: text };
}

/** A file's text, when it is small and has no byte that text never has. */
async function textOf(path: string): Promise<string | undefined> {
  if ((await stat(path)).size > MAX_DOCKERFILE_BYTES) return undefined;
  const bytes = await readFile(path);
  return bytes.includes(0) || (bytes[0] === 0x1f && bytes[1] === 0x8b) ? undefined : bytes.toString('utf8');
}
