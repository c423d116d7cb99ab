import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChainId, hasErrno, KeyedLock, type Logger, messageOf, WharfError } from '@wharf/kit';
import { Broom } from './broom.ts';
import { MAX_LAYERS, SYNC_DELAY_MS, SYNC_RETRY_MS } from './limits.ts';
import { readOnlyMount, writableMount } from './overlay-mounts.ts';
import { readRecord, replaceRecord, type SnapshotRecord, writeRecord } from './record.ts';
import { adoptRoot } from './root-attributes.ts';
import { limitSize } from './size-limit.ts';
import type { Mount, SnapshotInfo, Snapshotter } from './snapshotter.ts';
import { trees } from './trees.ts';

interface Entry extends SnapshotRecord {
  /** `<root>/<number>`: `fs` is the snapshot's own tree, `work` overlayfs's scratch, `meta` the record. */
  readonly directory: string;
}

export interface TreeSnapshotterOptions {
  readonly name: Snapshotter['name'];
  readonly root: string;
  readonly log: Logger;
  readonly bootId: string;
}

/** Keys that are only ever a step on the way to a committed snapshot. */
const TRANSIENT = 'extract-';

/**
 * Snapshots as directories: `overlayfs` stacks them by mounting, `copy` makes every one a whole tree.
 *
 * Invariants:
 * - directories have short numbers for names, so that many fit in one page of mount options;
 * - the record is written last and read first: a directory without one is a remnant;
 * - a key is taken in memory before the first `await`, so two callers never make the same;
 * - committed data is written back to disk within seconds; until then its record names the boot it belongs to.
 */
export class TreeSnapshotter implements Snapshotter {
  readonly name: Snapshotter['name'];
  readonly #root: string;
  readonly #log: Logger;
  readonly #bootId: string;
  readonly #broom: Broom;
  readonly #entries = new Map<string, Entry>();
  readonly #commits = new KeyedLock();
  #next = 1;
  #remnants: string[] = [];
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> = Promise.resolve();

  constructor(options: TreeSnapshotterOptions) {
    this.name = options.name;
    this.#root = options.root;
    this.#log = options.log;
    this.#bootId = options.bootId;
    this.#broom = new Broom({ trash: join(options.root, 'trash'), log: options.log });
  }

