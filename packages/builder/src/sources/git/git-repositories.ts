import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { isKind, KeyedLock, redact, WharfError } from '@wharf/kit';
import { lutimesNs } from '@wharf/linux/fsx';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import { resolveInTree } from '../../files/resolve-path.ts';
import { MAX_KEPT_REPOSITORIES } from '../../limits.ts';
import type { StepSecrets } from '../../ops/step-mounts.ts';
import { gitAccess } from './git-access.ts';
import { type GitAccess, git } from './git-command.ts';
import type { GitReference } from './git-reference.ts';

/** A commit's files on this host. */
export interface Checkout {
  /** The directory that was meant. */
  readonly path: string;
  readonly commit: string;
}

/** A copy of a repository as the cache's books have it. */
export interface KeptRepository {
  readonly id: string;
  readonly path: string;
  readonly inUse: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

interface Repository {
  readonly reference: GitReference;
  /** Our own bare copy. */
  readonly bare: string;
  readonly access: GitAccess;
  readonly signal: AbortSignal;
}

/** What a remote calls a commit: its full name there, `undefined` for a commit named by itself. */
interface Wanted {
  readonly name: string | undefined;
  readonly commit: string;
}

const KNOWN_HOSTS = 'known_hosts';
const IS_COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** Our own copies are fetched from by their path. */
const OWN_COPY = 'file';

/**
 * Git repositories that builds were made of. Of each one a bare copy stays, so that a commit is fetched once; the least recently used go.
 * Nothing that a repository holds is ever run (see `git`).
 */
export class GitRepositories {
  readonly #root: string;
  readonly #locks = new KeyedLock();
  /** How many builds want each copy now. */
  readonly #uses = new Map<string, number>();

  readonly #keep: number;

  /** @param root a directory of its own */
  constructor(root: string, { keep = MAX_KEPT_REPOSITORIES }: { readonly keep?: number } = {}) {
    this.#root = root;
    this.#keep = keep;
  }

