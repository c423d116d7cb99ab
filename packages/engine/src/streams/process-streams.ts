import type { Duplex } from 'node:stream';
import type { MonitorSocket } from './monitor-socket.ts';

/** Where the monitor (conmon) of one process offers its stdio. */
export interface MonitorIo {
  /** The process's own stdio, where no monitor stands before it; the paths mean nothing then. */
  readonly socket?: MonitorSocket;
  /** conmon's SOCK_SEQPACKET socket: packets out start with 2 (stdout) or 3 (stderr), packets in are stdin. */
  readonly attachSocketPath: string;
  /** conmon's control FIFO: `1 HEIGHT WIDTH\n` resizes the terminal, `2 0 0\n` reopens the log. */
  readonly controlFifoPath: string;
  readonly terminal: boolean;
  /** stdin is open; `ended`: it is a pipe that nobody writes to, and ends at once. */
  readonly stdin: boolean | 'ended';
  /** The first client to leave closes stdin for good (Docker's `StdinOnce`). */
  readonly stdinOnce: boolean;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Docker's notation (`ctrl-p,ctrl-q`); `undefined` for the default, `''` never. Only read for terminals with stdin. */
  readonly detachKeys?: string | undefined;
  /** `true`: frame output by stdcopy (8-byte headers); `false`: raw, as for a terminal. */
  readonly framed: boolean;
}

/** How a client's attachment ended. */
export type AttachEnd = 'process-ended' | 'client-left' | 'detached' | 'too-slow';

/**
 * The streams of one process: the container's init or one exec.
 *
 * Life: made before the process is (`clients may attach first`), `connect`ed once the monitor listens and before the
 * process may run, `drained` when the monitor has closed and all clients were given every byte.
 * Each client has its own bounded buffer: a slow one never delays the log or another client, it is paused up to the
 * bound and back-pressure is passed to the process only when it is the only one.
 */
export interface ProcessStreams {
  connect(io: MonitorIo): Promise<void>;
  readonly connected: boolean;
  /** Serves one client until the process ends, the client leaves, or the detach keys come. */
  attach(client: Duplex, options: AttachOptions): Promise<AttachEnd>;
  readonly clientCount: number;
  /** Remembers the size before `connect` and applies it then. Throws `failed-precondition` after the end. */
  resize(size: { readonly height: number; readonly width: number }): void;
  /**
   * The process is known to be gone though the monitor may still be writing: from now on no client's slowness holds the
   * monitor back. Call it as soon as the pid has ended, or a stuck client could keep the exit from being seen.
   */
  processExited(): void;
  /** Resolves once the monitor's socket has ended and every client has been flushed (or cut at its deadline). */
  readonly drained: Promise<void>;
  /** Ends everything at once: the end is booked, the process failed to start, or the daemon stops. */
  close(): void;
}
