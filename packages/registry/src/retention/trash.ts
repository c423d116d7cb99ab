import { type Digest, WharfError } from '@wharf/kit';
import type { Store, Table } from '@wharf/store';
import type { Directory } from '../access/directory.ts';
import type { Catalog } from '../model/catalog.ts';
import { digestKey, tagKey } from '../model/indices.ts';
import type { ManifestRecord } from '../model/records.ts';
import { namespaceOf } from '../names.ts';
import type { Guard } from '../plug/guard.ts';
import { COLLECTOR } from '../upkeep/collect.ts';

interface Deleted {
  readonly at: number;
  readonly by: string;
  /** When it is gone for good. */
  readonly until: number;
}

/** By `repository@digest` a manifest with the tags it had, by `repository:tag` a tag alone. */
export type TrashRecord = Deleted &
  (
    | { readonly kind: 'manifest'; readonly manifest: ManifestRecord; readonly tags: readonly string[] }
    | { readonly kind: 'tag'; readonly digest: Digest }
  );

/**
 * Deleted manifests and tags of namespaces that keep them for a while.
 *
 * The record is written in the deletion's own transaction, together with marks (`Catalog.kept`) by which the collector leaves blobs, links
 * and the manifest's file alone until the time is over. Until then the bytes count for the quota.
 */
export class Trash implements Guard {
  readonly records: Table<TrashRecord>;
  readonly #directory: Directory;
  readonly #catalog: Catalog;

  constructor(options: { readonly store: Store; readonly directory: Directory; readonly catalog: Catalog }) {
    this.records = options.store.table('registry.trash');
    this.#directory = options.directory;
    this.#catalog = options.catalog;
  }

  beforeDelete({ repository, what, reference, identity }: Parameters<NonNullable<Guard['beforeDelete']>>[0]): void {
    const keepMs = this.#directory.namespaces.get(namespaceOf(repository))?.softDeleteMs;
    if (keepMs === undefined || what === 'blob' || identity.name === COLLECTOR.name) return;
    const at = this.#directory.now();
    const deleted = { at, by: identity.name, until: at + keepMs };
    if (what === 'manifest') {
      const digest = reference as Digest;
      const manifest = this.#catalog.manifest(repository, digest);
      if (manifest === undefined) return;
      const tags = this.#catalog.tagsOf(repository, digest);
      this.records.put(digestKey(repository, digest), { ...deleted, kind: 'manifest', manifest, tags });
      for (const key of marks(repository, digest, manifest)) this.#catalog.kept.put(key, { at });
      return;
    }
    const digest = this.#catalog.tag(repository, reference)?.digest;
    // With a manifest its tags are deleted too, and lie with it here already.
    if (digest === undefined || this.records.get(digestKey(repository, digest)) !== undefined) return;
    this.records.put(tagKey(repository, reference), { ...deleted, kind: 'tag', digest });
  }

  /** What is pushed anew is not in the trash any more. */
  beforeManifest({ repository, digest, isNew }: { repository: string; digest: Digest; isNew: boolean }): void {
    if (isNew) this.#forget(digestKey(repository, digest));
  }

  /** Brings back what lies under that key, and what it needs; tags that have been set anew meanwhile stay as they are. Throws `not-found`. */
  restore(key: string): { readonly repository: string; readonly digest: Digest; readonly tags: readonly string[] } {
    const record = this.records.get(key.slice(0, 512));
    if (record === undefined) throw new WharfError('not-found', `Cannot restore "${key}": it is not in the trash`);
    const mark = record.kind === 'manifest' ? '@' : ':';
    const at = key.indexOf(mark);
    const repository = key.slice(0, at);
    const rest = key.slice(at + 1);
    const free = (tag: string): boolean => this.#catalog.tag(repository, tag) === undefined;
    return this.#catalog.transaction(() => {
      if (record.kind === 'manifest') {
        const digest = rest as Digest;
        const tags = record.tags.filter(free);
        this.#restoreManifest(repository, digest, record.manifest, tags);
        return { repository, digest, tags };
      }
      const { digest } = record;
      const there = this.#catalog.manifest(repository, digest);
      const lying = this.records.get(digestKey(repository, digest));
      if (there === undefined && lying?.kind !== 'manifest')
        throw new WharfError('not-found', `Cannot restore "${key}": what it pointed to is gone`);
      const manifest = there ?? (lying?.kind === 'manifest' ? lying.manifest : undefined);
      const tags = [rest].filter(free);
      if (tags.length === 0) throw new WharfError('conflict', `Cannot restore "${key}": the tag has been set anew`);
      if (manifest !== undefined) this.#restoreManifest(repository, digest, manifest, tags);
      this.records.delete(key);
      return { repository, digest, tags };
    });
  }

  #restoreManifest(repository: string, digest: Digest, manifest: ManifestRecord, tags: readonly string[]): void {
    for (const child of manifest.children) {
      const lying = this.records.get(digestKey(repository, child));
      if (lying?.kind === 'manifest') this.#restoreManifest(repository, child, lying.manifest, []);
    }
    this.#catalog.putManifest({ repository, digest, manifest, tags });
  }

  /** Removes for good what is over, or everything of a namespace; how many. The next collection frees the bytes. */
  purge(namespace?: string): number {
    const now = this.#directory.now();
    const over = this.records
      .list(namespace ?? '')
      .filter(({ key, value }) =>
        namespace === undefined ? value.until <= now : namespaceOf(key.split(/[:@]/, 1)[0] ?? '') === namespace,
      );
    this.#catalog.transaction(() => {
      for (const { key } of over) this.#forget(key);
    });
    return over.length;
  }

  #forget(key: string): void {
    const record = this.records.get(key);
    if (record === undefined) return;
    this.records.delete(key);
    if (record.kind !== 'manifest') return;
    const at = key.indexOf('@');
    for (const mark of marks(key.slice(0, at), key.slice(at + 1) as Digest, record.manifest))
      this.#catalog.kept.delete(mark);
  }
}

/** Keys in `Catalog.kept` of all that a manifest needs, itself first. */
function marks(repository: string, digest: Digest, { blobs, children }: ManifestRecord): readonly string[] {
  return [digest, ...blobs, ...children].map((each) => `${each}@${repository}|${digest}`);
}
