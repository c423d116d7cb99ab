import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Semaphore } from '@wharf/kit/semaphore';
import { MANY_EVENTS, MAX_DIRECTORIES, POLL_MS, SCAN_WIDTH } from './limits.ts';

export interface TreeWatcherOptions {
  /** Absolute paths of directories or files; one that is not there yet is waited for. */
  readonly roots: readonly string[];
  /** Of directories and files: nothing at it or below it is of interest. */
  readonly isIgnored: (path: string) => boolean;
  /** Called with paths that came, changed or went. */
  readonly onChange: (paths: readonly string[]) => void;
  /** Said once: why some directories are only looked at from time to time. */
  readonly warn: (message: string) => void;
}

interface Seen {
  readonly isDirectory: boolean;
  readonly mark: string;
}

interface Directory {
  /** Absent: the kernel had no watch left, and the directory is looked at from time to time. */
  readonly watcher: FSWatcher | undefined;
  /** Names that matter of a directory that is watched for a file or for what is not there yet; absent: all. */
  readonly only: Set<string> | undefined;
  entries: ReadonlyMap<string, Seen>;
}

/**
 * Watches trees for changes and misses none: a directory is watched before it is read, whatever is told of it makes it be read again, and
 * after a burst in which the kernel may have dropped news everything is. What an event names counts as changed even when it looks the
 * same, since two changes within one tick of the file system's clock do.
 */
export class TreeWatcher {
  readonly #options: TreeWatcherOptions;
  readonly #directories = new Map<string, Directory>();
  readonly #dirty = new Map<string, Set<string>>();
  readonly #slots = new Semaphore(SCAN_WIDTH);
  #events = 0;
  #pollTimer: NodeJS.Timeout | undefined;
  #isScanning = false;
  /** Until all is read for the first time nothing is compared: it would all be new. */
  #isStarted = false;
  #isClosed = false;

  constructor(options: TreeWatcherOptions) {
    this.#options = options;
  }

  /** Watches; what is there already is not told of. Resolves when every change from now on is heard of. */
  async start(): Promise<void> {
    for (const root of this.#options.roots) await this.#addRoot(root, undefined);
    this.#isStarted = true;
    this.#scanSoon();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pollTimer);
    for (const { watcher } of this.#directories.values()) watcher?.close();
    this.#directories.clear();
  }

  async #addRoot(root: string, found: string[] | undefined): Promise<void> {
    const status = await lstat(root).catch(() => undefined);
    if (status?.isDirectory() === true) {
      await this.#add(root, undefined, found);
      return;
    }
    if (status !== undefined && found !== undefined) found.push(root);
    // A file is replaced by editors, and a path that is not there will be made: both are seen in the directory above.
    const parent = dirname(root);
    if ((await lstat(parent).catch(() => undefined))?.isDirectory() === true) {
      await this.#add(parent, basename(root), found);
    } else if (parent !== root) {
      await this.#addRoot(parent, found);
    }
  }

  /** Watches a directory and all below it. With `found` what is in it is new, and noted there. */
  async #add(path: string, only: string | undefined, found: string[] | undefined): Promise<void> {
    const known = this.#directories.get(path);
    if (known !== undefined) {
      if (only === undefined && known.only !== undefined) this.#drop(path);
      else {
        if (only !== undefined) known.only?.add(only);
        return;
      }
    }
    if (this.#isClosed || this.#directories.size >= MAX_DIRECTORIES) return;
    const directory: Directory = {
      watcher: this.#watch(path),
      only: only === undefined ? undefined : new Set([only]),
      entries: new Map(),
    };
    this.#directories.set(path, directory);
    await this.#read(path, directory, found);
  }

  #watch(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(path, { persistent: true }, (_event, name) => this.#heard(path, name ?? undefined));
      watcher.on('error', () => this.#heard(path, undefined));
      return watcher;
    } catch (error) {
      if (!isOutOfWatches(error)) return undefined;
      this.#poll();
      return undefined;
    }
  }

