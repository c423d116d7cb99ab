import { randomUUID } from 'node:crypto';
import { messageOf, WharfError } from '@wharf/kit';
import type { GrpcStream } from '@wharf/wire/grpc/client';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import { GrpcError } from '@wharf/wire/grpc/status';
import type { FailedBuild } from '../solve.ts';
import { failedStepOf } from './failed-step.ts';
import {
  type ExecAnswer,
  ExecMessage,
  type FailedStep,
  type MountMessage,
  NewContainerRequest,
  ReleaseContainerRequest,
} from './messages.ts';

const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge/';
/** What a shell leaves with when there is none of its name in the image (shell, "command not found"). */
const NO_SUCH_COMMAND = 127;

interface Stdio {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Opens a shell in the file system of the step that failed, as the step left it, with its mounts, variables, directory and user. Resolves
 * when the shell has ended; says why where none can be opened.
 */
export async function openShell(failed: FailedBuild, signal: AbortSignal, stdio: Stdio = process): Promise<void> {
  const step = failedStepOf(failed.error);
  if (step === undefined) {
    stdio.stderr.write(`No shell: what failed is no RUN, or the daemon keeps nothing of it.\n`);
    return;
  }
  const ContainerID = randomUUID().replaceAll('-', '').slice(0, 25);
  const { client, metadata } = failed;
  try {
    const request = { ContainerID, Mounts: mountsOf(step), Network: step.op?.exec?.network ?? 0 };
    await client.unary(`${BRIDGE}NewContainer`, encode(NewContainerRequest, request), signal, metadata);
    const command = (step.op?.exec?.meta?.args ?? []).join(' ');
    stdio.stderr.write(`\nThe step failed: ${command}\nA shell in it, as it was left; exit to end the build:\n`);
    const code = await runShell(failed, { ContainerID, step, args: shellOf(step) }, stdio, signal);
    if (code === NO_SUCH_COMMAND) stdio.stderr.write('The image has no shell to open.\n');
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof WharfError)) throw error;
    stdio.stderr.write(`No shell: ${messageOf(error)}\n`);
  } finally {
    const release = encode(ReleaseContainerRequest, { ContainerID });
    // The build ends next, and with it everything that was opened on it.
    await client.unary(`${BRIDGE}ReleaseContainer`, release, undefined, metadata).catch(() => undefined);
  }
}

/** The mounts of the step, each with what it held when the step failed; the root comes first. */
function mountsOf({ op, mountIDs = [] }: FailedStep): readonly MountMessage[] {
  return (op?.exec?.mounts ?? []).map((mount, index) => ({ ...mount, resultID: mountIDs[index] ?? '' }));
}

/** The shell that the step itself ran in, without its `-c`; a plain one otherwise. */
function shellOf({ op }: FailedStep): readonly string[] {
  const [shell, flag] = op?.exec?.meta?.args ?? [];
  return shell !== undefined && flag === '-c' ? [shell] : ['/bin/sh'];
}

async function runShell(
  { client, metadata }: FailedBuild,
  {
    ContainerID,
    step,
    args,
  }: { readonly ContainerID: string; readonly step: FailedStep; readonly args: readonly string[] },
  stdio: Stdio,
  signal: AbortSignal,
): Promise<number> {
  const Tty = [stdio.stdin, stdio.stdout].every(({ isTTY }) => isTTY);
  const { env = [], cwd = '/', user = '' } = step.op?.exec?.meta ?? {};
  const terminal =
    Tty && !env.some((each) => each.startsWith('TERM=')) ? [`TERM=${process.env['TERM'] ?? 'xterm'}`] : [];
  const call = client.open(`${BRIDGE}ExecProcess`, metadata, signal);
  const ProcessID = randomUUID();
  const send = (message: object): void => {
    // What is typed while the shell ends is lost, as on any terminal.
    call.send(encode(ExecMessage, { ProcessID, ...message })).catch(() => undefined);
  };
  const meta = { args, env: [...env, ...terminal], cwd, user };
  send({ Init: { ContainerID, Meta: meta, Fds: Tty ? [0, 1] : [0, 1, 2], Tty } });
  using _input = joinInput(stdio, Tty, send);
  return await takeOutput(call, stdio);
}

/** Leads what is typed to the shell. Disposal gives the terminal back. */
function joinInput({ stdin, stdout }: Stdio, tty: boolean, send: (message: object) => void): Disposable {
  const onData = (Data: Buffer): void => send({ File: { Fd: 0, Data } });
  const onEnd = (): void => send({ File: { Fd: 0, EOF: true } });
  const onResize = (): void => send({ Resize: { Rows: stdout.rows, Cols: stdout.columns } });
  if (tty) {
    stdin.setRawMode(true);
    onResize();
    stdout.on('resize', onResize);
  }
  stdin.on('data', onData);
  stdin.once('end', onEnd);
  stdin.resume();
  return {
    [Symbol.dispose]() {
      if (tty) stdin.setRawMode(false);
      stdout.off('resize', onResize);
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.pause();
      stdin.unref();
    },
  };
}

async function takeOutput(call: GrpcStream, { stdout, stderr }: Stdio): Promise<number> {
  let code = 0;
  for await (const bytes of call.messages) {
    const { File, Exit, Done } = decode<ExecAnswer>(ExecMessage, bytes);
    if (File !== undefined && File.Data.length > 0) (File.Fd === 2 ? stderr : stdout).write(File.Data);
    if (Exit !== undefined) {
      code = Exit.Code;
      if (Exit.Error !== undefined && Exit.Error.message !== '' && code === 0)
        throw new GrpcError(2, Exit.Error.message);
    }
    if (Done !== undefined) call.end();
  }
  return code;
}
