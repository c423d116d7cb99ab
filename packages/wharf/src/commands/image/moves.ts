import type { Entry } from '../../cli/command.ts';

/** What brings images in and out: registries, archives, names. */
const pull: Entry = {
  name: 'pull',
  help: 'Download an image from a registry',
  also: ['image pull', 'pull'],
  load: async () => (await import('./pull.ts')).pull,
};

const push: Entry = {
  name: 'push',
  help: 'Upload an image to a registry',
  also: ['image push', 'push'],
  load: async () => (await import('./push.ts')).push,
};

const tag: Entry = {
  name: 'tag',
  help: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  also: ['image tag', 'tag'],
  load: async () => (await import('./tag.ts')).tag,
};

const save: Entry = {
  name: 'save',
  help: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  also: ['image save', 'save'],
  load: async () => (await import('./save.ts')).save,
};

const load: Entry = {
  name: 'load',
  help: 'Load an image from a tar archive or STDIN',
  also: ['image load', 'load'],
  load: async () => (await import('./load.ts')).load,
};

const importEntry: Entry = {
  name: 'import',
  help: 'Import the contents from a tarball to create a filesystem image',
  also: ['image import', 'import'],
  load: async () => (await import('./import.ts')).importImage,
};

const rm: Entry = {
  name: 'rm',
  aliases: ['remove'],
  help: 'Remove one or more images',
  also: ['image rm', 'image remove', 'rmi'],
  load: async () => (await import('./rm.ts')).rm,
};

const prune: Entry = {
  name: 'prune',
  help: 'Remove unused images',
  load: async () => (await import('./prune.ts')).prune,
};

export const imageMoves: readonly Entry[] = [importEntry, load, prune, pull, push, rm, save, tag];

const { aliases: _, ...rmi } = rm;

/** The same at the top. */
export const imageMovesShort: readonly Entry[] = [
  { ...pull, common: 5 },
  { ...push, common: 6 },
  ...[importEntry, load, save, tag],
  { ...rmi, name: 'rmi' },
];
