import { defineCommand, exactly } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { copyFromContainer, copyToContainer } from '../../containers/copy/copy.ts';
import { parseSide } from '../../containers/copy/paths.ts';

export const cp = defineCommand({
  usage: ['[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-', '[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH'],
  description: `Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  flags: {
    archive: { kind: 'bool', short: 'a', help: 'Archive mode (copy all uid/gid information)' },
    'follow-link': { kind: 'bool', short: 'L', help: 'Always follow symbol link in SRC_PATH' },
    quiet: {
      kind: 'bool',
      short: 'q',
      help: 'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    },
  },
  args: exactly(2),
  complete: ['file', 'file'],
  examples: [
    'wharf cp web:/etc/nginx/nginx.conf .',
    'wharf cp ./site/. web:/usr/share/nginx/html      # what is in site',
    'wharf cp web:/var/log - | tar -t',
  ],
  run: async (context) => {
    const { flags, args, err, out, signal } = context;
    const [from = '', to = ''] = args;
    if (from === '') throw new ExitError(1, 'source can not be empty');
    if (to === '') throw new ExitError(1, 'destination can not be empty');
    const [source, destination] = [parseSide(from), parseSide(to)];
    const container = source.container || destination.container;
    if (source.container && destination.container) {
      throw new ExitError(1, 'copying between containers is not supported');
    }
    if (!container) throw new ExitError(1, 'must specify at least one container source');
    const wish = {
      client: await context.client(),
      container,
      source: source.path,
      destination: destination.path,
      followLink: flags['follow-link'],
      keepOwners: flags.archive,
      quiet: context.given('quiet') ? flags.quiet : !out.isTerminal,
      ...{ err, signal },
    };
    await (source.container ? copyFromContainer(wish) : copyToContainer(wish));
  },
});
