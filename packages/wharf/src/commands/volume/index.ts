import type { Entry, Group } from '../../cli/command.ts';

/** `wharf volume …`. */
export const volume: Group = {
  name: 'volume',
  help: 'Manage volumes',
  commands: [],
};

/** Commands of this noun that stand at the top too. */
export const volumeShort: readonly Entry[] = [];
