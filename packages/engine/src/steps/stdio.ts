import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import { O } from '@wharf/linux/constants';
import { openPty, setWindowSize } from '@wharf/linux/pty';
import { parseSignal, SIGNALS } from '@wharf/linux/signals';
import { emptyInput, pipe } from '@wharf/linux/spawn';
import type { StepExec, StepProcess } from '@wharf/oci/steps/step';

type FileIdentity = Pick<Stats, 'dev' | 'ino'>;
/** A command as far as its streams go. */
type Talker = Pick<StepExec, 'output' | 'console'>;
type Window = Parameters<StepProcess['resize']>[0];

/** How often a window's size is tried before the command has its terminal, and how long one waits in between. */
const RESIZE_TRIES = 100;
const RESIZE_EVERY_MS = 20;

/** The standard streams of a step, seen from both sides. */
export interface StepStdio {
  /** What the runtime is given. */
  readonly fds: Readonly<Record<number, number>>;
  /** Closes here what the runtime has now, or never got. */
  handedOver(): void;
  /** Where its input is written; absent when it has none. */
  readonly input: Writable | undefined;
  /** Of the runtime's terminal, where it has one. */
  readonly terminal: FileIdentity | undefined;
  /** To be called when the command has ended: resolves when all it wrote was handed on, and lets go of everything. */
  ended(): Promise<void>;
}

/** Pipes for a step, or a terminal for one at whose console somebody sits. */
export function openStdio(step: Talker): StepStdio {
  return step.console?.tty === true ? terminal(step) : pipes(step);
}

function pipes(step: Talker): StepStdio {
  const out = pipe();
  const err = pipe();
  const stdin = step.console === undefined ? { readFd: emptyInput(), writeFd: undefined } : pipe();
  const ends = [reader(out.readFd, 'stdout', step), reader(err.readFd, 'stderr', step)];
  const input =
    stdin.writeFd === undefined ? undefined : new Socket({ fd: stdin.writeFd, readable: false, writable: true });
  // A command that reads no more is no fault of who writes.
  input?.on('error', () => undefined);
  return {
    fds: { 0: stdin.readFd, 1: out.writeFd, 2: err.writeFd },
    handedOver: () => {
      for (const fd of [stdin.readFd, out.writeFd, err.writeFd]) closeSync(fd);
    },
    ...{ input, terminal: undefined },
    ended: async () => {
      input?.destroy();
      await Promise.all(ends);
    },
  };
}

/** Hands on what comes through a pipe; resolves at its end. Owns the descriptor. */
function reader(fd: number, stream: 'stdout' | 'stderr', { output }: Talker): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', (chunk: Buffer) => output(stream, chunk));
  return new Promise((resolve) => {
    socket.once('error', () => resolve());
    socket.once('close', () => resolve());
  });
}

/** The runtime, which is given this terminal, makes one for the command and hands on what passes between them. */
function terminal(step: Talker): StepStdio {
  const { master, slave } = openPty();
  const { dev, ino } = fstatSync(slave);
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
    terminal: { dev, ino },
    ended: async () => {
      await closed;
      stream.destroy();
    },
  };
}

/** A step that the runtime runs, for who sits at its console. */
export function stepProcess(
  { input, terminal }: StepStdio,
  step: {
    readonly runtimePid: number;
    /** False from the moment that the pid may be another process's. */
    readonly isRunning: () => boolean;
    /** Ends all of it. */
    readonly kill: () => void;
    readonly exec: StepProcess['exec'];
  },
): StepProcess {
  const send = (signal: number): void => {
    // The runtime hands signals on to the command.
    if (step.isRunning()) process.kill(step.runtimePid, signal);
  };
  const resizing = new Resizing(step, terminal);
  return {
    write: (chunk) =>
      new Promise((resolve) => {
        if (input === undefined || input.destroyed || input.writableEnded) resolve();
        else input.write(chunk, () => resolve());
      }),
    endInput: () => {
      if (terminal === undefined) input?.end();
    },
    resize: (window) => {
      if (terminal !== undefined) resizing.to(window);
    },
    signal: (name) => {
      const number = parseSignal(name);
      if (number === SIGNALS.SIGKILL) step.kill();
      else send(number);
    },
    exec: step.exec,
  };
}

/** Sets the size of the terminal that a runtime made for a command; crun does not hand on its own one's in every version. */
class Resizing {
  readonly #step: { readonly runtimePid: number; readonly isRunning: () => boolean };
  readonly #own: FileIdentity | undefined;
  #wanted: Window | undefined;
  #tries = 0;

  constructor(step: { readonly runtimePid: number; readonly isRunning: () => boolean }, own: FileIdentity | undefined) {
    this.#step = step;
    this.#own = own;
  }

  to(window: Window): void {
    const isTrying = this.#wanted !== undefined;
    this.#wanted = window;
    this.#tries = RESIZE_TRIES;
    if (!isTrying) this.#try();
  }

  #try(): void {
    const { runtimePid, isRunning } = this.#step;
    this.#tries -= 1;
    const isDone = this.#wanted === undefined || !isRunning() || this.#tries < 0;
    if (isDone || resizeTerminalOf(runtimePid, this.#own, this.#wanted)) this.#wanted = undefined;
    else setTimeout(() => this.#try(), RESIZE_EVERY_MS).unref();
  }
}

/** Resizes the terminal of a child of a process; false while none has one but `own`. */
function resizeTerminalOf(pid: number, own: FileIdentity | undefined, window: Window | undefined): boolean {
  if (window === undefined) return true;
  for (const child of childrenOf(pid)) {
    for (const path of [0, 1, 2].map((fd) => `/proc/${child}/fd/${fd}`)) {
      const fd = openIfThere(path);
      if (fd === undefined) continue;
      try {
        const { dev, ino } = fstatSync(fd);
        if (!isatty(fd) || (dev === own?.dev && ino === own.ino)) continue;
        setWindowSize(fd, window);
        return true;
      } finally {
        closeSync(fd);
      }
    }
  }
  return false;
}

/** The pids of a process's children; none when it has ended. */
export function childrenOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((each) => each !== '');
  } catch {
    // It has ended.
    return [];
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, O.RDONLY | O.NOCTTY | O.NONBLOCK | O.CLOEXEC);
  } catch {
    // The process has ended, has closed it, or holds something that cannot be opened anew: no terminal in any case.
    return undefined;
  }
}
