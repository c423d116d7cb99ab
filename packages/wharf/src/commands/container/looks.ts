import type { Entry } from '../../cli/command.ts';

const list: Entry = {
  name: 'ls',
  aliases: ['ps', 'list'],
  also: ['container ls', 'container list', 'container ps', 'ps'],
  help: 'List containers',
  load: async () => (await import('./ls.ts')).containerLs,
};

const inBoth: readonly Entry[] = [
  {
    name: 'diff',
    also: ['container diff', 'diff'],
    help: "Inspect changes to files or directories on a container's filesystem",
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'port',
    also: ['container port', 'port'],
    help: 'List port mappings or a specific mapping for the container',
    load: async () => (await import('./port.ts')).port,
  },
  {
    name: 'stats',
    also: ['container stats', 'stats'],
    help: 'Display a live stream of container(s) resource usage statistics',
    load: async () => (await import('./stats.ts')).stats,
  },
  {
    name: 'top',
    also: ['container top', 'top'],
    help: 'Display the running processes of a container',
    load: async () => (await import('./top.ts')).top,
  },
];

/** What looks at containers and changes nothing. */
export const containerLooks: readonly Entry[] = [
  ...inBoth,
  {
    name: 'inspect',
    help: 'Display detailed information on one or more containers',
    load: async () => (await import('./inspect.ts')).containerInspect,
  },
  list,
];

/** Those of them that stand at the top too. */
export const containerLooksShort: readonly Entry[] = [...inBoth, { ...list, name: 'ps', aliases: [], common: 3 }];
