import { closeSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { SIGNALS } from '@wharf/linux/signals';
import { type Child, emptyInput, pipe, type SpawnOptions, spawnAside } from '@wharf/linux/spawn';
import type { OciRuntime } from '../runtime/runtime.ts';
import type { ProbeResult } from './exec-service.ts';

export interface ProbeOptions {
  readonly timeoutMs: number;
  readonly outputLimitBytes: number;
  readonly signal?: AbortSignal | undefined;
}

const PID_FILE = 'pid';
/** How long output may still come after the probe's process has ended. */
const LEFT_OPEN_MS = 200;

/**
 * Runs a prepared process in a container without a monitor: nobody attaches to a probe, and a daemon that dies takes its
 * result along anyway. When time is over, or the caller gives up, the process in the container is killed, not only
 * the runtime that started it.
 */
export async function runProbe(
  runtime: OciRuntime,
  containerId: string,
  prepared: { readonly directory: string; readonly processPath: string },
  options: ProbeOptions,
): Promise<ProbeResult> {
  const pidPath = join(prepared.directory, PID_FILE);
  const output = pipe();
  const child = await spawnInto(output, {
    path: runtime.executable,
    argv: [
      ...[runtime.path, ...runtime.globalArguments, 'exec', '--process', prepared.processPath],
      ...['--pid-file', pidPath, containerId],
    ],
  });
  const reader = new Reader(output.readFd, options.outputLimitBytes);
  let timedOut = false;
  const end = () => {
    killPid(pidPath);
    child.kill(SIGNALS.SIGKILL);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, options.timeoutMs);
  options.signal?.addEventListener('abort', end, { once: true });
  if (options.signal?.aborted === true) end();
  try {
    const { code } = await child.exited;
    await reader.ended();
    return { exitCode: code ?? 128 + SIGNALS.SIGKILL, output: reader.finish(), timedOut };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', end);
    reader.close();
    await rm(prepared.directory, { recursive: true, force: true });
  }
}

/** Starts a program that writes both streams into a pipe whose reading end stays with the caller. */
async function spawnInto(
  output: ReturnType<typeof pipe>,
  program: Pick<SpawnOptions, 'path' | 'argv'>,
): Promise<Child> {
  const input = emptyInput();
  try {
    return await spawnAside({ ...program, fds: { 0: input, 1: output.writeFd, 2: output.writeFd } });
  } catch (error) {
    closeSync(output.readFd);
    throw error;
  } finally {
    closeSync(input);
    closeSync(output.writeFd);
  }
}

function killPid(path: string): void {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch (error) {
    // ENOENT: the runtime had not started it yet. ESRCH: it ended by itself.
    if (!hasErrno(error, 'ENOENT', 'ESRCH')) throw error;
  }
}

/** The first bytes of both streams in order of arrival; the rest is read and dropped, so that no probe blocks on it. */
class Reader {
  readonly #socket: Socket;
  readonly #limit: number;
  readonly #pieces: Buffer[] = [];
  #size = 0;

  constructor(fd: number, limitBytes: number) {
    this.#limit = limitBytes;
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk: Buffer) => {
      const rest = this.#limit - this.#size;
      if (rest <= 0) return;
      this.#pieces.push(chunk.subarray(0, rest));
      this.#size += Math.min(rest, chunk.length);
    });
  }

  /** All is read; or what a process that the probe left behind still holds open is waited for no longer. */
  async ended(): Promise<void> {
    if (this.#socket.readableEnded || this.#socket.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LEFT_OPEN_MS);
    this.#socket.once('close', resolve);
    await promise;
    clearTimeout(timer);
  }

  finish(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }

  close(): void {
    this.#socket.destroy();
  }
}
