import type { Entry, Group } from '../../cli/command.ts';
import { PROJECT_FLAGS } from './project-flags.ts';

/** Commands of docker compose that say that they are not there. */
const absent: readonly Entry[] = [
  {
    name: 'alpha',
    help: 'Experimental commands',
    hidden: true,
    load: async () =>
      (await import('./refused.ts')).refused(
        'alpha',
        'docker compose makes no promise for it',
        'See wharf compose --help for what there is.',
      ),
  },
  {
    name: 'bridge',
    help: 'Convert compose files into another model',
    hidden: true,
    load: async () =>
      (await import('./refused.ts')).refused(
        'bridge',
        'there are no transformers',
        '`wharf compose config --format json` gives other programs the model.',
      ),
  },
];

/** `wharf compose …`. */
export const compose: Group = {
  name: 'compose',
  help: 'Define and run applications of several containers',
  flags: PROJECT_FLAGS,
  shortFlagErrors: true,
  examples: [
    'wharf compose up -d              # what compose.yaml in this directory or above says',
    'wharf compose -f a.yaml -p shop ps',
    'wharf compose plan               # what `up` would do, and why',
  ],
  commands: [
    {
      name: 'attach',
      help: "Attach local standard input, output, and error streams to a service's running container",
      load: async () => (await import('./attach.ts')).attach,
    },
    {
      name: 'build',
      help: 'Build or rebuild services',
      load: async () => (await import('./build.ts')).build,
    },
    {
      name: 'commit',
      help: "Create a new image from a service container's changes",
      load: async () => (await import('./commit.ts')).commit,
    },
    {
      name: 'config',
      aliases: ['convert'],
      help: 'Parse, resolve and render compose file in canonical format',
      load: async () => (await import('./config.ts')).config,
    },
    {
      name: 'exec',
      help: 'Execute a command in a running container',
      load: async () => (await import('./exec.ts')).exec,
    },
    {
      name: 'export',
      help: "Export a service container's filesystem as a tar archive",
      load: async () => (await import('./export.ts')).exportContainer,
    },
    {
      name: 'run',
      help: 'Run a one-off command on a service',
      load: async () => (await import('./run.ts')).run,
    },
    {
      name: 'watch',
      help: 'Watch build context for service and rebuild/refresh containers when files are updated',
      load: async () => (await import('./watch.ts')).watch,
    },
    {
      name: 'cp',
      help: 'Copy files/folders between a service container and the local filesystem',
      load: async () => (await import('./cp.ts')).cp,
    },
    {
      name: 'create',
      help: 'Creates containers for a service',
      load: async () => (await import('./create.ts')).create,
    },
    {
      name: 'down',
      help: 'Stop and remove containers, networks',
      load: async () => (await import('./down.ts')).down,
    },
    {
      name: 'events',
      help: 'Receive real time events from containers',
      load: async () => (await import('./events.ts')).events,
    },
    {
      name: 'images',
      help: 'List images used by the created containers',
      load: async () => (await import('./images.ts')).images,
    },
    {
      name: 'kill',
      help: 'Force stop service containers',
      load: async () => (await import('./kill.ts')).kill,
    },
    {
      name: 'logs',
      help: 'View output from containers',
      load: async () => (await import('./logs.ts')).logs,
    },
    {
      name: 'ls',
      help: 'List running compose projects',
      load: async () => (await import('./ls.ts')).ls,
    },
    {
      name: 'pause',
      help: 'Pause services',
      load: async () => (await import('./pause.ts')).pause,
    },
    {
      name: 'plan',
      help: 'Say what `up` would do, and why',
      load: async () => (await import('./plan.ts')).plan,
    },
    {
      name: 'port',
      help: 'Print the public port for a port binding',
      load: async () => (await import('./port.ts')).port,
    },
    {
      name: 'ps',
      help: 'List containers',
      load: async () => (await import('./ps.ts')).ps,
    },
    {
      name: 'publish',
      help: 'Publish compose application',
      load: async () => (await import('./publish.ts')).publish,
    },
    {
      name: 'pull',
      help: 'Pull service images',
      load: async () => (await import('./pull.ts')).pull,
    },
    {
      name: 'push',
      help: 'Push service images',
      load: async () => (await import('./push.ts')).push,
    },
    {
      name: 'restart',
      help: 'Restart service containers',
      load: async () => (await import('./restart.ts')).restart,
    },
    {
      name: 'rm',
      help: 'Removes stopped service containers',
      load: async () => (await import('./rm.ts')).rm,
    },
    {
      name: 'scale',
      help: 'Scale services',
      load: async () => (await import('./scale.ts')).scale,
    },
    {
      name: 'start',
      help: 'Start services',
      load: async () => (await import('./start.ts')).start,
    },
    {
      name: 'stats',
      help: 'Display a live stream of container(s) resource usage statistics',
      load: async () => (await import('./stats.ts')).stats,
    },
    {
      name: 'stop',
      help: 'Stop services',
      load: async () => (await import('./stop.ts')).stop,
    },
    {
      name: 'top',
      help: 'Display the running processes',
      load: async () => (await import('./top.ts')).top,
    },
    {
      name: 'unpause',
      help: 'Unpause services',
      load: async () => (await import('./unpause.ts')).unpause,
    },
    {
      name: 'up',
      help: 'Create and start containers',
      load: async () => (await import('./up.ts')).up,
    },
    {
      name: 'version',
      help: 'Show the Docker Compose version information',
      load: async () => (await import('./version.ts')).version,
    },
    {
      name: 'volumes',
      help: 'List volumes',
      load: async () => (await import('./volumes.ts')).volumes,
    },
    {
      name: 'wait',
      help: 'Block until containers of all (or specified) services stop.',
      load: async () => (await import('./wait.ts')).wait,
    },
    ...absent,
  ],
};

/** Commands of this noun that stand at the top too. */
export const composeShort: readonly Entry[] = [
  {
    name: 'up',
    help: 'Create and start the application of compose.yaml',
    load: async () => (await import('./up.ts')).upShort,
  },
  {
    name: 'down',
    help: 'Stop and remove the application of compose.yaml',
    load: async () => (await import('./down.ts')).downShort,
  },
];
