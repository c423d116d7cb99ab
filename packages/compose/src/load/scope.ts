import type { LoadContext, Steps } from './context.ts';
import type { Dict } from './values.ts';
import type { YamlFile } from './yaml-nodes.ts';

/** Where a file stands: what its references and its variables are relative to. */
export interface Scope {
  readonly context: LoadContext;
  readonly steps: Steps;
  /** Where `extends` and `include` look for files; absolute. */
  readonly directory: string;
  /** The project directory as the including file sees it. */
  readonly workingDir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Files that include this one. */
  readonly included: readonly string[];
  /** Services on the way from the first `extends` to here, so that a circle is noticed. */
  readonly chain: ExtendsChain;
  /** How further files are loaded: `extends` and `include` begin anew. */
  readonly loader: Loader;
}

export interface Loader {
  /** Lays all documents of a file over `base`, which is used up. */
  readonly file: (file: YamlFile, base: Dict, scope: Scope) => Promise<LoadedFile>;
  /** Lays files over each other and settles what they say. */
  readonly model: (files: readonly YamlFile[], scope: Scope) => Promise<Dict>;
}

export type ExtendsChain = readonly { readonly file: string; readonly service: string }[];

/** Places whose earlier content a document resets. */
export type Resets = readonly (readonly string[])[];

/** A file laid over what there was, and the places its last document resets. */
export interface LoadedFile {
  readonly document: Dict;
  readonly resets: Resets;
}
