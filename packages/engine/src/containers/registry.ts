import { WharfError } from '@wharf/kit';
import type { Store, Table } from '@wharf/store';
import {
  ambiguousId,
  CONTAINER_NAME_PATTERN,
  containerNameInUse,
  invalidContainerName,
  noSuchContainer,
} from '@wharf/wire/docker/messages';
import type { ContainerRecord, ContainerState } from './container.ts';
import type { LiveContainer } from './live.ts';

/** All containers by id and by name, and their records in the store. */
export class Registry {
  readonly #byId = new Map<string, LiveContainer>();
  /** Names without slash, of containers and of creations under way. */
  readonly #names = new Map<string, string>();
  readonly #table: Table<ContainerRecord>;

  constructor(store: Store) {
    this.#table = store.table<ContainerRecord>('containers');
  }

  stored(): readonly ContainerRecord[] {
    return this.#table.list().map(({ value }) => value);
  }

  all(): readonly LiveContainer[] {
    return [...this.#byId.values()];
  }

  byId(id: string): LiveContainer | undefined {
    return this.#byId.get(id);
  }

  /** By full id, name, or unambiguous prefix of an id. Throws `invalid-argument` for an ambiguous one. */
  find(idOrName: string): LiveContainer | undefined {
    const exact = this.#byId.get(idOrName);
    if (exact !== undefined) return exact;
    const named = this.#names.get(idOrName.startsWith('/') ? idOrName.slice(1) : idOrName);
    if (named !== undefined) return this.#byId.get(named);
    if (idOrName.includes('/', 1)) return this.#findLinked(idOrName);
    if (!/^[0-9a-f]{1,64}$/.test(idOrName)) return undefined;
    let found: LiveContainer | undefined;
    for (const [id, live] of this.#byId) {
      if (!id.startsWith(idOrName)) continue;
      if (found !== undefined) throw new WharfError('invalid-argument', ambiguousId(idOrName));
      found = live;
    }
    return found;
  }

  /** By `linking/alias`. */
  #findLinked(name: string): LiveContainer | undefined {
    const [parent = '', alias = ''] = name.replace(/^\//, '').split(/\/+(.*)/s, 2);
    const { links } = this.#byId.get(this.#names.get(parent) ?? '')?.record ?? {};
    const link = links?.find((candidate) => candidate.alias === alias);
    return link && this.#byId.get(link.containerId);
  }

  /** Throws `not-found`. */
  get(idOrName: string): LiveContainer {
    if (idOrName === '') throw new WharfError('invalid-argument', 'invalid name or ID supplied: ""');
    const live = this.find(idOrName);
    if (live === undefined) throw new WharfError('not-found', noSuchContainer(idOrName));
    return live;
  }

  /** Takes a name for a container to be, and returns it without slash. Throws `invalid-argument`, `conflict`. */
  reserveName(given: string, id: string): string {
    if (!CONTAINER_NAME_PATTERN.test(given)) throw new WharfError('invalid-argument', invalidContainerName(given));
    const name = given.startsWith('/') ? given.slice(1) : given;
    const holder = this.#names.get(name);
    if (holder !== undefined) throw new WharfError('conflict', containerNameInUse(`/${name}`, holder));
    this.#names.set(name, id);
    return name;
  }

  isNameFree(name: string): boolean {
    return !this.#names.has(name);
  }

  releaseName(name: string, id: string): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  /** Takes a container in, its name too. `save` it as well unless it came from the store. */
  add(live: LiveContainer): void {
    this.#byId.set(live.id, live);
    this.#names.set(live.record.name, live.id);
  }

  /** Replaces the record and hands it to the store; `store.committed()` says when it is on disk. */
  save(live: LiveContainer, record: ContainerRecord): ContainerRecord {
    live.record = record;
    if (!live.gone) this.#table.put(record.id, record);
    return record;
  }

  saveState(live: LiveContainer, change: Partial<ContainerState>): ContainerRecord {
    return this.save(live, { ...live.record, state: { ...live.record.state, ...change } });
  }

  /** Forgets a container for good: its id and name are free at once. */
  delete(live: LiveContainer): void {
    live.gone = true;
    this.#table.delete(live.id);
    this.#byId.delete(live.id);
    this.releaseName(live.record.name, live.id);
  }
}
