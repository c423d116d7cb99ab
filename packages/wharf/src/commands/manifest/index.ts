import type { Entry, Group } from '../../cli/command.ts';

/** `wharf manifest …`. */
export const manifest: Group = {
  name: 'manifest',
  help: 'Manage Docker image manifests and manifest lists',
  commands: [
    {
      name: 'annotate',
      help: 'Add additional information to a local image manifest',
      load: async () => (await import('./annotate.ts')).annotate,
    },
    {
      name: 'create',
      help: 'Create a local manifest list for annotating and pushing to a registry',
      load: async () => (await import('./create.ts')).create,
    },
    {
      name: 'inspect',
      help: 'Display an image manifest, or manifest list',
      load: async () => (await import('./inspect.ts')).inspect,
    },
    {
      name: 'push',
      help: 'Push a manifest list to a repository',
      load: async () => (await import('./push.ts')).push,
    },
    {
      name: 'rm',
      help: 'Delete one or more manifest lists from local storage',
      load: async () => (await import('./rm.ts')).rm,
    },
  ],
};

/** Commands of this noun that stand at the top too. */
export const manifestShort: readonly Entry[] = [];
