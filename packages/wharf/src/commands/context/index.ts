import type { Entry, Group } from '../../cli/command.ts';

/** `wharf context …`. */
export const context: Group = {
  name: 'context',
  help: 'Manage contexts',
  commands: [],
};

/** Commands of this noun that stand at the top too. */
export const contextShort: readonly Entry[] = [];
