import { messageOf, WharfError } from '@wharf/kit/errors';
import type { CliContext } from '../cli/context.ts';
import { ExitError, USAGE_STATUS } from '../cli/errors.ts';
import { readSettings } from '../cli/settings.ts';
import { noTerminal, type Streams } from './attach.ts';
import type { CreateBody } from './create/body.ts';
import { bodyFromLine, createFromLine, withHelp } from './create/from-line.ts';
import { hintFor } from './hints.ts';
import { containerPath } from './path.ts';
import type { RUN_FLAGS } from './run-flags.ts';
import { startAttached } from './start-attached.ts';
import { forwardSignals } from './streams/forward-signals.ts';
import { isInputTerminal } from './streams/raw-terminal.ts';

type RunContext = CliContext<typeof RUN_FLAGS>;

/** `wharf run`: makes a container, joins its streams, starts it; the status is the container's. */
export async function runContainer(context: RunContext): Promise<number> {
  const { flags, out, err } = context;
  const body = forDetached(context, await bodyFromLine(context));
  const streams = streamsOf(body);
  if (!flags.detach && streams.stdin && body.Tty && !isInputTerminal()) throw noTerminal();
  const orRunError = <Result>(doing: Promise<Result>): Promise<Result> =>
    doing.catch((error: unknown) => {
      throw runError(context, error);
    });
  const container = await orRunError(createFromLine(context, body));
  const client = await context.client();
  using _signals = flags['sig-proxy'] ? forwardSignals(client, container) : undefined;
  const start = () => orRunError(client.text('POST', containerPath(container, '/start')));
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    out.line(container);
    await start();
    return 0;
  }
  const detachKeys = flags['detach-keys'] || readSettings(context.configDirectory).detachKeys || '';
  const { Tty: tty } = body;
  const { 'sig-proxy': forwards, rm: autoRemove } = flags;
  return await startAttached({ client, container, streams, tty, detachKeys, autoRemove, forwards, out, err, start });
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
  return new ExitError(status, withHelp(context, message, error.hint ?? hintFor(message)));
}
