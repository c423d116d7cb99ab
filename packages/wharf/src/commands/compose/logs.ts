import { monitorApp } from '@wharf/compose/logs/monitor';
import type { LogChoice } from '@wharf/compose/logs/output';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { timestampOf } from '@wharf/wire/docker-client/timestamp';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { AppLog } from './app-log.ts';
import { findContainer, listContainers, logNameOf, nameOf } from './containers.ts';
import { LOG_FLAGS, openLogPrinter } from './log-flags.ts';
import type { LogPrinter } from './log-printer.ts';
import { ComposeSession } from './session.ts';

/** Who follows logs waits so long for what was stopped to be started again. */
const RESTART_MS = 3000;

export const logs = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    follow: { kind: 'bool', short: 'f', help: 'Follow log output' },
    index: { kind: 'int', default: 0, help: 'index of the container if service has multiple replicas' },
    ...LOG_FLAGS,
    since: {
      kind: 'string',
      help: 'Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)',
    },
    tail: {
      kind: 'string',
      short: 'n',
      default: 'all',
      help: 'Number of lines to show from the end of the logs for each container',
    },
    timestamps: { kind: 'bool', short: 't', help: 'Show timestamps' },
    until: {
      kind: 'string',
      help: 'Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)',
    },
  },
  args: anyArguments,
  complete: ['service'],
  examples: [
    'wharf compose logs -f --tail 10         # all services, as they write',
    'wharf compose logs --since 5m web db',
  ],
  run: async (context) => {
    const { follow, index, since, until, tail, timestamps } = context.flags;
    if (index > 0 && context.args.length !== 1) throw new ExitError(1, '--index requires one service to be selected');
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(context.args);
    const services = [...context.args];
    // What asked not to be attached to speaks only when it is asked for by name.
    if (services.length === 0) {
      for (const [service, { attach }] of Object.entries(project?.services ?? {})) {
        if (attach !== false) services.push(service);
      }
    }
    const nowMs = Date.now();
    const choice: LogChoice = {
      ...{ follow, tail, timestamps },
      since: timestampOf('since', since, nowMs),
      until: timestampOf('until', until, nowMs),
    };
    const printer = openLogPrinter(session, {
      isMonochrome: context.flags['no-color'],
      prefix: !context.flags['no-log-prefix'],
      timestamps: false,
    });
    await printLogs({ session, client: await session.client(), project: name, services, index, choice, printer });
  },
});

interface Work {
  readonly session: ComposeSession;
  readonly client: DockerClient;
  readonly project: string;
  readonly services: readonly string[];
  readonly index: number;
  readonly choice: LogChoice;
  readonly printer: LogPrinter;
}

async function printLogs({ session, client, project, services, index, choice, printer }: Work): Promise<void> {
  const { signal, warn } = session;
  const [only = ''] = services;
  const found =
    index > 0
      ? [await findContainer(client, { project, service: only, index, all: true, oneOff: 'exclude' }, signal)]
      : await listContainers(client, { project, services, all: true, oneOff: 'exclude' }, signal);
  const containers = found.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  printer.register(containers.map(logNameOf));
  if (!choice.follow && containers.length > 1) {
    const { printInOrder } = await import('./logs-in-order.ts');
    return printInOrder({ client, containers, choice, consumer: printer, warn, signal });
  }
  const log = new AppLog({ client, consumer: printer, warn, signal });
  for (const container of containers) log.read(container.Id, logNameOf(container), choice);
  if (choice.follow) {
    const { over } = monitorApp({
      ...{ client, project, services: new Set(services), signal, restartMs: () => RESTART_MS },
      onEvent: (event) => {
        void log.tell(event);
        const { since: _since, ...rest } = choice;
        if (event.kind === 'started') void log.readSinceStart(event.id, event.name, rest);
      },
    });
    await over;
  }
  await log.over();
  signal.throwIfAborted();
}
