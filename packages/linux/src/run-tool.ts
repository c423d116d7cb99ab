import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { hasErrno, WharfError } from '@wharf/kit';
import { TOOL_OUTPUT_BYTES } from './limits.ts';
import { type Child, type ExitStatus, pipe, spawnAside } from './posix-spawn.ts';
import { SIGNALS } from './signals.ts';

export interface ToolResult extends ExitStatus {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface ToolOptions {
  /** Absolute. */
  readonly path: string;
  readonly argv: readonly string[];
  /** What the tool reads from stdin; /dev/null when absent. */
  readonly input?: Buffer | string | undefined;
  /** The tool is killed after this time and `deadline-exceeded` is thrown. Default: a minute. */
  readonly timeoutMs?: number | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** It starts programs of its own, which are killed with it: it leads a session and a process group. */
  readonly withDescendants?: boolean | undefined;
  /** Kills the tool and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end and collects what it writes. A non-zero exit is a result, not an error.
 * Throws `SystemError` when it cannot be started, `deadline-exceeded`, `resource-exhausted` (too much output).
 */
export async function runTool(options: ToolOptions): Promise<ToolResult> {
  options.signal?.throwIfAborted();
  const stdin = options.input === undefined ? undefined : pipe();
  const stdout = pipe();
  const stderr = pipe();
  let child: Child;
  try {
    const { path, argv, env, cwd } = options;
    child = await spawnAside({
      path,
      argv,
      env,
      cwd,
      setsid: options.withDescendants,
      fds: { 0: stdin?.readFd ?? -1, 1: stdout.writeFd, 2: stderr.writeFd },
    });
  } catch (error) {
    for (const fd of [stdin?.writeFd, stdout.readFd, stderr.readFd]) if (fd !== undefined) closeSync(fd);
    throw error;
  } finally {
    for (const fd of [stdin?.readFd, stdout.writeFd, stderr.writeFd]) if (fd !== undefined) closeSync(fd);
  }
  if (stdin) feed(stdin.writeFd, options.input ?? '');
  return collect(child, options, stdout.readFd, stderr.readFd);
}

function feed(fd: number, input: Buffer | string): void {
  const socket = new Socket({ fd, readable: false, writable: true });
  // A tool may end without reading everything.
  socket.on('error', () => socket.destroy());
  socket.end(input);
}

async function collect(child: Child, options: ToolOptions, stdoutFd: number, stderrFd: number): Promise<ToolResult> {
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    // While the leader is not reaped its number is nobody else's.
    if (options.withDescendants === true && child.kill(0)) killGroup(child.pid);
    child.kill(SIGNALS.SIGKILL);
    out.stop();
    err.stop();
  };
  const tooMuch = (): void =>
    fail(
      new WharfError(
        'resource-exhausted',
        `Cannot keep the output of "${options.path}": it is over ${TOOL_OUTPUT_BYTES} bytes`,
      ),
    );
  const out = drain(stdoutFd, tooMuch);
  const err = drain(stderrFd, tooMuch);
  const timeoutMs = options.timeoutMs ?? 60_000;
  const timer = setTimeout(
    () =>
      fail(new WharfError('deadline-exceeded', `Cannot finish "${options.path}": it ran longer than ${timeoutMs} ms`)),
    timeoutMs,
  );
  const abort = (): void => fail(options.signal?.reason);
  options.signal?.addEventListener('abort', abort, { once: true });
  // It may have come while the program was being started.
  if (options.signal?.aborted === true) abort();
  try {
    const [status, stdout, stderr] = await Promise.all([child.exited, out.done, err.done]);
    if (failure !== undefined) throw failure;
    return { ...status, stdout, stderr };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

/** Reads a pipe to its end. `stop` gives up: a grandchild may hold the other end open. */
function drain(fd: number, tooMuch: () => void): { readonly done: Promise<Buffer>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = new Socket({ fd, readable: true, writable: false });
  const chunks: Buffer[] = [];
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > TOOL_OUTPUT_BYTES) tooMuch();
    else chunks.push(chunk);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => resolve(Buffer.concat(chunks)));
  return { done: promise, stop: () => socket.destroy() };
}
