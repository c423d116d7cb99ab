import { spawn } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, WharfError } from '@wharf/kit/errors';
import { cacheDirectory } from './fetch-application.ts';

const COMMIT = /^[0-9a-f]{40}$/;
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];

export interface GitSource {
  readonly remote: string;
  readonly ref: string;
  readonly directory: string;
}

/** `https://host/project.git#ref:directory`, `git@host:project.git`, `github.com/owner/project`. */
export function parseGitSource(text: string): GitSource {
  const [place = '', fragment = ''] = text.split('#');
  const [ref = '', directory = ''] = fragment.split(':');
  const remote = place.startsWith('github.com/') ? `https://${place}` : place;
  return { remote, ref: ref || 'HEAD', directory };
}

/** Fetches a repository and returns the path of the compose file in it. Commits are fetched once. */
export async function fetchGit(text: string, signal: AbortSignal): Promise<string> {
  const { remote, ref, directory } = parseGitSource(text);
  const commit = COMMIT.test(ref) ? ref : await commitOf(remote, ref, signal);
  const root = join(cacheDirectory(), commit);
  if (!existsSync(root)) {
    const draft = `${root}.${process.pid}`;
    try {
      await mkdir(draft, { recursive: true, mode: 0o700 });
      await git(['init', '--quiet', draft], signal);
      await git(['-C', draft, 'remote', 'add', 'origin', remote], signal);
      await git(['-C', draft, 'fetch', '--quiet', '--depth=1', 'origin', commit], signal);
      await git(['-C', draft, 'checkout', '--quiet', commit], signal);
      await rename(draft, root);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  return composeFile(root, directory, text);
}

function composeFile(root: string, directory: string, text: string): string {
  const path = join(root, directory);
  const missing = new WharfError('not-found', `Cannot load "${text}": there is no "${directory}" in it`);
  if (!existsSync(path)) throw missing;
  // A link may lead out of the repository, and so may `..`.
  const real = realpathSync(path);
  if (real !== realpathSync(root) && !real.startsWith(`${realpathSync(root)}/`)) throw missing;
  if (!statSync(real).isDirectory()) return real;
  const found = NAMES.map((name) => join(real, name)).find((each) => existsSync(each));
  if (found === undefined) {
    throw new WharfError('not-found', `Cannot load "${text}": there is no compose.yaml in it`, {
      hint: 'Name a directory of the repository: URL#REF:DIRECTORY.',
    });
  }
  return found;
}

async function commitOf(remote: string, ref: string, signal: AbortSignal): Promise<string> {
  const listed = await git(['ls-remote', '--exit-code', '--', remote, ref], signal);
  const commit = listed.slice(0, 40);
  if (!COMMIT.test(commit)) throw new WharfError('data-loss', `invalid commit sha ${JSON.stringify(commit)}`);
  return commit;
}

/** Runs git without questions. Throws what it said. */
function git(args: readonly string[], signal: AbortSignal): Promise<string> {
  const env = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: 'ssh -o ControlMaster=no -o BatchMode=yes',
    ...process.env,
  };
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.once('error', (error) => {
      if (signal.aborted) reject(signal.reason);
      else reject(new WharfError('unavailable', `Cannot run git: ${messageOf(error)}`, { hint: 'Install git.' }));
    });
    child.once('close', (code) => {
      if (code === 0) resolve(out);
      else
        reject(
          new WharfError('unavailable', `failed to access the repository:\n${err.trim() || `git ended with ${code}`}`),
        );
    });
  });
}
