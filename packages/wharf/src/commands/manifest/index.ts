import type { Entry, Group } from '../../cli/command.ts';

/** `wharf manifest …`. */
export const manifest: Group = {
  name: 'manifest',
  help: 'Manage Docker image manifests and manifest lists',
  commands: [],
};

/** Commands of this noun that stand at the top too. */
export const manifestShort: readonly Entry[] = [];
