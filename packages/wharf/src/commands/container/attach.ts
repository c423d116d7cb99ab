import { messageOf } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { defineCommand, exactly } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { attachTo, lead, noTerminal } from '../../containers/attach.ts';
import { containerPath } from '../../containers/path.ts';
import { type ContainerState, containerState } from '../../containers/state.ts';
import { forwardSignals } from '../../containers/streams/forward-signals.ts';
import { isInputTerminal } from '../../containers/streams/raw-terminal.ts';
import { followSize } from '../../containers/streams/terminal-size.ts';
import { LOST_CONNECTION, waitForExit } from '../../containers/wait-exit.ts';

const FLAGS = {
  'detach-keys': { kind: 'string', help: 'Override the key sequence for detaching a container' },
  'no-stdin': { kind: 'bool', help: 'Do not attach STDIN' },
  'sig-proxy': { kind: 'bool', default: true, help: 'Proxy all received signals to the process' },
} as const satisfies FlagTable;

export const attach = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  flags: FLAGS,
  args: exactly(1),
  complete: ['running-container'],
  examples: ['wharf attach shell      # leave it running with ctrl-p ctrl-q'],
  run: runAttach,
});

async function runAttach(context: CliContext<typeof FLAGS>): Promise<number> {
  const { flags, args, out, err } = context;
  const [name = ''] = args;
  const client = await context.client();
  const { id, tty, openStdin } = await runningContainer(client, name);
  if (!flags['no-stdin'] && tty && !isInputTerminal()) throw noTerminal();
  const detachKeys = flags['detach-keys'] || readSettings(context.configDirectory).detachKeys || '';
  const streams = { stdin: !flags['no-stdin'] && openStdin, stdout: true, stderr: true };
  const pipeErrors = flags['sig-proxy'] && !tty;
  using _signals = pipeErrors ? forwardSignals(client, id) : undefined;
  const waiting = await waitForExit(client, id, 'not-running');
  const connection = await attachTo({ client, container: id, streams, detachKeys });
  try {
    // It may have ended between both questions; then nothing would ever end the connection.
    await runningContainer(client, id);
  } catch (error) {
    connection.destroy();
    waiting.cancel();
    throw error;
  }
  using _size =
    tty && out.isTerminal
      ? followSize({ client, path: containerPath(id, '/resize'), out, err, redraw: true })
      : undefined;
  const ending = await lead(connection, { streams, tty, detachKeys, pipeErrors });
  if (ending === 'detached') {
    waiting.cancel();
    throw new ExitError(1, 'read escape sequence');
  }
  const { status, complaint, lost } = await waiting.ended;
  if (lost !== undefined) throw new ExitError(1, messageOf(lost), LOST_CONNECTION);
  if (complaint !== undefined) throw new ExitError(1, complaint.replace(/^Error waiting for container: /, ''));
  return status;
}

async function runningContainer(client: DockerClient, name: string): Promise<ContainerState> {
  const state = await containerState(client, name);
  const cannot = (what: string): ExitError => new ExitError(1, `You cannot attach to a ${what}`);
  if (!state.isRunning) throw cannot('stopped container, start it first');
  if (state.isPaused) throw cannot('paused container, unpause it first');
  if (state.isRestarting) throw cannot('restarting container, wait until it is running');
  return state;
}
