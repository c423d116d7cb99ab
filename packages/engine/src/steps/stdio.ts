import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import { openPty, setWindowSize } from '@wharf/linux/pty';
import { parseSignal, SIGNALS } from '@wharf/linux/signals';
import { pipe } from '@wharf/linux/spawn';
import type { Step, StepProcess } from './step.ts';

/** The standard streams of a step, seen from both sides. */
export interface StepStdio {
  /** What the runtime is given. */
  readonly fds: Readonly<Record<number, number>>;
  /** Closes here what the runtime has now, or never got. */
  handedOver(): void;
  /** Where its input is written; absent when it has none. */
  readonly input: Writable | undefined;
  /** Only of a terminal. */
  readonly resize: ((window: { readonly rows: number; readonly columns: number }) => void) | undefined;
  /** To be called when the command has ended: resolves when all it wrote was handed on, and lets go of everything. */
  ended(): Promise<void>;
}

/** Pipes for a step, or a terminal for one at whose console somebody sits. */
export function openStdio(step: Step): StepStdio {
  return step.console?.tty === true ? terminal(step) : pipes(step);
}

function pipes(step: Step): StepStdio {
  const out = pipe();
  const err = pipe();
  const stdin = step.console === undefined ? undefined : pipe();
  const ends = [reader(out.readFd, 'stdout', step), reader(err.readFd, 'stderr', step)];
  const input = stdin === undefined ? undefined : new Socket({ fd: stdin.writeFd, readable: false, writable: true });
  // A command that reads no more is no fault of who writes.
  input?.on('error', () => undefined);
  return {
    fds: { ...(stdin === undefined ? {} : { 0: stdin.readFd }), 1: out.writeFd, 2: err.writeFd },
    handedOver: () => {
      for (const fd of [stdin?.readFd, out.writeFd, err.writeFd]) if (fd !== undefined) closeSync(fd);
    },
    ...{ input, resize: undefined },
    ended: async () => {
      input?.destroy();
      await Promise.all(ends);
    },
  };
}

/** Hands on what comes through a pipe; resolves at its end. Owns the descriptor. */
function reader(fd: number, stream: 'stdout' | 'stderr', { output }: Step): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', (chunk: Buffer) => output(stream, chunk));
  return new Promise((resolve) => {
    socket.once('error', () => resolve());
    socket.once('close', () => resolve());
  });
}

/** The runtime, which is given this terminal, makes one for the command and hands on what passes between them. */
function terminal(step: Step): StepStdio {
  const { master, slave } = openPty();
  const stream = new ReadStream(master);
  stream.on('data', (chunk: Buffer) => step.output('stdout', chunk));
  const closed = new Promise<void>((resolve) => {
    // A master whose other end is closed by all fails with EIO (pty(7)).
    stream.once('error', () => resolve());
    stream.once('close', () => resolve());
  });
  return {
    fds: { 0: slave, 1: slave, 2: slave },
    handedOver: () => closeSync(slave),
    input: stream,
    resize: (window) => {
      if (!stream.destroyed) setWindowSize(master, window);
    },
    ended: async () => {
      await closed;
      stream.destroy();
    },
  };
}

/** A step that the runtime runs, for who sits at its console. */
export function stepProcess(
  { input, resize }: StepStdio,
  step: {
    readonly runtimePid: number;
    /** False from the moment that the pid may be another process's. */
    readonly isRunning: () => boolean;
    /** Ends all of it. */
    readonly kill: () => void;
  },
): StepProcess {
  const send = (signal: number): void => {
    // The runtime hands signals on to the command.
    if (step.isRunning()) process.kill(step.runtimePid, signal);
  };
  return {
    write: (chunk) =>
      new Promise((resolve) => {
        if (input === undefined || input.destroyed || input.writableEnded) resolve();
        else input.write(chunk, () => resolve());
      }),
    endInput: () => {
      if (resize === undefined) input?.end();
    },
    resize: (window) => {
      if (resize === undefined) return;
      resize(window);
      // The terminal is nobody's controlling one, so the kernel tells the runtime nothing.
      send(SIGNALS.SIGWINCH);
    },
    signal: (name) => {
      const number = parseSignal(name);
      if (number === SIGNALS.SIGKILL) step.kill();
      else send(number);
    },
  };
}
