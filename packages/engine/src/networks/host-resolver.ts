import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Logger, messageOf } from '@wharf/kit';
import { HOST_RESOLV_CONF, readHostResolvConf } from './files.ts';
import { RESOLV_CONF_LOOK_MS, RESOLV_CONF_SETTLE_MS } from './limits.ts';
import { serversOf } from './resolv-conf.ts';

/**
 * Whom the host asks for names, followed while the daemon runs: the file may be written in place, replaced by a rename, be a
 * symbolic link that is turned elsewhere, or vanish for a moment. Folders are watched, not the file; a look now and then
 * catches what a watch cannot see (another file system mounted over it).
 */
export class HostResolver {
  readonly #path: string;
  readonly #log: Logger;
  readonly #onChange: (servers: readonly string[]) => void;
  #watchers: FSWatcher[] = [];
  #watched = '';
  #settling: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #seen = '';
  #servers: readonly string[] | undefined;

  /** `path`: the file, where it is not the host's own. */
  constructor(options: {
    readonly log: Logger;
    readonly onChange: (servers: readonly string[]) => void;
    readonly path?: string;
  }) {
    this.#path = options.path ?? HOST_RESOLV_CONF;
    this.#log = options.log;
    this.#onChange = options.onChange;
  }

  /** The servers now. With the first call they are followed. */
  servers(): readonly string[] {
    if (this.#servers) return this.#servers;
    this.#seen = identity(this.#path);
    this.#servers = serversOf(readHostResolvConf({ reachable: false, path: this.#path }));
    this.#watch();
    this.#look = setInterval(() => {
      if (identity(this.#path) !== this.#seen) this.#changed();
    }, RESOLV_CONF_LOOK_MS).unref();
    return this.#servers;
  }

  close(): void {
    clearInterval(this.#look);
    clearTimeout(this.#settling);
    this.#unwatch();
  }

  /** The folder of the name, and that of what it leads to. */
  #watch(): void {
    const paths = new Set([this.#path, target(this.#path)]);
    const watched = [...paths].join();
    if (watched === this.#watched) return;
    this.#unwatch();
    this.#watched = watched;
    for (const path of paths) {
      try {
        const watcher = watch(dirname(path), { persistent: false }, (_, name) => {
          if (name === null || name === basename(path)) this.#changed();
        });
        watcher.on('error', () => {});
        this.#watchers.push(watcher);
      } catch (error) {
        this.#log.debug({ path, error: messageOf(error) }, 'Cannot watch for changes of the resolver configuration');
      }
    }
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    this.#watched = '';
  }

  /** Whoever writes it may not have finished, or may have removed it to put it back at once. */
  #changed(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      this.#seen = identity(this.#path);
      this.#watch();
      const { nameservers } = readHostResolvConf({ reachable: false, path: this.#path });
      if (nameservers.join() === this.#servers?.join()) return;
      // Nothing in it, or gone: what was known is better than nothing.
      if (nameservers.length === 0) return;
      this.#servers = nameservers;
      this.#log.info({ servers: nameservers }, 'The resolvers of this host have changed');
      this.#onChange(nameservers);
    }, RESOLV_CONF_SETTLE_MS).unref();
  }
}

function target(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function identity(path: string): string {
  try {
    const { ino, dev, mtimeMs, size } = statSync(path);
    return `${dev}:${ino}:${mtimeMs}:${size}`;
  } catch {
    return '';
  }
}
