import type { Entry, Group } from '../../cli/command.ts';

const info: Entry = {
  name: 'info',
  help: 'Display system-wide information',
  also: ['system info', 'info'],
  load: async () => (await import('./info.ts')).info,
};

const events: Entry = {
  name: 'events',
  help: 'Get real time events from the server',
  also: ['system events', 'events'],
  load: async () => (await import('./events.ts')).events,
};

/** `wharf system …`. */
export const system: Group = {
  name: 'system',
  help: 'Manage the engine',
  commands: [
    { name: 'df', help: 'Show docker disk usage', load: async () => (await import('./df.ts')).df },
    {
      name: 'dial-stdio',
      help: 'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
      hidden: true,
      load: async () => (await import('./dial-stdio.ts')).dialStdio,
    },
    events,
    info,
    { name: 'prune', help: 'Remove unused data', load: async () => (await import('./prune.ts')).prune },
  ],
};

/** Commands of this noun that stand at the top too. */
export const systemShort: readonly Entry[] = [
  {
    name: 'version',
    help: 'Show the versions of client and daemon',
    common: 11,
    load: async () => (await import('./version.ts')).version,
  },
  { ...info, common: 12 },
  events,
  {
    name: 'inspect',
    help: 'Return low-level information on Docker objects',
    load: async () => (await import('./inspect.ts')).inspect,
  },
];
