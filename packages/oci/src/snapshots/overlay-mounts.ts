import type { Mount } from './snapshotter.ts';

/**
 * Set whatever the kernel's defaults are: without an index the same directories may be mounted twice (a running container
 * and a reader of it); redirects and metadata-only copies would make an upper directory meaningless by itself, which is
 * what layers are made from.
 */
export const OVERLAY_OPTIONS: readonly string[] = ['index=off', 'redirect_dir=off', 'metacopy=off'];

/** A writable stack: `lowerDirs` topmost first, none for a snapshot that stands on nothing. */
export function writableMount(options: {
  readonly lowerDirs: readonly string[];
  readonly upperDir: string;
  readonly workDir: string;
  readonly volatile: boolean;
}): Mount {
  const { lowerDirs, upperDir, workDir } = options;
  if (lowerDirs.length === 0) return { type: 'bind', source: upperDir, options: ['bind', 'rw'] };
  return {
    type: 'overlay',
    source: 'overlay',
    options: options.volatile ? [...OVERLAY_OPTIONS, 'volatile'] : OVERLAY_OPTIONS,
    overlay: { lowerDirs, upperDir, workDir },
  };
}

/** A read-only stack. */
export function readOnlyMount(layerDirs: readonly string[]): Mount {
  const [only, ...rest] = layerDirs;
  if (only !== undefined && rest.length === 0) return { type: 'bind', source: only, options: ['bind', 'ro'] };
  return { type: 'overlay', source: 'overlay', options: ['ro', ...OVERLAY_OPTIONS], overlay: { lowerDirs: layerDirs } };
}