  /**
   * Puts the files of a commit into an empty directory. Throws `unavailable` when it cannot be fetched, `data-loss` when it is another
   * than the checksum says, `not-found` for a directory that the repository does not have.
   */
  async checkout(
    reference: GitReference,
    directory: string,
    {
      keepGitDir,
      secrets,
      signal,
    }: { readonly keepGitDir: boolean; readonly secrets: StepSecrets; readonly signal: AbortSignal },
  ): Promise<Checkout> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const access = await gitAccess(reference, secrets, join(this.#root, KNOWN_HOSTS));
    const name = createHash('sha256').update(reference.remote).digest('hex');
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    const repository: Repository = { reference, bare: join(this.#root, name), access, signal };
    try {
      return await this.#locks.run(name, async () => {
        const wanted = await fetchCommit(repository);
        await writeFiles(repository, wanted, directory, keepGitDir);
        return { commit: wanted.commit, path: await inside(reference, directory) };
      });
    } catch (error) {
      if (!isKind(error, 'unavailable')) throw error;
      throw new WharfError('unavailable', `Cannot fetch "${redact(reference.remote)}": ${error.message}`, {
        cause: error,
      });
    } finally {
      const uses = (this.#uses.get(name) ?? 1) - 1;
      if (uses > 0) this.#uses.set(name, uses);
      else this.#uses.delete(name);
      await this.#limit();
    }
  }

  /** The copies that are here. */
  async list(): Promise<readonly KeptRepository[]> {
    const names = (await readdir(this.#root).catch(() => [])).filter((name) => name !== KNOWN_HOSTS);
    const found = await Promise.all(
      names.map(async (id): Promise<KeptRepository | undefined> => {
        const path = join(this.#root, id);
        const status = await stat(path).catch(() => undefined);
        if (status === undefined) return undefined;
        const { birthtimeMs: createdAt, mtimeMs: lastUsedAt } = status;
        return { id, path, inUse: this.#uses.has(id), createdAt, lastUsedAt };
      }),
    );
    return found.filter((each) => each !== undefined);
  }

  /** Removes a copy. False when a build uses it. */
  async remove(id: string): Promise<boolean> {
    if (!/^[0-9a-f]{64}$/.test(id) || this.#uses.has(id)) return false;
    await this.#locks.run(id, () => rm(join(this.#root, id), { recursive: true, force: true }));
    return true;
  }

  /** Takes the copies away that no build has used for longest. */
  async #limit(): Promise<void> {
    const kept = (await this.list()).toSorted((left, right) => right.lastUsedAt - left.lastUsedAt);
    for (const { id } of kept.slice(this.#keep)) await this.remove(id);
  }
}

/** Sees to it that the commit is in our copy. */
async function fetchCommit(repository: Repository): Promise<Wanted> {
  const { reference, bare, signal } = repository;
  if (!existsSync(join(bare, 'HEAD'))) {
    await rm(bare, { recursive: true, force: true });
    await mkdir(bare, { recursive: true, mode: 0o700 });
    await git(['init', '--quiet', '--bare'], { cwd: bare, signal });
    await git(['config', 'uploadpack.allowAnySHA1InWant', 'true'], { cwd: bare, signal });
  }
  await utimes(bare, new Date(), new Date());
  const wanted = await resolve(repository);
  if (!wanted.commit.startsWith(reference.checksum)) {
    throw new WharfError('data-loss', `expected checksum to match ${reference.checksum}, got ${wanted.commit}`);
  }
  if (!(await hasCommit(repository, wanted.commit))) await fetchInto(repository, wanted);
  return wanted;
}

/** What the reference names now. A branch goes before a tag of the same name, and a tag means what it points at. */
async function resolve(repository: Repository): Promise<Wanted> {
  const { reference, bare, access, signal } = repository;
  const { ref, remote, checksum, fetchByCommit } = reference;
  if (fetchByCommit && IS_COMMIT.test(checksum)) return { name: undefined, commit: checksum };
  if (IS_COMMIT.test(ref)) return { name: undefined, commit: ref };
  if (ref === '' && IS_COMMIT.test(checksum)) return { name: undefined, commit: checksum };
  const short = ref.replace(/^refs\//, '');
  const names = ref === '' ? ['HEAD'] : [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`];
  if (ref !== '') names.push(`refs/${short}^{}`, `refs/${short}`);
  const listed = await git(['ls-remote', '--symref', '--', remote, ...names], { cwd: bare, access, signal });
  const commits = new Map(listed.split('\n').map((line) => [line.split('\t')[1] ?? '', line.split('\t')[0] ?? '']));
  for (const name of names) {
    const commit = commits.get(name);
    const branch = name === 'HEAD' ? /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(listed)?.[1] : undefined;
    if (commit !== undefined && IS_COMMIT.test(commit)) return { name: branch ?? name.replace(/\^\{\}$/, ''), commit };
  }
  throw new WharfError(
    'not-found',
    `repository "${redact(remote)}" does not contain ref "${ref === '' ? 'HEAD' : ref}"`,
  );
}

async function hasCommit({ bare, signal }: Repository, commit: string): Promise<boolean> {
  try {
    await git(['cat-file', '-e', `${commit}^{commit}`], { cwd: bare, signal });
    return true;
  } catch (error) {
    if (isKind(error, 'unavailable')) return false;
    throw error;
  }
}

/** Fetches no more than the commit where the server can do that, else all branches and tags. */
async function fetchInto(repository: Repository, wanted: Wanted): Promise<void> {
  const { reference, bare, access, signal } = repository;
  const fetch = ['fetch', '--quiet', '--no-tags', '--force', '--no-write-fetch-head'];
  const options = { cwd: bare, access, signal };
  try {
    const source = wanted.name ?? wanted.commit;
    await git([...fetch, '--depth=1', '--', reference.remote, `${source}:refs/wharf/${wanted.commit}`], options);
    if (await hasCommit(repository, wanted.commit)) return;
  } catch (error) {
    if (!isKind(error, 'unavailable')) throw error;
    // Servers may give out neither single commits nor shallow copies.
  }
  await git([...fetch, '--', reference.remote, 'refs/heads/*:refs/heads/*', 'refs/tags/*:refs/tags/*'], options);
  if (await hasCommit(repository, wanted.commit)) return;
  throw new WharfError(
    'not-found',
    `repository "${redact(reference.remote)}" does not contain commit ${wanted.commit}`,
  );
}

async function writeFiles(
  repository: Repository,
  wanted: Wanted,
  directory: string,
  keepGitDir: boolean,
): Promise<void> {
  const { reference, bare, access, signal } = repository;
  const { commit, name = '' } = wanted;
  await mkdir(directory, { recursive: true });
  const here = { cwd: directory, signal };
  await git(['init', '--quiet', '--template='], here);
  await git(['remote', 'add', 'origin', withoutCredentials(reference.remote)], here);
  const fetch = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--', `file://${bare}`];
  await git([...fetch, `${commit}:refs/wharf/checkout`], { ...here, protocols: OWN_COPY });
  const branch = name.startsWith('refs/heads/') ? name.slice('refs/heads/'.length) : undefined;
  const onto = branch === undefined ? ['--detach', commit] : ['-B', branch, commit];
  await git(['checkout', '--quiet', '--force', '--no-guess', ...onto], here);
  if (name.startsWith('refs/tags/')) await git(['update-ref', name, commit], here);
  await git(['update-ref', '-d', 'refs/wharf/checkout'], here);
  const modules = reference.submodules !== false && existsSync(join(directory, '.gitmodules'));
  if (modules) {
    const update = ['submodule', '--quiet', 'update', '--init', '--recursive', '--checkout', '--depth=1'];
    await git(update, { ...here, access });
  }
  if (!keepGitDir) await removeGitDirs(directory, modules, signal);
  if (reference.mtime === 'commit') {
    const seconds = await git(['log', '-1', '--format=%ct', commit], { cwd: bare, signal });
    await setTimes(directory, BigInt(seconds.trim()) * 1_000_000_000n);
  }
}

/** Gives everything one time; links themselves, not what they lead to. */
async function setTimes(directory: string, ns: bigint): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await setTimes(path, ns);
    else lutimesNs(path, { atimeNs: ns, mtimeNs: ns });
  }
  lutimesNs(directory, { atimeNs: ns, mtimeNs: ns });
}

async function removeGitDirs(directory: string, modules: boolean, signal: AbortSignal): Promise<void> {
  const listed = modules ? await git(['submodule', 'status', '--recursive'], { cwd: directory, signal }) : '';
  for (const line of listed.split('\n')) {
    const path = /^.[0-9a-f]+ (.*?)(?: \([^()]*\))?$/.exec(line)?.[1];
    if (path === undefined) continue;
    await rm(directory + toText(resolveInTree(directory, toBytes(`${path}/.git`), false)), {
      force: true,
      recursive: true,
    });
  }
  await rm(join(directory, '.git'), { recursive: true, force: true });
}

/** The directory that was meant. A repository may hold symlinks that lead anywhere: none of them leads out of it. */
async function inside({ remote, subdirectory }: GitReference, directory: string): Promise<string> {
  const path = directory + toText(resolveInTree(directory, toBytes(subdirectory)));
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory() === true) return path;
  throw new WharfError('not-found', `Cannot use "${redact(remote)}": it has no directory "${subdirectory}"`);
}

function withoutCredentials(remote: string): string {
  if (!URL.canParse(remote)) return remote;
  const url = new URL(remote);
  url.password = '';
  if (url.protocol !== 'ssh:') url.username = '';
  return url.href;
}
