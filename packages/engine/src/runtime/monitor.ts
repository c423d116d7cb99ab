import { closeSync, openSync, writeSync } from 'node:fs';
import { hasErrno, withDeadline } from '@wharf/kit';
import { childrenOf } from '@wharf/linux/proc';
import { SIGNALS } from '@wharf/linux/signals';
import { type Child, pipe, spawnAside } from '@wharf/linux/spawn';
import type { MonitorLog } from '../logs/log-service.ts';
import { CREATE_DEADLINE_MS } from './limits.ts';
import { monitorArguments } from './monitor-arguments.ts';
import type { OciRuntime } from './runtime.ts';
import { SyncPipe } from './sync-pipe.ts';

export interface MonitorRequest {
  readonly monitorPath: string;
  readonly runtime: OciRuntime;
  readonly containerId: string;
  readonly name: string;
  /** Its own directory: the container's bundle, or one per exec. Holds socket, FIFOs, pid file. */
  readonly directory: string;
  readonly log: MonitorLog;
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** stdin outlives the clients that write to it. */
  readonly leaveStdinOpen: boolean;
  /** Where the exit code is written under the container's id; not for execs. */
  readonly exitDirectory?: string | undefined;
  readonly exec?: { readonly processPath: string; readonly attach: boolean } | undefined;
  /** Restores from a checkpoint instead of creating. */
  readonly restorePath?: string | undefined;
  /** Gives up at once: the monitor and the runtime are killed. */
  readonly signal?: AbortSignal | undefined;
}

/** A monitor at work: conmon v2, one per container and per exec. It outlives the daemon. */
export interface Monitor {
  /** The monitor's own pid. */
  readonly pid: number;
  /** The container's init, or the exec's process. */
  readonly processPid: number;
  /** For execs: the exit code, `undefined` when the monitor died without one. */
  readonly execExitCode: Promise<number | undefined>;
  /** Resolves when the monitor is gone: output is drained, the exit file is there. */
  readonly exited: Promise<unknown>;
  /** Sends the monitor a signal; false when it has ended. */
  kill(signal: number): boolean;
}

/** Raised by a runtime that refused; `message` is its own. Callers word it with `createFailure` or `execFailure`. */
export class RuntimeRefusal extends Error {
  override readonly name = 'RuntimeRefusal';
}

/**
 * Starts a monitor and through it creates the container, or runs the exec. Resolves once the runtime has answered; the
 * socket of a container's monitor is there by then, and its process not started. For an attached exec `onListening` is called
 * when the socket is there and before the process runs, so no output is missed either way.
 *
 * Throws `RuntimeRefusal` with the runtime's message; `deadline-exceeded` after `CREATE_DEADLINE_MS` and the signal's reason
 * when it aborts, with monitor and runtime killed.
 */
export async function launchMonitor(
  request: MonitorRequest,
  onListening: () => Promise<void> = () => Promise.resolve(),
): Promise<Monitor> {
  const launched = await spawnMonitor(request);
  const { sync, attach, child } = launched;
  try {
    return await withDeadline(
      {
        ms: CREATE_DEADLINE_MS,
        what: `Creating ${request.exec === undefined ? 'container' : 'exec'} ${request.name}`,
        signal: request.signal,
      },
      async () => {
        if (attach !== undefined) {
          await attach.next();
          await onListening();
          launched.go();
        }
        const answer = await sync.next();
        if (answer === undefined) throw new RuntimeRefusal('the monitor ended without an answer');
        if (answer.data < 0) throw new RuntimeRefusal(answer.message ?? `exit status ${-answer.data}`);
        return {
          pid: child.pid,
          processPid: answer.data,
          execExitCode: request.exec === undefined ? Promise.resolve(undefined) : lastCode(sync),
          exited: child.exited,
          kill: (signal) => child.kill(signal),
        };
      },
    );
  } catch (error) {
    if (!(error instanceof RuntimeRefusal)) killWithRuntime(child);
    sync.close();
    throw error;
  } finally {
    attach?.close();
    launched.close();
    if (request.exec === undefined) sync.close();
  }
}

/** The monitor does not take its runtime with it. */
function killWithRuntime(monitor: Child): void {
  const runtimes = childrenOf(monitor.pid);
  monitor.kill(SIGNALS.SIGKILL);
  for (const pid of runtimes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!hasErrno(error, 'ESRCH')) throw error;
    }
  }
}

async function lastCode(sync: SyncPipe): Promise<number | undefined> {
  try {
    return (await sync.next())?.data;
  } finally {
    sync.close();
  }
}

interface Launched {
  readonly child: Child;
  readonly sync: SyncPipe;
  readonly attach: SyncPipe | undefined;
  /** Lets an attached exec go on. */
  go(): void;
  close(): void;
}

const SYNC_FD = 3;
const START_FD = 4;
const ATTACH_FD = 5;

async function spawnMonitor(request: MonitorRequest): Promise<Launched> {
  // conmon stamps its log in local time: in UTC the stamps need no conversion.
  const environment: Record<string, string> = {
    TZ: 'UTC',
    PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    _OCI_SYNCPIPE: String(SYNC_FD),
  };
  const nullFd = openSync('/dev/null', 'r+');
  const syncPipe = pipe();
  const fds: Record<number, number> = { 0: nullFd, 1: nullFd, 2: nullFd, [SYNC_FD]: syncPipe.writeFd };
  const close = [nullFd, syncPipe.writeFd];
  let startFd: number | undefined;
  let attachFd: number | undefined;
  if (request.exec?.attach === true) {
    const start = pipe();
    const attach = pipe();
    environment['_OCI_STARTPIPE'] = String(START_FD);
    environment['_OCI_ATTACHPIPE'] = String(ATTACH_FD);
    fds[START_FD] = start.readFd;
    fds[ATTACH_FD] = attach.writeFd;
    close.push(start.readFd, attach.writeFd);
    startFd = start.writeFd;
    attachFd = attach.readFd;
    // conmon waits for this first byte before it does anything, and for a second one before it runs the process.
    writeSync(startFd, 'g');
  }
  let child: Child;
  try {
    child = await spawnAside({
      path: request.monitorPath,
      argv: [request.monitorPath, ...monitorArguments(request)],
      env: environment,
      // conmon drops its `oom` mark into its working directory.
      cwd: request.directory,
      fds,
    });
  } catch (error) {
    for (const fd of [syncPipe.readFd, attachFd, startFd]) if (fd !== undefined) closeSync(fd);
    throw error;
  } finally {
    for (const fd of close) closeSync(fd);
  }
  return {
    child,
    sync: new SyncPipe(syncPipe.readFd),
    attach: attachFd === undefined ? undefined : new SyncPipe(attachFd),
    go() {
      if (startFd !== undefined) writeSync(startFd, 's');
    },
    close() {
      if (startFd !== undefined) closeSync(startFd);
      startFd = undefined;
    },
  };
}
