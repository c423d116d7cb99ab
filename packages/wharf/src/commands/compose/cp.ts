import type { ContainerSummary } from '@wharf/wire/docker/types';
import { defineCommand, exactly } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { copyFromContainer, copyToContainer } from '../../containers/copy/copy.ts';
import { parseSide } from '../../containers/copy/paths.ts';
import { findContainer, goQuote, listContainers, nameOf } from './containers.ts';
import { INDEX_FLAG } from './index-flag.ts';
import { ComposeSession } from './session.ts';

export const cp = defineCommand({
  usage: ['[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-', '[OPTIONS] SRC_PATH|- SERVICE:DEST_PATH'],
  description: 'Copy files/folders between a service container and the local filesystem',
  flags: {
    all: { kind: 'bool', help: 'Include containers created by the run command' },
    archive: { kind: 'bool', short: 'a', help: 'Archive mode (copy all uid/gid information)' },
    'follow-link': { kind: 'bool', short: 'L', help: 'Always follow symbol link in SRC_PATH' },
    ...INDEX_FLAG,
  },
  args: exactly(2),
  complete: ['file', 'file'],
  examples: [
    'wharf compose cp web:/etc/nginx/nginx.conf .',
    'wharf compose cp ./page.html web:/srv    # into all replicas',
  ],
  run: async (context) => {
    const { flags, args, err } = context;
    const [from = '', to = ''] = args;
    if (from === '') throw new ExitError(1, 'source can not be empty');
    if (to === '') throw new ExitError(1, 'destination can not be empty');
    const [source, destination] = [parseSide(from), parseSide(to)];
    if (source.container && destination.container) {
      throw new ExitError(1, 'copying between services is not supported');
    }
    const service = source.container || destination.container;
    if (!service) throw new ExitError(1, 'unknown copy direction', 'One side is SERVICE:PATH.');
    const session = new ComposeSession(context);
    const project = await session.projectName();
    const client = await session.client();
    const { signal } = session;
    await session.withProgress('Copying', async (view) => {
      const choice = { project, all: true, oneOff: flags.all ? 'include' : 'exclude' } as const;
      const found =
        flags.index > 0
          ? [await findContainer(client, { ...choice, service, index: flags.index, oneOff: 'exclude' }, signal)]
          : await listContainers(client, { ...choice, services: [service] }, signal);
      if (found.length === 0) throw new ExitError(1, `no container found for service ${goQuote(service)}`);
      const copy = async (container: ContainerSummary): Promise<void> => {
        const id = nameOf(container);
        const text = source.container
          ? `copy ${id}:${source.path} to ${destination.path}`
          : `copy ${source.path} to ${id}:${destination.path}`;
        view.event({ id, text, status: 'working', statusText: 'Copying' });
        const wish = {
          ...{ client, container: container.Id, source: source.path, destination: destination.path },
          ...{ followLink: flags['follow-link'], keepOwners: flags.archive, quiet: true, err, signal },
        };
        await (source.container ? copyFromContainer(wish) : copyToContainer(wish));
        view.event({ id, text, status: 'done', statusText: 'Copied' });
      };
      await Promise.all((source.container ? found.slice(0, 1) : found).map(copy));
    });
  },
});
