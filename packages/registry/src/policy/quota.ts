import type { Digest } from '@wharf/kit';
import type { Directory } from '../access/directory.ts';
import { registryError } from '../errors.ts';
import type { Catalog } from '../model/catalog.ts';
import { namespaceOf } from '../names.ts';
import type { Guard } from '../plug/guard.ts';

/** From this share of its quota on a namespace is nearly full. */
const QUOTA_WARNING_SHARE = 0.8;
/** One event in so long tells that a namespace is full. */
const TELL_EVERY_MS = 60_000;

/**
 * Byte quotas of namespaces.
 *
 * - What counts is what its repositories hold, each blob and manifest once (`Catalog.bytesOfNamespace`); the last word is spoken in the
 *   transaction that adds to it, so no number of parallel pushes gets past the quota.
 * - Bytes on their way in are reserved, so that a push which cannot fit is refused at its start, or as soon as its length is seen,
 *   and not after its last byte.
 */
export class QuotaGuard implements Guard {
  readonly #directory: Directory;
  readonly #catalog: Catalog;
  /** By upload id, the requests being received now. */
  readonly #reserved = new Map<string, { readonly namespace: string; readonly bytes: number }>();
  readonly #inFlight = new Map<string, number>();
  readonly #toldAt = new Map<string, number>();
  /** Namespaces that were said to be nearly full. */
  readonly #warned = new Set<string>();

  constructor(directory: Directory, catalog: Catalog) {
    this.#directory = directory;
    this.#catalog = catalog;
  }

  beforeUpload({ repository, sizeBytes }: Parameters<NonNullable<Guard['beforeUpload']>>[0]): void {
    const namespace = namespaceOf(repository);
    // An upload of unknown length needs at least one byte.
    this.#check(namespace, sizeBytes ?? 1, this.#inFlight.get(namespace) ?? 0);
  }

  duringUpload({ repository, id, sizeBytes }: Parameters<NonNullable<Guard['duringUpload']>>[0]): void {
    const namespace = namespaceOf(repository);
    if (this.#quota(namespace) === undefined) return;
    const own = this.#reserved.get(id)?.bytes ?? 0;
    if (sizeBytes <= own) return;
    const inFlight = this.#inFlight.get(namespace) ?? 0;
    this.#check(namespace, sizeBytes, inFlight - own);
    this.#reserved.set(id, { namespace, bytes: sizeBytes });
    this.#inFlight.set(namespace, inFlight - own + sizeBytes);
  }

  afterUpload({ id }: { readonly id: string }): void {
    const reserved = this.#reserved.get(id);
    if (reserved === undefined) return;
    this.#reserved.delete(id);
    const left = (this.#inFlight.get(reserved.namespace) ?? 0) - reserved.bytes;
    if (left <= 0) this.#inFlight.delete(reserved.namespace);
    else this.#inFlight.set(reserved.namespace, left);
  }

  beforeLink(change: { readonly repository: string; readonly digest: Digest; readonly sizeBytes: number }): void {
    const namespace = namespaceOf(change.repository);
    if (this.#quota(namespace) === undefined || this.#catalog.isInNamespace(namespace, change.digest)) return;
    this.#check(namespace, change.sizeBytes, 0);
    this.#warn(namespace, this.#catalog.bytesOfNamespace(namespace) + change.sizeBytes);
  }

  beforeManifest(change: Parameters<NonNullable<Guard['beforeManifest']>>[0]): void {
    if (change.isNew) this.beforeLink({ ...change, sizeBytes: change.manifest.sizeBytes });
  }

  #quota(namespace: string): number | undefined {
    return this.#directory.namespaces.get(namespace)?.quotaBytes;
  }

  #check(namespace: string, more: number, inFlight: number): void {
    const quota = this.#quota(namespace);
    if (quota === undefined) return;
    const used = this.#catalog.bytesOfNamespace(namespace);
    if (used + inFlight + more <= quota) return;
    const at = this.#directory.now();
    if (at - (this.#toldAt.get(namespace) ?? 0) >= TELL_EVERY_MS) {
      this.#toldAt.set(namespace, at);
      this.#tell({ namespace, state: 'exceeded', usedBytes: used, quotaBytes: quota });
    }
    const coming = inFlight === 0 ? '' : ` and ${inFlight} on their way in`;
    throw registryError(
      'DENIED',
      `the quota of "${namespace}" is exceeded: ${used} of ${quota} bytes are used${coming}, ${more} more do not fit`,
      { detail: { namespace, usedBytes: used, quotaBytes: quota } },
    );
  }

  /** Tells once that a namespace is nearly full, and again when it was emptied and fills up anew. */
  #warn(namespace: string, usedBytes: number): void {
    const quotaBytes = this.#quota(namespace);
    if (quotaBytes === undefined || usedBytes < quotaBytes * QUOTA_WARNING_SHARE) this.#warned.delete(namespace);
    else if (!this.#warned.has(namespace)) {
      this.#warned.add(namespace);
      this.#tell({ namespace, state: 'nearly full', usedBytes, quotaBytes });
    }
  }

  #tell(what: {
    readonly namespace: string;
    readonly state: 'nearly full' | 'exceeded';
    readonly usedBytes: number;
    readonly quotaBytes: number;
  }): void {
    const { namespace: repository, ...details } = what;
    const at = this.#directory.now();
    // Not within the transaction, which may be about to fail and would undo it.
    queueMicrotask(() => this.#catalog.tell({ ...{ kind: 'x-quota', at, by: 'system:quota', repository }, details }));
  }
}
