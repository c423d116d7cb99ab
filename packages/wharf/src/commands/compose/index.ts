import type { Entry, Group } from '../../cli/command.ts';

/** `wharf compose …`. */
export const compose: Group = {
  name: 'compose',
  help: 'Define and run applications of several containers',
  commands: [],
};

/** Commands of this noun that stand at the top too. */
export const composeShort: readonly Entry[] = [];
