import { join } from 'node:path';
import { isKind, WharfError } from '@wharf/kit';
import type { ContextDirectory } from '../build.ts';
import { contextPaths } from '../plan/context-paths.ts';
import type { BuildPlan } from '../plan/plan.ts';
import { ignorePatterns, readDockerfile } from '../sources/context.ts';
import type { KeptContexts } from '../sources/kept-contexts.ts';
import { listTree } from './list-tree.ts';
import type { Progress } from './progress.ts';
import { receiveFiles, receiveInto } from './receive-tree.ts';
import type { Session, Sessions } from './sessions.ts';

export interface LocalDirectoriesDeps {
  readonly sessions: Sessions;
  readonly session: Session;
  /** Sessions that lend single directories, by the directories' names (buildx shares them between builds). */
  readonly sessionIds: ReadonlyMap<string, string>;
  readonly kept: KeptContexts;
  readonly progress: Progress;
  /** Of this build alone; removed with it. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

interface Wanted {
  /** What the client calls the directory. */
  readonly name: string;
  /** What tells it from others of the same client. */
  readonly keptAs: string;
  readonly exclude: readonly string[];
}

/** The directories of a build's client, each fetched when it is first needed, and only what of it is read. */
export class LocalDirectories {
  readonly #deps: LocalDirectoriesDeps;
  readonly #lent = new AsyncDisposableStack();
  #count = 0;

  constructor(deps: LocalDirectoriesDeps) {
    this.#deps = deps;
  }

  /**
   * The Dockerfile, and the patterns of a .dockerignore of its own. Throws `not-found` in BuildKit's words.
   * @param name the directory it lies in
   */
  async dockerfile(
    name: string,
    filename: string,
  ): Promise<{ readonly text: string; readonly ignore: readonly string[] }> {
    return this.#deps.progress.step(`[internal] load build definition from ${filename}`, async () => {
      const path = await this.#receive(name, definitionFiles(filename));
      const text = await readDockerfile(path, filename === 'Dockerfile' ? '' : filename).catch((error: unknown) => {
        if (!isKind(error, 'invalid-argument')) throw error;
        throw new WharfError('not-found', `failed to read dockerfile: open ${filename}: no such file or directory`);
      });
      return { text, ignore: await ignorePatterns(path, filename) };
    });
  }

  /** What a directory's own .dockerignore says. */
  async ignorePatterns(name: string, label: string): Promise<readonly string[]> {
    return this.#deps.progress.step(`${label} load .dockerignore`, async () =>
      ignorePatterns(await this.#receive(name, ['.dockerignore']), ''),
    );
  }

  /** The directory as far as plans read it; it stays until `done`. */
  async context(plans: readonly BuildPlan[], { name, keptAs, exclude }: Wanted): Promise<ContextDirectory> {
    const { kept, signal } = this.#deps;
    const session = await this.#sessionOf(name);
    const key = session.sharedKey === '' ? undefined : session.sharedKey + keptAs;
    const place = this.#lent.use(await kept.take(key, signal));
    const follow = contextPaths(plans, name);
    const bytes = await receiveInto(place, session, { name, exclude, follow }, signal);
    this.#deps.progress.transferred(name, bytes);
    place.received();
    return { path: place.tree, index: place.index };
  }

  /** The paths of a directory that a pattern matches, whatever its .dockerignore says. */
  async names(name: string, pattern: string): Promise<readonly string[]> {
    return listTree(await this.#sessionOf(name), { name, exclude: [], follow: [pattern] }, this.#deps.signal);
  }

  /** The build has ended: what was fetched stays for the next one. */
  async done(): Promise<void> {
    await this.#lent.disposeAsync();
  }

  async #receive(name: string, follow: readonly string[]): Promise<string> {
    this.#count += 1;
    const path = join(this.#deps.scratch, `local-${this.#count}`);
    await receiveFiles(path, await this.#sessionOf(name), { name, exclude: [], follow }, this.#deps.signal);
    return path;
  }

  async #sessionOf(name: string): Promise<Session> {
    const { sessions, sessionIds, session } = this.#deps;
    const id = sessionIds.get(name);
    return id === undefined ? session : sessions.get(id);
  }
}

function definitionFiles(filename: string): readonly string[] {
  const lower = filename === 'Dockerfile' ? ['dockerfile'] : [];
  return [filename, `${filename}.dockerignore`, ...lower];
}
