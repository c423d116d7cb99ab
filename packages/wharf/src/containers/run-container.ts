import { messageOf, WharfError } from '@wharf/kit/errors';
import type { CliContext } from '../cli/context.ts';
import { ExitError, USAGE_STATUS } from '../cli/errors.ts';
import { readSettings } from '../cli/settings.ts';
import { attachTo, lead, NO_TERMINAL, type Streams } from './attach.ts';
import type { CreateBody } from './create/body.ts';
import { bodyFromLine, createFromLine, withHelp } from './create/from-line.ts';
import { containerPath } from './path.ts';
import type { RUN_FLAGS } from './run-flags.ts';
import { forwardSignals } from './streams/forward-signals.ts';
import type { Ending } from './streams/pump.ts';
import { isInputTerminal } from './streams/raw-terminal.ts';
import { followSize } from './streams/terminal-size.ts';
import { type Waiting, waitForExit } from './wait-exit.ts';

type RunContext = CliContext<typeof RUN_FLAGS>;

/** `wharf run`: makes a container, joins its streams, starts it; the status is the container's. */
export async function runContainer(context: RunContext): Promise<number> {
  const body = forDetached(context, await bodyFromLine(context));
  const { flags } = context;
  const streams = streamsOf(body);
  if (!flags.detach && streams.stdin && body.Tty && !isInputTerminal()) throw new ExitError(1, NO_TERMINAL);
  const container = await createFromLine(context, body).catch((error: unknown) => {
    throw runError(context, error);
  });
  const client = await context.client();
  using _signals = flags['sig-proxy'] ? forwardSignals(client, container) : undefined;
  const start = () => client.text('POST', containerPath(container, '/start'));
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    context.out.line(container);
    await start().catch((error: unknown) => {
      throw runError(context, error);
    });
    return 0;
  }
  return attached(context, { container, body, streams, start });
}

interface Started {
  readonly container: string;
  readonly body: CreateBody;
  readonly streams: Streams;
  readonly start: () => Promise<unknown>;
}

async function attached(context: RunContext, { container, body, streams, start }: Started): Promise<number> {
  const { flags, out, err } = context;
  const client = await context.client();
  const detachKeys = flags['detach-keys'] || readSettings(context.configDirectory).detachKeys || '';
  const [connection, waiting] = await Promise.all([
    attachTo({ client, container, streams, detachKeys }),
    waitForExit(client, container, { removed: flags.rm, err }),
  ]);
  const stop = new AbortController();
  const leading = lead(connection, { streams, tty: body.Tty, detachKeys, signal: stop.signal });
  leading.catch(() => undefined);
  try {
    await start();
  } catch (error) {
    stop.abort();
    await leading.catch(() => undefined);
    // The daemon removes what it could not start: it is gone when we say so.
    if (flags.rm) await waiting.status;
    waiting.cancel();
    throw runError(context, error);
  }
  using _size =
    body.Tty && out.isTerminal
      ? followSize({ client, path: containerPath(container, '/resize'), out, err })
      : undefined;
  return await ending({ leading, waiting, streams, stop });
}

interface Running {
  readonly leading: Promise<Ending>;
  readonly waiting: Waiting;
  readonly streams: Streams;
  readonly stop: AbortController;
}

/** The status once all output is written; 0 for who detached. */
async function ending({ leading, waiting, streams, stop }: Running): Promise<number> {
  const first = await Promise.race([leading, waiting.status]);
  if (first === 'detached') {
    waiting.cancel();
    return 0;
  }
  if (typeof first === 'number') {
    if (!streams.stdout && !streams.stderr) stop.abort();
    await leading.catch(() => undefined);
  }
  return waiting.status;
}

/** With `-d` nothing is attached. */
function forDetached({ flags }: RunContext, body: CreateBody): CreateBody {
  if (!flags.detach) return body;
  if (flags.attach.length > 0) {
    throw new ExitError(1, 'conflicting options: cannot specify both --attach and --detach');
  }
  return { ...body, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false };
}

function streamsOf({ AttachStdin, AttachStdout, AttachStderr }: CreateBody): Streams {
  return { stdin: AttachStdin, stdout: AttachStdout, stderr: AttachStderr };
}

const NOT_FOUND = /executable file not found|no such file or directory|system cannot find the file specified/;
const NOT_ALLOWED = /permission denied|is a directory/;

/** Shells' statuses for a program that is not there (127) or may not be run (126); 125 for what went wrong before. */
function runError(context: RunContext, error: unknown): unknown {
  if (!(error instanceof WharfError) || error instanceof ExitError) return error;
  const message = messageOf(error);
  const status = NOT_FOUND.test(message) ? 127 : NOT_ALLOWED.test(message) ? 126 : USAGE_STATUS;
  return new ExitError(status, withHelp(context, message));
}
