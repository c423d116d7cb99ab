import type { ContainerWaitResponse } from '@wharf/wire/docker/types';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { listContainers } from './containers.ts';
import { ComposeSession } from './session.ts';

/** Docker compose's status when the waiting itself failed. */
const WAIT_FAILED = 42;

export const wait = defineCommand({
  usage: 'SERVICE [SERVICE...] [OPTIONS]',
  flags: { 'down-project': { kind: 'bool', help: 'Drops project when the first container stops' } },
  args: atLeast(1),
  complete: ['service'],
  examples: ['wharf compose wait job    # ends with the status of the job'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { name } = await session.projectOrName([]);
    const client = await session.client();
    const choice = { project: name, services: context.args, all: false, oneOff: 'include' } as const;
    const containers = await listContainers(client, choice, session.signal);
    if (containers.length === 0) throw new ExitError(1, `no containers for project "${name}"`);
    let status = 0;
    try {
      await Promise.all(
        containers.map(async ({ Id }) => {
          const { StatusCode } = await client.json<ContainerWaitResponse>('POST', `/containers/${Id}/wait`, {
            signal: session.signal,
          });
          context.out.line(`container "${Id}" exited with status code ${StatusCode}`);
          status = StatusCode;
        }),
      );
    } catch (error) {
      if (session.signal.aborted || !(error instanceof Error)) throw error;
      throw new ExitError(WAIT_FAILED, error.message);
    }
    if (context.flags['down-project']) {
      await session.withProgress('Running', async (view) => {
        const runner = await session.runner({ name, view });
        await runner.down({ removeOrphans: true, signal: session.signal });
      });
    }
    return status;
  },
});
