import type { Entry, Group } from '../../cli/command.ts';

/** `wharf context …`. */
export const context: Group = {
  name: 'context',
  help: 'Manage contexts',
  commands: [
    { name: 'create', help: 'Create a context', load: async () => (await import('./create.ts')).create },
    {
      name: 'export',
      help: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
      load: async () => (await import('./export.ts')).exportContext,
    },
    {
      name: 'import',
      help: 'Import a context from a tar or zip file',
      load: async () => (await import('./import.ts')).importContext,
    },
    {
      name: 'inspect',
      help: 'Display detailed information on one or more contexts',
      load: async () => (await import('./inspect.ts')).inspect,
    },
    { name: 'ls', aliases: ['list'], help: 'List contexts', load: async () => (await import('./ls.ts')).ls },
    {
      name: 'rm',
      aliases: ['remove'],
      help: 'Remove one or more contexts',
      load: async () => (await import('./rm.ts')).rm,
    },
    {
      name: 'show',
      help: 'Print the name of the current context',
      load: async () => (await import('./show.ts')).show,
    },
    { name: 'update', help: 'Update a context', load: async () => (await import('./update.ts')).update },
    { name: 'use', help: 'Set the current docker context', load: async () => (await import('./use.ts')).use },
  ],
};

/** Commands of this noun that stand at the top too. */
export const contextShort: readonly Entry[] = [];
