import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { CONTROL_DEADLINE_MS, CONTROL_GAP_MS } from './limits.ts';

/** The last message under way to each FIFO. conmon answers only the first message of a read, so they go one by one. */
const queues = new Map<string, Promise<void>>();

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** One write to a FIFO; false while nobody reads it. */
function tryWrite(path: string, message: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, 'ENXIO', 'ENOENT')) return false;
    throw error;
  }
  try {
    writeSync(fd, message);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EAGAIN', 'EPIPE')) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}

async function deliver(path: string, message: string, deadlineMs: number): Promise<void> {
  const deadlineAt = performance.now() + deadlineMs;
  while (!tryWrite(path, message)) {
    if (performance.now() >= deadlineAt) {
      throw new WharfError('unavailable', `Cannot reach the monitor at "${path}": nobody reads its control FIFO`);
    }
    await delay(5);
  }
}

/**
 * Sends one line to conmon's control FIFO, after those sent before it, and waits until conmon listens.
 * Throws `unavailable` when it does not within `deadlineMs`.
 */
export async function sendControl(path: string, message: string, deadlineMs = CONTROL_DEADLINE_MS): Promise<void> {
  const before = queues.get(path);
  const sent = before ? before.then(() => deliver(path, message, deadlineMs)) : deliver(path, message, deadlineMs);
  const settled = sent.then(
    () => delay(CONTROL_GAP_MS),
    () => undefined,
  );
  queues.set(path, settled);
  void settled.then(() => {
    if (queues.get(path) === settled) queues.delete(path);
  });
  await sent;
}
