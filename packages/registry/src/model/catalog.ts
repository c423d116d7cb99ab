import type { Digest } from '@wharf/kit';
import type { Log, Store, Table } from '@wharf/store';
import { registryError } from '../errors.ts';
import { namespaceOf } from '../names.ts';
import type { Identity } from '../plug/access.ts';
import type { Guard } from '../plug/guard.ts';
import { digestKey, SetMap, tagKey } from './indices.ts';
import type {
  KeptRecord,
  LinkRecord,
  ManifestRecord,
  RegistryEvent,
  RepositoryRecord,
  TagRecord,
  UploadRecord,
} from './records.ts';

export interface CatalogOptions {
  readonly store: Store;
  readonly guards: readonly Guard[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What of a repository has changed; told in the same turn, before the change is acknowledged. */
export type ChangeListener = (repository: string) => void;

export interface ManifestPush {
  readonly repository: string;
  readonly digest: Digest;
  readonly manifest: ManifestRecord;
  readonly tags: readonly string[];
}

/**
 * Every table of the registry and every change of them.
 *
 * - Reads touch memory only. A change is one synchronous transaction with its events; `committed()` says when it is on disk.
 * - A link or a manifest is only ever written when its file is in the storage, durable, and claimed (see claims.ts).
 * - The indices (who links a blob, who refers to a subject, bytes of a repository) change in the same turn as their tables; a change
 *   that a guard refuses has touched neither: guards are asked first.
 */
export class Catalog {
  readonly repositories: Table<RepositoryRecord>;
  readonly links: Table<LinkRecord>;
  readonly manifests: Table<ManifestRecord>;
  readonly tags: Table<TagRecord>;
  readonly uploads: Table<UploadRecord>;
  /** What must stay for deleted images to be restored, by `digest@repository|manifest`: see retention/trash.ts. */
  readonly kept: Table<KeptRecord>;
  readonly events: Log<RegistryEvent>;
  readonly #store: Store;
  readonly #guards: readonly Guard[];
  readonly #now: () => number;
  /** Repositories by digest: whose blob or manifest it is. */
  readonly #users = new SetMap();
  /** Digests of referrers by `repository@subject`. */
  readonly #referrers = new SetMap();
  /** Tags by `repository@digest`. */
  readonly #tagged = new SetMap();
  readonly #bytes = new Map<string, number>();
  /** Bytes by namespace, what several of its repositories hold counted once. */
  readonly #namespaceBytes = new Map<string, number>();
  /** How many manifests name a blob or child, by `repository@digest`. */
  readonly #needs = new Map<string, number>();
  readonly #listeners = new Set<ChangeListener>();

  constructor({ store, guards, now }: CatalogOptions) {
    this.#store = store;
    this.#guards = guards;
    this.#now = now;
    this.repositories = store.table('registry.repositories');
    this.links = store.table('registry.links');
    this.manifests = store.table('registry.manifests');
    this.tags = store.table('registry.tags');
    this.uploads = store.table('registry.uploads');
    this.kept = store.table('registry.kept');
    this.events = store.log('registry.events');
    for (const { key, value } of this.links.list()) this.#index(key, value.sizeBytes, 1);
    for (const { key, value } of this.manifests.list()) this.#indexManifest(key, value, 1);
    for (const { key, value } of this.tags.list()) {
      const colon = key.indexOf(':');
      this.#tagged.add(digestKey(key.slice(0, colon), value.digest), key.slice(colon + 1));
    }
  }

  /** Resolves when every change so far is on disk. */
  committed(): Promise<void> {
    return this.#store.committed();
  }

  /** Runs changes that belong together. */
  transaction<T>(work: () => T): T {
    return this.#store.transaction(work);
  }

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hasRepository(name: string): boolean {
    return this.repositories.get(name) !== undefined;
  }

  link(repository: string, digest: Digest): LinkRecord | undefined {
    return this.links.get(digestKey(repository, digest));
  }

  manifest(repository: string, digest: Digest): ManifestRecord | undefined {
    return this.manifests.get(digestKey(repository, digest));
  }

  tag(repository: string, tag: string): TagRecord | undefined {
    return this.tags.get(tagKey(repository, tag));
  }

  /** Repositories that hold this blob or manifest. */
  usersOf(digest: Digest): ReadonlySet<string> {
    return this.#users.get(digest);
  }

  /** Manifests of the repository whose subject is this digest, oldest first. */
  referrersOf(repository: string, subject: Digest): readonly Digest[] {
    return [...this.#referrers.get(digestKey(repository, subject))] as Digest[];
  }

  /** True when a manifest of the repository, or one that can still be restored, names this blob or child. */
  isNeeded(repository: string, digest: Digest): boolean {
    if (this.#needs.has(digestKey(repository, digest))) return true;
    return this.kept.size > 0 && this.kept.range({ prefix: `${digest}@${repository}|`, limit: 1 }).length > 0;
  }

  /** True while a file has to be there for a deleted image to be restored. */
  isKept(digest: Digest): boolean {
    return this.kept.size > 0 && this.kept.range({ prefix: `${digest}@`, limit: 1 }).length > 0;
  }

  /** Bytes that the repository holds: each blob and manifest once. */
  bytesOf(repository: string): number {
    return this.#bytes.get(repository) ?? 0;
  }

  /** Bytes that the repositories of a namespace hold together: each blob and manifest once. */
  bytesOfNamespace(namespace: string): number {
    return this.#namespaceBytes.get(namespace) ?? 0;
  }

  /** True when a repository of the namespace holds this blob or manifest. */
  isInNamespace(namespace: string, digest: Digest): boolean {
    for (const repository of this.#users.get(digest)) if (namespaceOf(repository) === namespace) return true;
    return false;
  }

  /** Tags behind `after`, in order. */
  listTags(repository: string, options: { after?: string | undefined; limit: number }): readonly string[] {
    const prefix = `${repository}:`;
    const after = options.after === undefined ? {} : { after: prefix + options.after };
    return this.tags.range({ prefix, limit: options.limit, ...after }).map(({ key }) => key.slice(prefix.length));
  }

  /** Tags of a repository that point to a digest. */
  tagsOf(repository: string, digest: Digest): readonly string[] {
    return [...this.#tagged.get(digestKey(repository, digest))];
  }

  /** Records that the repository holds a blob. False when it had it already. */
  linkBlob(change: {
    repository: string;
    digest: Digest;
    sizeBytes: number;
    by: string;
    how: 'blob.push' | 'blob.mount';
  }): boolean {
    const { repository, digest, sizeBytes, by, how } = change;
    const key = digestKey(repository, digest);
    if (this.links.get(key) !== undefined) return false;
    const at = this.#now();
    this.transaction(() => {
      for (const guard of this.#guards) guard.beforeLink?.({ repository, digest, sizeBytes });
      this.#createRepository(repository, by);
      this.links.put(key, { sizeBytes, at });
      this.tell({ kind: how, at, by, repository, digest, sizeBytes });
    });
    this.#index(key, sizeBytes, 1);
    return true;
  }

  /** Takes a blob out of a repository. False when it was not there. */
  unlinkBlob(change: { repository: string; digest: Digest; identity: Identity }): boolean {
    const { repository, digest, identity } = change;
    const key = digestKey(repository, digest);
    const link = this.links.get(key);
    if (link === undefined) return false;
    this.transaction(() => {
      this.#guardDelete({ repository, what: 'blob', reference: digest, identity });
      this.links.delete(key);
      this.tell({ kind: 'blob.delete', at: this.#now(), by: identity.name, repository, digest });
    });
    this.#index(key, link.sizeBytes, -1);
    return true;
  }

  /** Stores a manifest and sets tags to it, or only the tags when the repository has it. */
  putManifest({ repository, digest, manifest, tags }: ManifestPush): void {
    const key = digestKey(repository, digest);
    const isNew = this.manifests.get(key) === undefined;
    const { at, by } = manifest;
    const before = tags.map((tag) => this.tag(repository, tag)?.digest);
    this.transaction(() => {
      for (const guard of this.#guards) guard.beforeManifest?.({ repository, digest, manifest, tags, isNew });
      for (const tag of tags) this.#guardTag(repository, tag, digest);
      this.#createRepository(repository, by);
      if (isNew) this.manifests.put(key, manifest);
      const { sizeBytes, mediaType } = manifest;
      const details = tags.length === 0 ? {} : { details: { tags } };
      this.tell({ kind: 'manifest.push', at, by, repository, digest, sizeBytes, mediaType, ...details });
      for (const tag of tags) this.#setTag({ repository, tag, digest, at, by });
    });
    if (isNew) this.#indexManifest(key, manifest, 1);
    for (const [place, tag] of tags.entries()) {
      const old = before[place];
      if (old !== undefined) this.#tagged.delete(digestKey(repository, old), tag);
      this.#tagged.add(key, tag);
    }
    this.#changed(repository);
  }

  /** Removes a manifest and every tag that points to it. False when it was not there. */
  deleteManifest(change: { repository: string; digest: Digest; identity: Identity }): boolean {
    const { repository, digest, identity } = change;
    const key = digestKey(repository, digest);
    const manifest = this.manifests.get(key);
    if (manifest === undefined) return false;
    const by = identity.name;
    const tags = this.tagsOf(repository, digest);
    this.transaction(() => {
      this.#guardDelete({ repository, what: 'manifest', reference: digest, identity });
      for (const tag of tags) this.#guardDelete({ repository, what: 'tag', reference: tag, identity });
      const at = this.#now();
      for (const tag of tags) {
        this.tags.delete(tagKey(repository, tag));
        this.tell({ kind: 'tag.delete', at, by, repository, tag, previous: digest });
      }
      this.manifests.delete(key);
      const { sizeBytes, mediaType } = manifest;
      this.tell({ kind: 'manifest.delete', at, by, repository, digest, sizeBytes, mediaType });
    });
    this.#indexManifest(key, manifest, -1);
    for (const tag of tags) this.#tagged.delete(key, tag);
    this.#changed(repository);
    return true;
  }

  /** Removes a tag. False when it was not there. */
  deleteTag(change: { repository: string; tag: string; identity: Identity }): boolean {
    const { repository, tag, identity } = change;
    const key = tagKey(repository, tag);
    const record = this.tags.get(key);
    if (record === undefined) return false;
    this.transaction(() => {
      this.#guardDelete({ repository, what: 'tag', reference: tag, identity });
      this.tags.delete(key);
      const { name: by } = identity;
      this.tell({ kind: 'tag.delete', at: this.#now(), by, repository, tag, previous: record.digest });
    });
    this.#tagged.delete(digestKey(repository, record.digest), tag);
    this.#changed(repository);
    return true;
  }

  /** Forgets a repository that holds nothing. */
  dropRepository(repository: string, by: string): void {
    if (!this.hasRepository(repository) || !this.isEmpty(repository)) return;
    this.transaction(() => {
      this.repositories.delete(repository);
      this.tell({ kind: 'repository.delete', at: this.#now(), by, repository });
    });
    this.#changed(repository);
  }

  isEmpty(repository: string): boolean {
    const holds = (table: { range: Table<unknown>['range'] }, mark: string) =>
      table.range({ prefix: repository + mark, limit: 1 }).length > 0;
    return !holds(this.links, '@') && !holds(this.manifests, '@') && !holds(this.tags, ':');
  }

  /** Appends to the event log, in the transaction around it. */
  tell(event: RegistryEvent): void {
    this.events.append(event);
  }

  #createRepository(name: string, by: string): void {
    if (this.repositories.get(name) !== undefined) return;
    const createdAt = this.#now();
    this.repositories.put(name, { createdAt });
    this.tell({ kind: 'repository.create', at: createdAt, by, repository: name });
  }

  #setTag({ repository, tag, digest, at, by }: { repository: string; tag: string } & TagRecord): void {
    const key = tagKey(repository, tag);
    const before = this.tags.get(key)?.digest;
    this.tags.put(key, { digest, at, by });
    const previous = before === undefined ? {} : { previous: before };
    this.tell({ kind: 'tag.set', at, by, repository, tag, digest, ...previous });
  }

  #guardTag(repository: string, tag: string, to: Digest): void {
    const from = this.tag(repository, tag)?.digest;
    for (const guard of this.#guards) guard.beforeTag?.({ repository, tag, from, to });
  }

  #guardDelete(change: Parameters<NonNullable<Guard['beforeDelete']>>[0]): void {
    for (const guard of this.#guards) guard.beforeDelete?.(change);
  }

  #changed(repository: string): void {
    for (const listener of this.#listeners) listener(repository);
  }

  /** Counts a link (`+1`) or no longer (`-1`). A digest that is linked as blob and as manifest counts while either is there. */
  #index(key: string, sizeBytes: number, by: 1 | -1): void {
    const at = key.indexOf('@');
    const repository = key.slice(0, at);
    const digest = key.slice(at + 1);
    this.#bytes.set(repository, this.bytesOf(repository) + by * sizeBytes);
    const namespace = namespaceOf(repository);
    const before = this.isInNamespace(namespace, digest as Digest);
    if (by === 1) this.#users.add(digest, repository);
    else if (this.links.get(key) === undefined && this.manifests.get(key) === undefined)
      this.#users.delete(digest, repository);
    if (before === this.isInNamespace(namespace, digest as Digest)) return;
    const bytes = this.bytesOfNamespace(namespace) + by * sizeBytes;
    if (bytes === 0) this.#namespaceBytes.delete(namespace);
    else this.#namespaceBytes.set(namespace, bytes);
  }

  #indexManifest(key: string, manifest: ManifestRecord, by: 1 | -1): void {
    this.#index(key, manifest.sizeBytes, by);
    const at = key.indexOf('@');
    for (const digest of [...manifest.blobs, ...manifest.children]) {
      const needed = digestKey(key.slice(0, at), digest);
      const count = (this.#needs.get(needed) ?? 0) + by;
      if (count === 0) this.#needs.delete(needed);
      else this.#needs.set(needed, count);
    }
    if (manifest.subject === undefined) return;
    const subject = digestKey(key.slice(0, at), manifest.subject);
    if (by === 1) this.#referrers.add(subject, key.slice(at + 1));
    else this.#referrers.delete(subject, key.slice(at + 1));
  }
}

/** The error for a repository nobody has pushed to. */
export function unknownRepository(name: string): Error {
  return registryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name } });
}
