import type { Entry, Group } from '../../cli/command.ts';

/** `wharf network …`. */
export const network: Group = {
  name: 'network',
  help: 'Manage networks',
  commands: [],
};

/** Commands of this noun that stand at the top too. */
export const networkShort: readonly Entry[] = [];
