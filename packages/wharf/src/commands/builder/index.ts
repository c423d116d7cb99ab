import type { Command, Entry, Group } from '../../cli/command.ts';

const loadBuild = async (): Promise<Command> => (await import('./build.ts')).build;

/** `wharf build`, in all its places. */
const build: Entry = {
  name: 'build',
  help: 'Build an image from a Dockerfile',
  also: ['image build', 'build', 'builder build', 'buildx build'],
  load: loadBuild,
};

/** For `wharf image`. */
export const imageBuild = build;

const cache: Group = {
  name: 'cache',
  help: 'Look after the directories behind RUN --mount=type=cache',
  commands: [
    {
      name: 'export',
      help: "Write a cache mount's content to standard output, as an archive",
      load: async () => (await import('./cache.ts')).cacheExport,
    },
    {
      name: 'import',
      help: "Replace a cache mount's content by an archive from standard input",
      load: async () => (await import('./cache.ts')).cacheImport,
    },
    {
      name: 'ls',
      help: 'List the cache mounts by name',
      load: async () => (await import('./cache.ts')).cacheLs,
    },
  ],
};

/** `wharf builder …`. */
export const builder: Group = {
  name: 'builder',
  aliases: ['buildx'],
  help: 'Manage builds',
  commands: [
    build,
    cache,
    { name: 'du', help: 'What the build cache takes', load: async () => (await import('./du.ts')).du },
    { name: 'prune', help: 'Remove build cache', load: async () => (await import('./prune.ts')).prune },
  ],
};

export const builderShort: readonly Entry[] = [{ ...build, common: 4 }];
