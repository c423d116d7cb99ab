import type { ChainId, DiffId, Digest } from '@wharf/kit';
import type { Descriptor, ImageConfig, Platform } from '@wharf/oci/spec/image';
import type { RunMount } from '../dockerfile/instructions/run-mount.ts';
import type { GitReference } from '../sources/git/git-reference.ts';

/** An image to build on, resolved and at hand for one platform. */
export interface BaseImage {
  /** Normalized, with its digest where known. */
  readonly reference: string;
  /** What the name stood for when it was resolved: an index or a manifest. */
  readonly digest?: Digest;
  readonly config: ImageConfig;
  readonly platform: Platform;
  readonly chainId: ChainId | '';
  readonly diffIds: readonly DiffId[];
  readonly layers: readonly Descriptor[];
}

/**
 * The graph of a build: what each step needs and does, as plain data. A vertex says nothing of results; the solver gives every one
 * of them a tree, and a key by which that tree is found again.
 */
export type Vertex = ImageVertex | SourceVertex | RunVertex | FileVertex;

/** What comes to directories that are there for one build. */
export type SourceVertex = ContextVertex | HttpVertex | GitVertex | InlineVertex;

export interface ImageVertex {
  readonly kind: 'image';
  readonly image: BaseImage;
  readonly name: string;
}

/** The build context, or a named one. */
export interface ContextVertex {
  readonly kind: 'context';
  readonly context: string;
  readonly name: string;
}

export interface HttpVertex {
  readonly kind: 'http';
  readonly url: string;
  readonly filename: string;
  /** What the bytes must hash to; empty for anything. */
  readonly checksum: string;
  readonly name: string;
}

export interface GitVertex {
  readonly kind: 'git';
  readonly reference: GitReference;
  /** The repository's own directory comes along. */
  readonly keepGitDir: boolean;
  readonly name: string;
}

/** Files written in the Dockerfile itself. */
export interface InlineVertex {
  readonly kind: 'inline';
  readonly files: readonly { readonly name: string; readonly data: string; readonly mode: number }[];
  readonly name: string;
}

/** `undefined` is the empty tree of `FROM scratch`. */
export type Base = Vertex | undefined;

export interface StepMount extends RunMount {
  /** What a bind or the first content of a cache comes from. */
  readonly sourceVertex: Base;
}

export interface RunVertex {
  readonly kind: 'run';
  readonly base: Base;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Variables that do not belong to the key of the step: proxies. */
  readonly hiddenEnv: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly mounts: readonly StepMount[];
  readonly network: 'default' | 'none' | 'host';
  /** With all of the host's powers. */
  readonly insecure: boolean;
  /** Empty for the usual one. */
  readonly hostname: string;
  readonly platform: Platform;
  readonly noCache: boolean;
  readonly name: string;
}

export interface CopyAction {
  readonly kind: 'copy';
  readonly source: Base;
  /** Inside of the source; a pattern when `wildcards`. */
  readonly path: string;
  readonly destination: string;
  /** `user[:group]`, names or numbers; empty for the source's own as far as it has one. */
  readonly owner: string;
  /** Octal, or symbolic as chmod(1) takes it; empty to keep it. */
  readonly mode: string;
  readonly wildcards: boolean;
  /** Of a directory its contents are meant. */
  readonly contentsOnly: boolean;
  readonly followLinks: boolean;
  readonly unpack: boolean;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Paths that must be there. */
  readonly required: readonly string[];
}

export interface MakeDirectoryAction {
  readonly kind: 'mkdir';
  readonly path: string;
  readonly mode: number;
  readonly owner: string;
}

export type FileAction = CopyAction | MakeDirectoryAction;

export interface FileVertex {
  readonly kind: 'file';
  readonly base: Base;
  readonly actions: readonly FileAction[];
  /** The layer is made without looking at what is below it (COPY --link). */
  readonly link: boolean;
  readonly platform: Platform;
  readonly noCache: boolean;
  readonly name: string;
}
