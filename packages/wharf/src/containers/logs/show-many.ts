import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { Output } from '../../cli/output.ts';
import { LogPrinter } from '../../commands/compose/log-printer.ts';
import type { ContainerState } from '../state.ts';
import { type LogLine, logLines, splitTime } from './lines.ts';
import { mergeByTime } from './merge.ts';
import { type LogWish, openLog } from './show.ts';

interface ManyLogs {
  readonly client: DockerClient;
  readonly containers: readonly ContainerState[];
  readonly wish: LogWish;
  readonly signal: AbortSignal;
  readonly isColoured: boolean;
  readonly out: Output;
  readonly err: Output;
}

interface NamedLine {
  readonly name: string;
  readonly time: string;
  readonly line: LogLine;
}

/** Prints the logs of several containers, each line behind its container's name: in the order of their times, or followed as they come. */
export async function showLogs({ client, containers, wish, signal, isColoured, out, err }: ManyLogs): Promise<number> {
  const printer = new LogPrinter({
    out: (bytes) => out.write(bytes),
    err: (bytes) => err.write(bytes),
    coloured: isColoured,
    prefix: true,
    timestamps: false,
  });
  printer.register(containers.map(({ name }) => name));
  const print = ({ name, time, line }: NamedLine): void => {
    const text = wish.timestamps ? Buffer.concat([Buffer.from(`${time} `), line.text]) : line.text;
    if (line.isError) printer.error(name, text);
    else printer.log(name, text);
  };
  const logs = await Promise.all(
    containers.map(async (container) => {
      // Without their times there is no order between the lines of two containers.
      const { body } = await openLog({ client, container, wish: { ...wish, timestamps: true }, signal });
      return namedLines(container, body);
    }),
  );
  if (!wish.follow) for await (const line of mergeByTime(logs)) print(line);
  else
    await Promise.all(
      logs.map(async (log) => {
        for await (const line of log) print(line);
      }),
    );
  return 0;
}

async function* namedLines({ name, tty }: ContainerState, body: AsyncIterable<Buffer>): AsyncGenerator<NamedLine> {
  for await (const each of logLines(body, { tty })) yield { name, ...splitTime(each) };
}
