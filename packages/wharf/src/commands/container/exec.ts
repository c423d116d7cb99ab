import { isKind } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { ConnectionError } from '@wharf/wire/docker-client/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { lead, noTerminal } from '../../containers/attach.ts';
import { readKeyValueFiles } from '../../containers/create/key-values.ts';
import { containerPath } from '../../containers/path.ts';
import { isInputTerminal } from '../../containers/streams/raw-terminal.ts';
import { consoleSize, followSize } from '../../containers/streams/terminal-size.ts';
import { parseVariable } from '../../containers/values/words.ts';
import { LOST_CONNECTION } from '../../containers/wait-exit.ts';

const FLAGS = {
  detach: { kind: 'bool', short: 'd', help: 'Detached mode: run command in the background' },
  'detach-keys': { kind: 'string', help: 'Override the key sequence for detaching a container' },
  env: {
    kind: 'list',
    short: 'e',
    parse: (text: string): string => parseVariable(text, process.env),
    help: 'Set environment variables',
  },
  'env-file': { kind: 'list', complete: 'file', help: 'Read in a file of environment variables' },
  interactive: { kind: 'bool', short: 'i', help: 'Keep STDIN open even if not attached' },
  privileged: { kind: 'bool', help: 'Give extended privileges to the command' },
  tty: { kind: 'bool', short: 't', help: 'Allocate a pseudo-TTY' },
  user: { kind: 'string', short: 'u', help: 'Username or UID (format: "<name|uid>[:<group|gid>]")' },
  workdir: { kind: 'string', short: 'w', help: 'Working directory inside the container' },
} as const satisfies FlagTable;

type ExecContext = CliContext<typeof FLAGS>;

export const exec = defineCommand({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  interspersed: false,
  flags: FLAGS,
  args: atLeast(2),
  complete: ['running-container', 'none'],
  examples: [
    'wharf exec -it web sh',
    'wharf exec -u postgres db psql -c "select 1"',
    'wharf exec -i db mysql < dump.sql',
  ],
  run: runExec,
});

async function runExec(context: ExecContext): Promise<number> {
  const { flags, args, out } = context;
  const [container = ''] = args;
  const body = execBody(context);
  const client = await context.client();
  // Asked first, so that a container that is not there is told before a terminal that is not there, and no exec is left behind.
  await client.text('GET', containerPath(container, '/json'));
  if (!flags.detach && body.AttachStdin && body.Tty && !isInputTerminal()) throw noTerminal();
  const size = body.Tty ? { ConsoleSize: consoleSize(out) } : {};
  const path = containerPath(container, '/exec');
  const { Id } = await client.json<{ readonly Id: string }>('POST', path, { body: { ...body, ...size } });
  if (Id === '') throw new ExitError(1, 'exec ID empty');
  const start = { Detach: flags.detach, Tty: body.Tty, ...size };
  if (flags.detach) {
    await client.text('POST', `/exec/${Id}/start`, { body: start });
    return 0;
  }
  await leadExec(context, client, { id: Id, start, body });
  return exitStatus(context, client, Id);
}

interface Exec {
  readonly id: string;
  readonly start: object;
  readonly body: ReturnType<typeof execBody>;
}

async function leadExec({ out, err }: ExecContext, client: DockerClient, { id, start, body }: Exec): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const { stream } = await client.hijack('POST', `/exec/${id}/start`, { body: start, headers });
  using _size =
    body.Tty && isInputTerminal() && out.isTerminal
      ? followSize({ client, path: `/exec/${id}/resize`, out, err })
      : undefined;
  const streams = { stdin: body.AttachStdin, stdout: true, stderr: true };
  const ending = await lead(stream, { streams, tty: body.Tty, detachKeys: body.DetachKeys });
  if (ending === 'detached') throw new ExitError(1, 'read escape sequence');
}

function execBody({ flags, args, configDirectory }: ExecContext) {
  const env = [...readKeyValueFiles(flags['env-file'], process.env), ...flags.env];
  return {
    User: flags.user ?? '',
    Privileged: flags.privileged,
    Tty: flags.tty,
    AttachStdin: flags.interactive && !flags.detach,
    AttachStderr: !flags.detach,
    AttachStdout: !flags.detach,
    DetachKeys: flags['detach-keys'] || readSettings(configDirectory).detachKeys || '',
    Env: env.length === 0 ? null : env,
    WorkingDir: flags.workdir ?? '',
    Cmd: args.slice(1),
  };
}

/** The command's own status; 255 where the daemon left before it could be asked. */
async function exitStatus({ err }: ExecContext, client: DockerClient, id: string): Promise<number> {
  try {
    const { ExitCode } = await client.json<{ readonly ExitCode: number | null }>('GET', `/exec/${id}/json`);
    return ExitCode ?? 0;
  } catch (error) {
    if (!(error instanceof ConnectionError) && !isKind(error, 'unavailable')) throw error;
    err.line(LOST_CONNECTION);
    return 255;
  }
}
