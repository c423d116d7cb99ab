import type { Entry, Group } from '../../cli/command.ts';

/** `wharf volume …`. */
export const volume: Group = {
  name: 'volume',
  help: 'Manage volumes',
  commands: [
    { name: 'create', help: 'Create a volume', load: async () => (await import('./create.ts')).volumeCreate },
    {
      name: 'inspect',
      help: 'Display detailed information on one or more volumes',
      load: async () => (await import('./inspect.ts')).volumeInspect,
    },
    {
      name: 'ls',
      aliases: ['list'],
      also: ['volume ls', 'volume list'],
      help: 'List volumes',
      load: async () => (await import('./ls.ts')).volumeLs,
    },
    { name: 'prune', help: 'Remove unused local volumes', load: async () => (await import('./prune.ts')).volumePrune },
    {
      name: 'rm',
      aliases: ['remove'],
      also: ['volume rm', 'volume remove'],
      help: 'Remove one or more volumes',
      load: async () => (await import('./rm.ts')).volumeRm,
    },
    {
      name: 'update',
      help: 'Update a volume (cluster volumes only)',
      hidden: true,
      load: async () => (await import('./update.ts')).volumeUpdate,
    },
  ],
};

/** Commands of this noun that stand at the top too. */
export const volumeShort: readonly Entry[] = [];
