import type { ChainId, DiffId } from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';

/** One layer of a tree, and what an image's manifest says of it. */
export interface TreeLayer {
  readonly diffId: DiffId;
  readonly descriptor: Descriptor;
  /** RFC 3339; absent for layers of an image that was built on. */
  readonly createdAt?: string;
}

/** A whole file system: committed snapshots, named by the topmost one's chain id; `''` for the empty one. */
export interface Tree {
  readonly chainId: ChainId | '';
  /** Lowest first. */
  readonly layers: readonly TreeLayer[];
}

export const EMPTY_TREE: Tree = { chainId: '', layers: [] };

/** What a vertex comes to: a tree, or a directory of the host that is there for this build only. */
export type Result =
  | { readonly kind: 'tree'; readonly tree: Tree }
  | {
      readonly kind: 'directory';
      readonly path: string;
      /** What is in it, where that is written down (`readIndex`). */
      readonly index?: string;
      /** What it holds, where that is known without looking. */
      readonly identity?: string;
      /** The digest or commit it came as, where it was fetched from elsewhere. */
      readonly pin?: string;
    };
