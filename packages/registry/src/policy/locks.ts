import type { Digest } from '@wharf/kit';
import type { Store, Table } from '@wharf/store';
import type { Directory } from '../access/directory.ts';
import { matches } from '../access/pattern.ts';
import { registryError } from '../errors.ts';
import { namespaceOf } from '../names.ts';
import type { Guard } from '../plug/guard.ts';
import { COLLECTOR } from '../upkeep/collect.ts';

export interface LockRecord {
  readonly write: boolean;
  readonly delete: boolean;
}

/** Locks by what they hold: `repository`, `repository:tag` or `repository@digest`. */
export function lockTable(store: Store): Table<LockRecord> {
  return store.table('registry.locks');
}

/**
 * Locks, and tags that are set once.
 *
 * A repository locked for writing takes nothing new; a tag so locked stays where it is; a digest so locked keeps the tags it has. What is
 * locked for deletion stays, and a tag that may be set only once may not be deleted either, since it could be set anew then.
 */
export class LockGuard implements Guard {
  readonly #directory: Directory;
  readonly #locks: Table<LockRecord>;

  constructor(directory: Directory, store: Store) {
    this.#directory = directory;
    this.#locks = lockTable(store);
  }

  beforeUpload({ repository }: { readonly repository: string }): void {
    this.#refuseIf(repository, 'write');
  }

  beforeLink({ repository }: { readonly repository: string }): void {
    this.#refuseIf(repository, 'write');
  }

  beforeManifest({ repository }: { readonly repository: string }): void {
    this.#refuseIf(repository, 'write');
  }

  beforeTag(change: {
    readonly repository: string;
    readonly tag: string;
    readonly from: Digest | undefined;
    readonly to: Digest;
  }): void {
    const { repository, tag, from, to } = change;
    if (from === to) return;
    this.#refuseIf(`${repository}:${tag}`, 'write');
    if (from === undefined) return;
    this.#refuseIf(`${repository}@${from}`, 'write');
    if (this.isImmutable(repository, tag))
      throw registryError('DENIED', `the tag "${tag}" of "${repository}" is immutable and exists already`);
  }

  beforeDelete(change: Parameters<NonNullable<Guard['beforeDelete']>>[0]): void {
    const { repository, what, reference, identity } = change;
    // What no image needs any more is not what a lock is to keep.
    if (what === 'blob' && identity === COLLECTOR) return;
    this.#refuseIf(repository, 'delete');
    if (what === 'blob') return;
    this.#refuseIf(what === 'tag' ? `${repository}:${reference}` : `${repository}@${reference}`, 'delete');
    if (what === 'tag' && this.isImmutable(repository, reference))
      throw registryError('DENIED', `the tag "${reference}" of "${repository}" is immutable`);
  }

  isImmutable(repository: string, tag: string): boolean {
    const rules = this.#directory.namespaces.get(namespaceOf(repository))?.immutable ?? [];
    return rules.some((rule) => matches(rule.repository, repository) && matches(rule.tag, tag));
  }

  #refuseIf(key: string, kind: 'write' | 'delete'): void {
    if (this.#locks.get(key)?.[kind] === true)
      throw registryError(
        'DENIED',
        `"${key}" is locked: ${kind === 'write' ? 'it may not be changed' : 'it may not be deleted'}`,
      );
  }
}
