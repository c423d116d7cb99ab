import type { Group } from '../../cli/command.ts';

/** `wharf plugin …`: what needs no plugin to be fetched; the engine has a place for plugins that run by themselves only. */
export const plugin: Group = {
  name: 'plugin',
  help: 'Manage plugins',
  commands: [
    { name: 'disable', help: 'Disable a plugin', load: async () => (await import('./change.ts')).pluginDisable },
    { name: 'enable', help: 'Enable a plugin', load: async () => (await import('./change.ts')).pluginEnable },
    {
      name: 'inspect',
      help: 'Display detailed information on one or more plugins',
      load: async () => (await import('./inspect.ts')).pluginInspect,
    },
    {
      name: 'ls',
      aliases: ['list'],
      also: ['plugin ls', 'plugin list'],
      help: 'List plugins',
      load: async () => (await import('./ls.ts')).pluginLs,
    },
    {
      name: 'rm',
      aliases: ['remove'],
      also: ['plugin rm', 'plugin remove'],
      help: 'Remove one or more plugins',
      load: async () => (await import('./change.ts')).pluginRm,
    },
    { name: 'set', help: 'Change settings for a plugin', load: async () => (await import('./change.ts')).pluginSet },
  ],
};
