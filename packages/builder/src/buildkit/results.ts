import { randomBytes } from 'node:crypto';
import { WharfError } from '@wharf/kit';
import type { Builder } from '../build.ts';
import type { PlatformResult } from '../result.ts';
import { definitionOf, type SourceMessage } from './definition.ts';

/** What a build came to for one platform, or a source that was only looked at. */
export type HeldResult =
  | ({ readonly kind: 'tree' } & Pick<PlatformResult, 'tree' | 'config' | 'platform'>)
  | { readonly kind: 'directory'; readonly path: string };

const SCHEME = 'wharf-result://';

/**
 * Results that clients know by a reference: to look into them, and to build on them (`bake`, "linked targets"). They stay in the cache for as
 * long as they are held.
 */
export class Results {
  readonly #builder: Builder;
  readonly #held = new Map<
    string,
    { readonly result: HeldResult; readonly lease: Disposable; readonly released: (() => void) | undefined }
  >();

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /**
   * Holds a result. Returns its reference, with a graph that stands for it in other builds.
   * @param released called when nobody asks for it any more
   */
  hold(result: HeldResult, released?: () => void): { readonly id: string; readonly def: object } {
    const id = randomBytes(16).toString('hex');
    const lease = this.#builder.lease();
    if (result.kind === 'tree' && result.tree.chainId !== '') lease.keepSnapshot(result.tree.chainId);
    this.#held.set(id, { result, lease, released });
    return { id, def: definitionOf({ identifier: `${SCHEME}${id}`, attrs: {} }) };
  }

  /** `undefined` when it is held no more. */
  find(id: string): HeldResult | undefined {
    return this.#held.get(id)?.result;
  }

  /** Throws `not-found` when it is held no more. */
  get(id: string): HeldResult {
    const found = this.find(id);
    if (found === undefined) throw new WharfError('not-found', `no such ref: ${id}`);
    return found;
  }

  /** The result that a source names; `undefined` for other sources, and for results that are held no more. */
  named({ identifier }: SourceMessage): HeldResult | undefined {
    return identifier.startsWith(SCHEME) ? this.find(identifier.slice(SCHEME.length)) : undefined;
  }

  release(id: string): void {
    const held = this.#held.get(id);
    held?.lease[Symbol.dispose]();
    held?.released?.();
    this.#held.delete(id);
  }
}
