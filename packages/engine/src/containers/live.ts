import type { ContainerId } from '@wharf/kit';
import type { ProcessStreams } from '../streams/process-streams.ts';
import type { ContainerRecord } from './container.ts';
import { ExitWaiters } from './exit-waiters.ts';

/** One run of a container's process, from its creation by the runtime to its booked exit. */
export interface Run {
  readonly monitorPid: number;
  readonly pid: number;
  /** Names the init process for good, whatever becomes of its number. */
  readonly pidfd: number;
  readonly startedAtNs: bigint;
  /** The monitor is gone: output is complete, the exit file is there. */
  readonly monitorExited: Promise<unknown>;
}

/**
 * A container with what the daemon remembers of it beside the record.
 *
 * Invariants:
 * - `record` is replaced, never changed, and only through `Registry.save`;
 * - `run` is set exactly while a process exists that has not been booked as ended;
 * - `streams` are those of the run, or of the next one; they are replaced when a run is booked.
 */
export class LiveContainer {
  record: ContainerRecord;
  streams: ProcessStreams;
  run: Run | undefined;
  readonly waiters = new ExitWaiters();
  /** Cuts off the start under way. */
  starting: AbortController | undefined;
  /** Ends a pending restart of the policy. */
  pendingRestart: AbortController | undefined;
  lastRestartDelayMs = 0;
  /** A restart asked for by the user is under way: the end of the old run must not remove or restart the container. */
  restartingByHand = false;
  /** What the user sent leaves the restart policy in force. */
  keepsPolicy = false;
  /** A removal is under way. */
  removing = false;
  /** The record is gone from the store. */
  gone = false;
  /** Nothing of the last run is mounted any more; never rejects. */
  unmounted: Promise<void> = Promise.resolve();
  /** What is left of the last run (cgroup, mount, runtime state) is being cleared; never rejects. */
  cleared: Promise<void> = Promise.resolve();
  /** How many need the root filesystem mounted: the run, and callers of `withRootfs`. */
  rootfsUsers = 0;
  /** The mount is being taken down; never rejects. */
  rootfsLeaving: Promise<void> = Promise.resolve();

  constructor(record: ContainerRecord, streams: ProcessStreams) {
    this.record = record;
    this.streams = streams;
  }

  get id(): ContainerId {
    return this.record.id;
  }

  /** Docker's `Running`: a paused container runs, and so does one between two tries of its restart policy. */
  get isRunning(): boolean {
    const { status } = this.record.state;
    return status === 'running' || status === 'paused' || status === 'restarting';
  }
}
