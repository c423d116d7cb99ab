import { lookup } from 'node:dns/promises';
import { readdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { hasErrno, messageOf, newId, redact, Semaphore, WharfError, withDeadline } from '@wharf/kit';
import { isMountPoint, unmount } from '@wharf/linux/mount';
import type { DriverVolume, VolumeDriver } from './driver.ts';
import { type DriverOptions, isNetworkMount, needsMount, parseSize } from './driver-options.ts';
import { NETWORK_MOUNT_TIMEOUT_MS, NETWORK_MOUNTS } from './limits.ts';
import { mountLocal } from './local-mount.ts';
import { limitTree } from './quota.ts';
import { LOCAL_DRIVER, type VolumeRecord } from './volume.ts';
import { VolumeWorker } from './worker-client.ts';

const removing = '.removing-';
const DATA = '_data';

/**
 * Volumes as directories: `<root>/<name>/_data`. A volume whose options name a device is that device, mounted over
 * `_data` while anybody uses it.
 *
 * A removed volume is renamed first, so that a crash leaves either the volume or something `recover` may delete.
 */
export class LocalDriver implements VolumeDriver {
  readonly name = LOCAL_DRIVER;
  readonly #root: string;
  readonly #worker: VolumeWorker;
  readonly #networkMounts = new Semaphore(NETWORK_MOUNTS);

  constructor(root: string, worker: VolumeWorker) {
    this.#root = root;
    this.#worker = worker;
  }

  dataPath(name: string): string {
    return join(this.#root, name, DATA);
  }

  async scope(): Promise<'local'> {
    return 'local';
  }

  async create(name: string, options: DriverOptions | null): Promise<void> {
    await this.make(name);
    if (options?.size === undefined) return;
    try {
      limitTree({ path: this.dataPath(name), siblings: this.#dataPaths(), sizeBytes: parseSize(options.size) });
    } catch (error) {
      await rm(join(this.#root, name), { recursive: true, force: true });
      throw error;
    }
  }

  async get(name: string): Promise<DriverVolume | undefined> {
    return this.#exists(name) ? { name, mountpoint: this.dataPath(name) } : undefined;
  }

  async list(): Promise<readonly DriverVolume[]> {
    return this.#names().map((name) => ({ name, mountpoint: this.dataPath(name) }));
  }

  /** Makes the volume's directories. Idempotent. */
  async make(name: string): Promise<void> {
    await mkdir(join(this.#root, name), { recursive: true, mode: 0o701 });
    await mkdir(this.dataPath(name), { mode: 0o755 }).catch((error: unknown) => {
      if (!hasErrno(error, 'EEXIST')) throw error;
    });
  }

  /** Takes the volume out of sight at once. Returns the deletion of its bytes, which may take long. */
  async remove(name: string): Promise<() => Promise<void>> {
    this.#takeDown(name);
    const grave = join(this.#root, `${removing}${newId().slice(0, 16)}`);
    try {
      await rename(join(this.#root, name), grave);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
    return () => rm(grave, { recursive: true, force: true });
  }

  /** Shows the volume's device at its data path, where it has one. Idempotent. Throws `failed-precondition`. */
  async mount(volume: VolumeRecord): Promise<string> {
    const { options } = volume;
    const target = this.dataPath(volume.name);
    if (!needsMount(options) || isMountPoint(target)) return target;
    const what = { source: options.device ?? '', target, type: options.type ?? '', options: options.o ?? '' };
    try {
      if (!isNetworkMount(options)) mountLocal(what);
      else await this.#mountOverNetwork(what);
    } catch (cause) {
      const text = redact(messageOf(cause)).replace(/password=[^,\s]*/g, 'password=********');
      throw new WharfError(
        'failed-precondition',
        `error while mounting volume '${target}': failed to mount local volume: ${text}`,
        { cause },
      );
    }
    return target;
  }

  async unmount(name: string, _user: string, last: boolean): Promise<void> {
    if (last) this.#takeDown(name);
  }

  /** Moves a volume's directory. Nothing to do when it has the new name already. Throws EEXIST-like errors as they are. */
  async rename(from: string, to: string): Promise<void> {
    if (this.#exists(to)) return;
    this.#takeDown(from);
    await rename(join(this.#root, from), join(this.#root, to));
  }

  /** Bytes on disk. */
  usage(name: string): Promise<number> {
    return this.#worker.run({ kind: 'usage', path: this.dataPath(name) });
  }

  /** After a start: deletes what was being removed; returns the names of all volumes found. */
  async recover(): Promise<readonly string[]> {
    await mkdir(this.#root, { recursive: true, mode: 0o701 });
    const names: string[] = [];
    for (const entry of await readdir(this.#root, { withFileTypes: true })) {
      if (entry.name.startsWith(removing)) await rm(join(this.#root, entry.name), { recursive: true, force: true });
      else if (entry.isDirectory() && this.#exists(entry.name)) names.push(entry.name);
      else if (entry.isDirectory()) await removeIfEmpty(join(this.#root, entry.name));
    }
    return names;
  }

  #takeDown(name: string): void {
    const target = this.dataPath(name);
    if (this.#exists(name) && isMountPoint(target)) unmount(target, { detach: true });
  }

  /** Looked up in the folder above: the directory itself may be on a server that does not answer. */
  #exists(name: string): boolean {
    try {
      return readdirSync(join(this.#root, name)).includes(DATA);
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }

  #names(): readonly string[] {
    return readdirSync(this.#root).filter((name) => !name.startsWith(removing));
  }

  #dataPaths(): readonly string[] {
    return this.#names().map((name) => this.dataPath(name));
  }

  /** The kernel resolves no names: `addr=` must be an address (nfs(5)). */
  async #mountOverNetwork(what: { source: string; target: string; type: string; options: string }): Promise<void> {
    const host = /(?:^|,)addr=([^,]+)/.exec(what.options)?.[1];
    let { options } = what;
    if (host !== undefined && !isIPv4(host) && !isIPv6(host)) {
      const { address } = await lookup(host);
      options = options.replace(`addr=${host}`, `addr=${address}`);
    }
    // A thread of its own: a server that does not answer holds up nobody's work but this.
    const worker = new VolumeWorker();
    try {
      await withDeadline({ ms: NETWORK_MOUNT_TIMEOUT_MS, what: 'The mount' }, () =>
        this.#networkMounts.run(() => worker.run({ kind: 'mount', ...what, options })),
      );
    } finally {
      worker.close();
    }
  }
}

/** A volume whose making was cut short holds nothing yet; whatever is in a directory stays. */
async function removeIfEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  });
}
