import type { Tree } from './tree.ts';

/** Results of steps that lie elsewhere and are fetched when their files are needed. */
export interface RemoteCache {
  /** What a step came to elsewhere, on top of its base; its files need not be here. */
  find(key: string, base: Tree): Tree | undefined;
  /** The digest of what a copy takes from a tree, by its `selectionKey`. */
  selection(key: string): string | undefined;
  isHere(tree: Tree): boolean;
  /** Brings a tree's files. False when they are not to be had: then the step is to be run. */
  fetch(tree: Tree): Promise<boolean>;
}
