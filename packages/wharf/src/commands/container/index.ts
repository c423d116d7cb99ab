import type { Entry, Group } from '../../cli/command.ts';
import { containerLooks, containerLooksShort } from './looks.ts';

/** A verb in both its places. */
const verb = (name: string, help: string, load: Entry['load'], more: Partial<Entry> = {}): Entry => ({
  name,
  help,
  also: [`container ${name}`, name],
  load,
  ...more,
});

const VERBS: readonly Entry[] = [
  verb(
    'attach',
    'Attach local standard input, output, and error streams to a running container',
    async () => (await import('./attach.ts')).attach,
  ),
  verb('commit', "Create a new image from a container's changes", async () => (await import('./commit.ts')).commit),
  verb(
    'cp',
    'Copy files/folders between a container and the local filesystem',
    async () => (await import('./cp.ts')).cp,
  ),
  verb('create', 'Create a new container', async () => (await import('./create.ts')).create),
  verb('exec', 'Execute a command in a running container', async () => (await import('./exec.ts')).exec, {
    common: 2,
  }),
  verb(
    'export',
    "Export a container's filesystem as a tar archive",
    async () => (await import('./export.ts')).exportContainer,
  ),
  verb('kill', 'Kill one or more running containers', async () => (await import('./kill.ts')).kill),
  verb('logs', 'Fetch the logs of a container', async () => (await import('./logs.ts')).logs),
  verb('pause', 'Pause all processes within one or more containers', async () => (await import('./pause.ts')).pause),
  verb('rename', 'Rename a container', async () => (await import('./rename.ts')).rename),
  verb('restart', 'Restart one or more containers', async () => (await import('./restart.ts')).restart),
  verb('rm', 'Remove one or more containers', async () => (await import('./rm.ts')).rm, {
    aliases: ['remove'],
    also: ['container rm', 'container remove', 'rm'],
  }),
  verb('run', 'Create and run a new container from an image', async () => (await import('./run.ts')).run, {
    common: 1,
  }),
  verb('start', 'Start one or more stopped containers', async () => (await import('./start.ts')).start),
  verb('stop', 'Stop one or more running containers', async () => (await import('./stop.ts')).stop),
  verb(
    'unpause',
    'Unpause all processes within one or more containers',
    async () => (await import('./pause.ts')).unpause,
  ),
  verb('update', 'Update configuration of one or more containers', async () => (await import('./update.ts')).update),
  verb(
    'wait',
    'Block until one or more containers stop, then print their exit codes',
    async () => (await import('./wait.ts')).wait,
  ),
];

const PRUNE: Entry = {
  name: 'prune',
  help: 'Remove all stopped containers',
  load: async () => (await import('./prune.ts')).prune,
};

/** `wharf container …`. */
export const container: Group = {
  name: 'container',
  help: 'Manage containers',
  commands: [...VERBS, PRUNE, ...containerLooks],
};

/** Commands of this noun that stand at the top too. */
export const containerShort: readonly Entry[] = [...VERBS, ...containerLooksShort];
