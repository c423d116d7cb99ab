import type { Entry, Group } from '../../cli/command.ts';

/** `wharf network …`. */
export const network: Group = {
  name: 'network',
  help: 'Manage networks',
  commands: [
    {
      name: 'connect',
      help: 'Connect a container to a network',
      load: async () => (await import('./connect.ts')).networkConnect,
    },
    { name: 'create', help: 'Create a network', load: async () => (await import('./create.ts')).networkCreate },
    {
      name: 'disconnect',
      help: 'Disconnect a container from a network',
      load: async () => (await import('./disconnect.ts')).networkDisconnect,
    },
    {
      name: 'inspect',
      help: 'Display detailed information on one or more networks',
      load: async () => (await import('./inspect.ts')).networkInspect,
    },
    {
      name: 'ls',
      aliases: ['list'],
      also: ['network ls', 'network list'],
      help: 'List networks',
      load: async () => (await import('./ls.ts')).networkLs,
    },
    { name: 'prune', help: 'Remove all unused networks', load: async () => (await import('./prune.ts')).networkPrune },
    {
      name: 'rm',
      aliases: ['remove'],
      also: ['network rm', 'network remove'],
      help: 'Remove one or more networks',
      load: async () => (await import('./rm.ts')).networkRm,
    },
  ],
};

/** Commands of this noun that stand at the top too. */
export const networkShort: readonly Entry[] = [];
