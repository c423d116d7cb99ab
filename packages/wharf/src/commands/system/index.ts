import type { Entry, Group } from '../../cli/command.ts';

/** `wharf system …`. */
export const system: Group = {
  name: 'system',
  help: 'Manage the engine',
  commands: [],
};

/** Commands of this noun that stand at the top too. */
export const systemShort: readonly Entry[] = [
  {
    name: 'version',
    help: 'Versions of client and daemon',
    common: 11,
    load: async () => (await import('../version.ts')).version,
  },
  {
    name: 'info',
    help: 'What the daemon says of itself and its machine',
    common: 12,
    load: async () => (await import('../info.ts')).info,
  },
];
