import { closeSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { type Child, emptyInput, pipe, spawnAside } from '@wharf/linux/spawn';
import { RuntimeRefusal } from '../runtime/monitor.ts';
import type { OciRuntime } from '../runtime/runtime.ts';
import { StdioPipes } from '../streams/stdio-pipes.ts';

/** A process that the runtime runs in a container with our pipes for its stdio. */
export interface DirectExec {
  readonly pid: number;
  readonly stdio: StdioPipes;
  /** Resolves with the process's exit code, 128 and the signal's number where one ended it. */
  readonly exited: Promise<number>;
}

const LOG_FILE = 'log';
/** The descriptor behind the runtime's `--pid-file`: once a pid comes through, the process runs, and all output is its own. */
const PID_FD = 3;
const KILLED = 137;

/**
 * Runs an exec without a monitor, which takes a third of the time: nobody but its client needs an attached exec's streams, and they end
 * with the daemon anyway. The runtime stays as the process's parent and ends with its exit code. Resolves once the process runs; throws
 * `RuntimeRefusal` with the runtime's words when it cannot.
 */
export async function startDirectExec(options: {
  readonly runtime: OciRuntime;
  readonly containerId: string;
  /** Made for this exec; holds what the runtime writes. */
  readonly directory: string;
  readonly processPath: string;
  readonly stdin: boolean;
}): Promise<DirectExec> {
  const { runtime, containerId, directory, processPath } = options;
  const log = join(directory, LOG_FILE);
  const stdin = options.stdin ? pipe() : { readFd: emptyInput(), writeFd: undefined };
  const stdout = pipe();
  const stderr = pipe();
  const pid = pipe();
  let child: Child;
  try {
    child = await spawnAside({
      path: runtime.executable,
      argv: [
        ...[runtime.path, ...runtime.globalArguments, `--log=${log}`, '--log-format=json'],
        ...['exec', '--process', processPath, '--pid-file', `/proc/self/fd/${PID_FD}`, containerId],
      ],
      cwd: directory,
      fds: { 0: stdin.readFd, 1: stdout.writeFd, 2: stderr.writeFd, [PID_FD]: pid.writeFd },
      setsid: true,
    });
  } catch (error) {
    for (const fd of [stdin.writeFd, stdout.readFd, stderr.readFd, pid.readFd]) if (fd !== undefined) closeSync(fd);
    throw error;
  } finally {
    for (const fd of [stdin.readFd, stdout.writeFd, stderr.writeFd, pid.writeFd]) closeSync(fd);
  }
  const stdio = new StdioPipes({ stdin: stdin.writeFd, stdout: stdout.readFd, stderr: stderr.readFd });
  const exited = child.exited.then(({ code }) => code ?? KILLED);
  const started = await firstNumber(pid.readFd);
  if (started === undefined) {
    // The runtime has written its words to the process's standard error too.
    stdio.close();
    throw new RuntimeRefusal(lastError(textOf(log)) ?? `exit status ${await exited}`);
  }
  return { pid: started, stdio, exited };
}

/** The number that comes through a pipe; `undefined` when it ends without one. Owns the descriptor. */
function firstNumber(fd: number): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.once('data', (text: Buffer) => {
    resolve(Number(text.toString('latin1')));
    socket.destroy();
  });
  socket.once('error', () => socket.destroy());
  socket.once('close', () => resolve(undefined));
  return promise;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

/** The last error in a runtime's log of JSON lines; other lines are passed over. */
function lastError(log: string): string | undefined {
  for (const line of log.trim().split('\n').toReversed()) {
    try {
      const { level, msg } = JSON.parse(line) as { readonly level?: unknown; readonly msg?: unknown };
      if (level === 'error' && typeof msg === 'string') return msg;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}
