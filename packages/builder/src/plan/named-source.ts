import type { ImageConfig, Platform } from '@wharf/oci/spec/image';
import type { Base } from './vertex.ts';

/** What a name that came with the build stands for (BuildKit, "named contexts"): files, and the configuration where it is an image. */
export interface NamedSource {
  /** An image to look for, by its reference; then there is nothing else to say. */
  readonly image?: string;
  readonly tree: Base;
  readonly config?: Pick<ImageConfig, 'config' | 'history' | 'author' | 'created'>;
  /** The image's own, where it is one. */
  readonly platform?: Platform;
}

/** A source that a stage can stand on: a directory is copied into an empty tree first. */
export function asTree(source: Base, platform: Platform, noCache: boolean): Base {
  if (source === undefined || source.kind === 'image' || source.kind === 'run' || source.kind === 'file') return source;
  const everything = { path: '/', destination: '/', owner: '', mode: '', include: [], exclude: [], required: [] };
  const plainly = { wildcards: false, contentsOnly: true, followLinks: true, unpack: false };
  const actions = [{ kind: 'copy' as const, source, ...everything, ...plainly }];
  return { kind: 'file', base: undefined, actions, link: false, platform, noCache, name: `FROM ${source.name}` };
}
