import type { Command, Entry, Group } from '../../cli/command.ts';

const loadBuild = async (): Promise<Command> => (await import('../build.ts')).build;

/** `wharf build`, in all its places. */
const build: Entry = {
  name: 'build',
  help: 'Build an image from a Dockerfile',
  also: ['image build', 'build', 'builder build', 'buildx build'],
  load: loadBuild,
};

/** For `wharf image`. */
export const imageBuild = build;

/** `wharf builder …`. */
export const builder: Group = {
  name: 'builder',
  aliases: ['buildx'],
  help: 'Manage builds',
  commands: [
    build,
    {
      name: 'cache',
      help: 'The directories behind RUN --mount=type=cache: ls, export NAME, import NAME',
      load: async () => (await import('../builder.ts')).cache,
    },
    { name: 'du', help: 'What the build cache takes', load: async () => (await import('../builder.ts')).du },
    { name: 'prune', help: 'Remove build cache', load: async () => (await import('../builder.ts')).prune },
  ],
};

export const builderShort: readonly Entry[] = [{ ...build, common: 4 }];
