import type { LogChoice } from '@wharf/compose/logs/output';
import type { ContainerSummary } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { logLines, splitTime } from '../../containers/logs/lines.ts';
import { mergeByTime } from '../../containers/logs/merge.ts';
import { containerPath } from '../../containers/path.ts';
import { containerState } from '../../containers/state.ts';
import { logNameOf } from './containers.ts';
import type { LogConsumer } from './log-printer.ts';

interface OrderedLogs {
  readonly client: DockerClient;
  readonly containers: readonly ContainerSummary[];
  readonly choice: Omit<LogChoice, 'follow'>;
  readonly consumer: LogConsumer;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

interface NamedLine {
  readonly name: string;
  readonly time: string;
  readonly text: Buffer;
}

/** Prints what several containers have written in the order of its times, whichever of them is read first. */
export async function printInOrder({ client, containers, choice, consumer, warn, signal }: OrderedLogs): Promise<void> {
  const logs = await Promise.all(
    containers.map(async (container): Promise<readonly AsyncIterable<NamedLine>[]> => {
      const name = logNameOf(container);
      const { since, until, tail } = choice;
      const query = { stdout: 1, stderr: 1, timestamps: 1, since, until, tail };
      try {
        const { tty } = await containerState(client, container.Id);
        const { body } = await client.stream('GET', containerPath(container.Id, '/logs'), { query, signal });
        return [named(name, logLines(body, { tty }))];
      } catch (error) {
        // Of a container whose driver keeps no log there is nothing to show.
        if (!isStatus(error, 501)) throw error;
        warn(`Can't retrieve logs for ${JSON.stringify(name)}: ${error.message}`);
        return [];
      }
    }),
  );
  for await (const { name, time, text } of mergeByTime(logs.flat())) {
    consumer.log(name, choice.timestamps === true ? Buffer.concat([Buffer.from(`${time} `), text]) : text);
  }
}

async function* named(name: string, lines: ReturnType<typeof logLines>): AsyncGenerator<NamedLine, void, undefined> {
  for await (const each of lines) {
    const { time, line } = splitTime(each);
    yield { name, time, text: line.text };
  }
}