  /** Reads what is there. To be called once, before anything else. */
  async load(): Promise<void> {
    await mkdir(join(this.#root, 'trash'), { recursive: true, mode: 0o700 });
    const names = (await readdir(this.#root)).filter(
      (name) => /^[0-9a-z]+$/.test(name) && !/^(?:trash|driver)$/.test(name),
    );
    for (const name of names) {
      const directory = join(this.#root, name);
      this.#next = Math.max(this.#next, Number.parseInt(name, 36) + 1);
      const record = await readRecord(directory);
      if (!record || this.#entries.has(record.key)) this.#remnants.push(directory);
      else this.#entries.set(record.key, { ...record, directory });
    }
  }

  async prepare(
    key: string,
    parent: ChainId | '',
    options: { readonly sizeBytes?: number | undefined } = {},
  ): Promise<void> {
    if (this.#entries.has(key)) {
      throw new WharfError('already-exists', `Cannot prepare snapshot "${key}": it exists already`);
    }
    const below = parent === '' ? undefined : this.#committed(parent);
    const number = this.#next++;
    const directory = join(this.#root, number.toString(36));
    const record: SnapshotRecord = { key, kind: 'active', parent, createdAt: new Date().toISOString() };
    this.#entries.set(key, { ...record, directory });
    try {
      await mkdir(directory, { mode: 0o711 });
      // Before there is anything in it: what is made there later belongs to the project too.
      if (options.sizeBytes !== undefined)
        limitSize({ root: this.#root, directory, number, sizeBytes: options.sizeBytes });
      await Promise.all([
        mkdir(join(directory, 'fs'), { mode: 0o755 }),
        mkdir(join(directory, 'work'), { mode: 0o700 }),
      ]);
      if (below) {
        if (this.name === 'copy') await trees.copy(join(below.directory, 'fs'), join(directory, 'fs'));
        else await adoptRoot(join(below.directory, 'fs'), join(directory, 'fs'));
      }
      await writeRecord(directory, record);
    } catch (error) {
      this.#entries.delete(key);
      await this.#broom.discard(directory);
      throw this.#describe(`Cannot prepare snapshot "${key}"`, error);
    }
  }

  mounts(key: string, options: { readonly readOnly?: boolean; readonly volatile?: boolean } = {}): readonly Mount[] {
    const { kind, directory } = this.#entry(key);
    const layerDirs = this.layerDirs(key);
    if (kind === 'committed' || options.readOnly === true) return [readOnlyMount(layerDirs)];
    return [
      writableMount({
        lowerDirs: layerDirs.slice(1),
        upperDir: join(directory, 'fs'),
        workDir: join(directory, 'work'),
        volatile: options.volatile === true,
      }),
    ];
  }

  layerDirs(key: string): readonly string[] {
    const layers: string[] = [];
    let entry = this.#entry(key);
    for (;;) {
      layers.push(join(entry.directory, 'fs'));
      if (entry.parent === '' || this.name === 'copy') return layers;
      if (layers.length > MAX_LAYERS) {
        throw new WharfError(
          'resource-exhausted',
          `Cannot stack snapshot "${key}": it has more than ${MAX_LAYERS} layers`,
        );
      }
      entry = this.#committed(entry.parent);
    }
  }

  layerDir(key: string): string {
    const { kind, directory } = this.#entry(key);
    if (kind !== 'active') {
      throw new WharfError('failed-precondition', `Cannot write to snapshot "${key}": it is committed`);
    }
    return join(directory, 'fs');
  }

  commit(
    name: ChainId,
    key: string,
    options: { readonly parent?: ChainId | ''; readonly standalone?: boolean; readonly linked?: boolean } = {},
  ): Promise<void> {
    return this.#commits.run(name, async () => {
      const active = this.#entry(key);
      if (active.kind !== 'active') {
        throw new WharfError('failed-precondition', `Cannot commit snapshot "${key}": it is committed already`);
      }
      if (this.#entries.get(name)?.kind === 'committed') {
        await this.remove(key);
        return;
      }
      const parent = options.parent ?? active.parent;
      this.#checkParent(active, parent);
      const { createdAt, directory } = active;
      const kept = { key: name, kind: 'committed', parent, createdAt, ...traits(options) } as const;
      const record: SnapshotRecord = { ...kept, unsyncedBoot: this.#bootId };
      await replaceRecord(directory, record).catch((error: unknown) => {
        throw this.#describe(`Cannot commit snapshot "${key}"`, error);
      });
      this.#entries.delete(key);
      this.#entries.set(name, { ...record, directory });
      this.#syncSoon();
      // Overlayfs's scratch directory has served.
      await rm(join(directory, 'work'), { recursive: true, force: true });
    });
  }

  async remove(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (!entry) return;
    if (entry.kind === 'committed') {
      for (const other of this.#entries.values()) {
        if (other.parent === key) {
          throw new WharfError('failed-precondition', `Cannot remove snapshot "${key}": "${other.key}" stands on it`);
        }
      }
    }
    this.#entries.delete(key);
    await this.#broom.discard(entry.directory);
  }

  stat(key: string): SnapshotInfo | undefined {
    const entry = this.#entries.get(key);
    return entry && toInfo(entry);
  }

  list(): readonly SnapshotInfo[] {
    return [...this.#entries.values()].map(toInfo);
  }

  usage(key: string): Promise<{ readonly sizeBytes: number; readonly inodes: number; readonly isEntangled: boolean }> {
    return trees.usage(join(this.#entry(key).directory, 'fs'));
  }

  async usageTogether(keys: readonly string[]): Promise<number> {
    const bytes = await trees.share(keys.map((key) => join(this.#entry(key).directory, 'fs')));
    return bytes.reduce((sum, each) => sum + each, 0);
  }

  async recover(): Promise<readonly string[]> {
    const removed: string[] = [];
    for (const directory of this.#remnants.splice(0)) {
      await this.#broom.discard(directory);
      removed.push(directory);
    }
    for (const entry of [...this.#entries.values()]) {
      const isLost = entry.unsyncedBoot !== undefined && entry.unsyncedBoot !== this.#bootId;
      const isTransient = entry.kind === 'active' && entry.key.startsWith(TRANSIENT);
      if (!isLost && !isTransient) continue;
      // What stands on it stays: unpacking the layer again puts the floor back.
      this.#entries.delete(entry.key);
      await this.#broom.discard(entry.directory);
      removed.push(entry.key);
    }
    void this.#broom.sweep();
    if ([...this.#entries.values()].some((entry) => entry.unsyncedBoot !== undefined)) this.#syncSoon();
    return removed;
  }

  sync(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    const synced = this.#syncing.then(() => this.#syncNow());
    // A failure is the caller's to see, and nothing that would keep the next one from trying.
    this.#syncing = synced.catch(() => undefined);
    return synced;
  }

  async close(): Promise<void> {
    const isDue = this.#syncTimer !== undefined;
    clearTimeout(this.#syncTimer);
    if (isDue) await this.sync();
    await this.#syncing;
    await this.#broom.close();
  }

  #syncSoon(delayMs = SYNC_DELAY_MS): void {
    this.#syncTimer ??= setTimeout(() => {
      this.sync().catch((error: unknown) => {
        this.#log.warn({ error: messageOf(error) }, 'cannot write snapshots back to disk');
        this.#syncSoon(SYNC_RETRY_MS);
      });
    }, delayMs).unref();
  }

  /** A full disk is the user's matter and said in one sentence; all else stays as it is. */
  #describe(what: string, error: unknown): unknown {
    if (!hasErrno(error, 'ENOSPC', 'EDQUOT')) return error;
    return new WharfError('resource-exhausted', `${what}: no space left on device`, { cause: error, code: 'ENOSPC' });
  }

  async #syncNow(): Promise<void> {
    const unsynced = [...this.#entries.values()].filter((entry) => entry.unsyncedBoot !== undefined);
    if (unsynced.length === 0) return;
    await trees.sync(this.#root);
    for (const { directory, unsyncedBoot: _, ...record } of unsynced) {
      const isThere = (): boolean => this.#entries.get(record.key)?.directory === directory;
      if (!isThere()) continue;
      try {
        await replaceRecord(directory, record);
      } catch (error) {
        // It may be removed while we write.
        if (isThere() || !hasErrno(error, 'ENOENT')) throw error;
      }
      if (this.#entries.get(record.key)?.directory === directory)
        this.#entries.set(record.key, { ...record, directory });
    }
  }

  #entry(key: string): Entry {
    const entry = this.#entries.get(key);
    if (!entry) throw new WharfError('not-found', `Cannot find snapshot "${key}"`);
    return entry;
  }

  #committed(name: ChainId): Entry {
    const entry = this.#entry(name);
    if (entry.kind !== 'committed') {
      throw new WharfError('failed-precondition', `Cannot stand on snapshot "${name}": it is not committed`);
    }
    return entry;
  }

  #checkParent(active: Entry, parent: ChainId | ''): void {
    if (parent === active.parent) return;
    if (this.name === 'copy' || active.parent !== '') {
      throw new WharfError(
        'failed-precondition',
        `Cannot put snapshot "${active.key}" on "${parent}": it stands elsewhere`,
      );
    }
    if (parent !== '') this.#committed(parent);
  }
}

function toInfo({ key, kind, parent, createdAt, ...rest }: Entry): SnapshotInfo {
  return { key, kind, parent, createdAt, ...traits(rest) };
}

function traits({ standalone, linked }: Pick<SnapshotRecord, 'standalone' | 'linked'>) {
  return { ...(standalone === true ? { standalone } : {}), ...(linked === true ? { linked } : {}) };
}
