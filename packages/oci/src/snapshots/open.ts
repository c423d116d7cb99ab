import { mkdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, type Logger, WharfError } from '@wharf/kit';
import { whyNoOverlay } from './probe.ts';
import type { Snapshotter } from './snapshotter.ts';
import { TreeSnapshotter } from './tree-snapshotter.ts';

export interface OpenSnapshotterOptions {
  /** Its own directory; made when missing. The shorter its path, the more layers fit in a page of mount options. */
  readonly root: string;
  readonly log: Logger;
  /** Which to use; the one used before, or else overlayfs where it works, when absent. */
  readonly driver?: Snapshotter['name'] | undefined;
}

/**
 * Opens the snapshots below `root`. Call `recover()` before use. Throws `failed-precondition` when the directory belongs
 * to another kind of snapshotter, or needs overlayfs where there is none.
 */
export async function openSnapshotter(options: OpenSnapshotterOptions): Promise<Snapshotter> {
  const { root, log } = options;
  await mkdir(root, { recursive: true, mode: 0o711 });
  const before = await readDriver(root);
  if (before !== undefined && options.driver !== undefined && before !== options.driver) {
    throw new WharfError(
      'failed-precondition',
      `Cannot open snapshots "${root}" as ${options.driver}: they are ${before}`,
    );
  }
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const reason = (before ?? options.driver) === 'copy' ? undefined : await tryOverlay(root, bootId);
  if (reason !== undefined && (before ?? options.driver) === 'overlayfs') {
    throw new WharfError('failed-precondition', `Cannot use overlayfs for "${root}": ${reason}`);
  }
  const name = before ?? options.driver ?? (reason === undefined ? 'overlayfs' : 'copy');
  if (reason !== undefined) log.warn({ root, reason }, 'overlayfs does not work here: snapshots are plain copies');
  if (before === undefined) await symlink(name, join(root, 'driver'));
  const snapshotter = new TreeSnapshotter({ name, root, log, bootId });
  await snapshotter.load();
  return snapshotter;
}

/**
 * Why overlayfs cannot be used. Tried once per boot: it takes some 100 ms where the file system waits for its journal, which every later start
 * of a daemon would wait for too.
 */
async function tryOverlay(root: string, bootId: string): Promise<string | undefined> {
  const seen = join(root, 'overlay-works');
  if ((await readLink(seen)) === bootId) return undefined;
  const reason = whyNoOverlay(root);
  await rm(seen, { force: true });
  if (reason === undefined) await symlink(bootId, seen).catch(() => {});
  return reason;
}

async function readDriver(root: string): Promise<Snapshotter['name'] | undefined> {
  const name = await readLink(join(root, 'driver'));
  if (name === undefined || name === 'overlayfs' || name === 'copy') return name;
  throw new WharfError('failed-precondition', `Cannot open snapshots "${root}": unknown driver "${name}"`);
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
