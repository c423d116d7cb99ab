/** What most users of the package need; the rest is imported by module. See README.md. */
export type * from './content/content-store.ts';
export { openContentStore } from './content/fs-store.ts';
export type * from './snapshots/snapshotter.ts';
export { chainIdOf, chainIds } from './spec/chain-id.ts';
export type * from './spec/image.ts';
export * from './spec/media-types.ts';
export * from './spec/platform.ts';