  #poll(): void {
    if (this.#pollTimer !== undefined) return;
    this.#options.warn(
      'the kernel has no file watches left, so that some directories are looked at once a second; raise fs.inotify.max_user_watches, or leave directories out by `ignore`',
    );
    this.#pollTimer = setInterval(() => {
      for (const [path, { watcher }] of this.#directories) if (watcher === undefined) this.#heard(path, undefined);
    }, POLL_MS);
  }

  #heard(path: string, name: string | undefined): void {
    if (this.#isClosed) return;
    this.#events += 1;
    const names = this.#dirty.get(path) ?? new Set();
    if (name !== undefined) names.add(name);
    this.#dirty.set(path, names);
    this.#scanSoon();
  }

  #scanSoon(): void {
    if (!this.#isStarted || this.#isScanning || this.#dirty.size === 0) return;
    this.#isScanning = true;
    void this.#scan().finally(() => {
      this.#isScanning = false;
      this.#scanSoon();
    });
  }

  /** Reads what is dirty until nothing is. */
  async #scan(): Promise<void> {
    while (this.#dirty.size > 0 && !this.#isClosed) {
      if (this.#events > MANY_EVENTS) for (const path of this.#directories.keys()) this.#mark(path);
      this.#events = 0;
      const round = [...this.#dirty];
      this.#dirty.clear();
      const changed: string[] = [];
      for (const [path, names] of round) {
        const directory = this.#directories.get(path);
        if (directory === undefined) continue;
        await this.#read(path, directory, changed);
        for (const name of names) this.#named(path, name, directory, changed);
      }
      if (changed.length > 0) this.#options.onChange([...new Set(changed)]);
    }
  }

  #mark(path: string): void {
    if (!this.#dirty.has(path)) this.#dirty.set(path, new Set());
  }

  /** What an event named counts, but for directories: of those only what is in them does. */
  #named(path: string, name: string, { entries, only }: Directory, changed: string[]): void {
    const seen = entries.get(name);
    if (seen === undefined || seen.isDirectory || (only !== undefined && !only.has(name))) return;
    const full = join(path, name);
    if (!this.#options.isIgnored(full)) changed.push(full);
  }

  /** Compares a directory with what it was, and notes differences. `undefined` for the first look, when nothing is news. */
  async #read(path: string, directory: Directory, changed: string[] | undefined): Promise<void> {
    const names = await readdir(path).catch(() => undefined);
    if (names === undefined) {
      this.#gone(path, changed);
      return;
    }
    const before = directory.entries;
    const after = new Map<string, Seen>();
    await Promise.all(
      names
        .filter((name) => directory.only === undefined || directory.only.has(name))
        .map(async (name) => {
          const full = join(path, name);
          if (this.#options.isIgnored(full)) return;
          const status = await this.#status(full);
          if (status === undefined) return;
          const isDirectory = status.isDirectory();
          const mark = isDirectory
            ? 'd'
            : `${status.mode} ${status.size} ${status.mtimeNs} ${status.ctimeNs} ${status.ino}`;
          after.set(name, { isDirectory, mark });
        }),
    );
    directory.entries = after;
    for (const [name, { isDirectory }] of before) {
      if (after.get(name)?.isDirectory === isDirectory) continue;
      if (isDirectory) this.#gone(join(path, name), changed);
      if (!after.has(name)) changed?.push(join(path, name));
    }
    for (const [name, { isDirectory, mark }] of after) {
      const full = join(path, name);
      if (before.get(name)?.mark !== mark) changed?.push(full);
      if (isDirectory && directory.only === undefined) await this.#add(full, undefined, changed);
      else if (isDirectory) await this.#addRoots(full, changed);
    }
  }

  /** A directory that was waited for is there: the roots at or below it are. */
  async #addRoots(path: string, changed: string[] | undefined): Promise<void> {
    for (const root of this.#options.roots) {
      if ((root === path || root.startsWith(`${path}/`)) && !this.#directories.has(root)) {
        await this.#addRoot(root, changed);
      }
    }
  }

  async #status(path: string) {
    return this.#slots.run(() => lstat(path, { bigint: true }).catch(() => undefined));
  }

  /** A directory went, with all that was in it. */
  #gone(path: string, changed: string[] | undefined): void {
    const directory = this.#directories.get(path);
    if (directory === undefined) return;
    this.#drop(path);
    for (const [name, { isDirectory }] of directory.entries) {
      const full = join(path, name);
      if (isDirectory) this.#gone(full, changed);
      changed?.push(full);
    }
  }

  #drop(path: string): void {
    this.#directories.get(path)?.watcher?.close();
    this.#directories.delete(path);
  }
}

function isOutOfWatches(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EMFILE';
}
