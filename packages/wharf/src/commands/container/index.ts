import type { Entry, Group } from '../../cli/command.ts';

/** `wharf container …`. */
export const container: Group = {
  name: 'container',
  help: 'Manage containers',
  commands: [],
};

/** Commands of this noun that stand at the top too. */
export const containerShort: readonly Entry[] = [];
