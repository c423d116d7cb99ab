import { createReadStream, existsSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { redact, WharfError } from '@wharf/kit';
import { runTool } from '@wharf/linux/spawn';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import { resolveInTree } from '../files/resolve-path.ts';
import { MAX_DOCKERFILE_BYTES } from '../limits.ts';
import { unpackContext } from '../sources/context.ts';
import { download } from '../sources/http.ts';

/** What `remote=` came to: a directory, or a Dockerfile alone. */
interface RemoteContext {
  readonly directory: string;
  readonly dockerfile?: string;
}

const GIT =
  /^(git@|git:\/\/|ssh:\/\/|https?:\/\/[^#?]*\.git(#.*)?$|https?:\/\/github\.com\/[^/]+\/[^/]+(#.*)?$|github\.com\/)/;
const GIT_DEADLINE_MS = 10 * 60_000;

/**
 * Fetches a remote build context into an empty directory: a git repository (`url#ref:directory`), an archive, or a text file, which
 * is taken as the Dockerfile (Engine API, "ImageBuild", `remote`). Throws `invalid-argument` or `unavailable`.
 */
export async function fetchRemote(remote: string, directory: string, signal: AbortSignal): Promise<RemoteContext> {
  if (GIT.test(remote)) return { directory: await cloneRepository(remote, directory, signal) };
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

async function cloneRepository(remote: string, directory: string, signal: AbortSignal): Promise<string> {
  const [address = '', fragment = ''] = remote.split('#', 2);
  const [ref = '', subdirectory = ''] = fragment.split(':', 2);
  const url = address.startsWith('github.com/') ? `https://${address}` : address;
  if (url.startsWith('-') || ref.startsWith('-')) {
    throw new WharfError(
      'invalid-argument',
      `Cannot use "${redact(remote)}" as a git repository: it begins with a dash`,
    );
  }
  const git = ['/usr/bin/git', '/usr/local/bin/git'].find((path) => existsSync(path));
  if (git === undefined) {
    throw new WharfError('failed-precondition', `Cannot fetch "${redact(remote)}": "git" is not installed`, {
      hint: 'apt-get install git',
    });
  }
  const run = async (...args: readonly string[]): Promise<void> => {
    signal.throwIfAborted();
    const result = await runTool({
      path: git,
      argv: [git, '-C', directory, ...args],
      timeoutMs: GIT_DEADLINE_MS,
      env: { PATH: process.env['PATH'], HOME: directory, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' },
    });
    if (result.code !== 0) {
      const said = redact(result.stderr.toString('utf8').trim());
      throw new WharfError('unavailable', `Cannot fetch "${redact(remote)}": git ${args[0]} failed: ${said}`);
    }
  };
  await run('init', '--quiet');
  await run('fetch', '--quiet', '--depth=1', '--no-tags', '--', url, ref === '' ? 'HEAD' : ref);
  await run('checkout', '--quiet', '--detach', 'FETCH_HEAD');
  await rm(join(directory, '.git'), { recursive: true, force: true });
  // A repository may hold symlinks that lead anywhere.
  const inside = directory + toText(resolveInTree(directory, toBytes(subdirectory)));
  if (!existsSync(inside)) {
    throw new WharfError('invalid-argument', `Cannot use "${redact(remote)}": it has no directory "${subdirectory}"`);
  }
  return inside;
}
