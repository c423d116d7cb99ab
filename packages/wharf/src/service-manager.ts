import { existsSync } from 'node:fs';
import { messageOf } from '@wharf/kit';
import { runTool } from '@wharf/linux/spawn';
import { UnixDatagram } from '@wharf/linux/unix-datagram';
import type { DaemonLogger } from './logger.ts';

/**
 * Tells the service manager that started us how far we are (sd_notify(3)): `READY=1`, `STOPPING=1`. Does nothing without one; one that
 * cannot be reached is only logged, since it is no reason to end.
 */
export async function notifyServiceManager(state: string, log: DaemonLogger): Promise<void> {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  try {
    const socket = UnixDatagram.connect(path);
    try {
      await socket.send(Buffer.from(state));
    } finally {
      socket.close();
    }
  } catch (error) {
    log.warn({ path }, `the service manager cannot be told "${state}": ${messageOf(error)}`);
  }
}

const SYSTEMCTL = '/usr/bin/systemctl';
/** systemd is busy when the machine goes down, and a wrong answer costs more than the wait. */
const ANSWER_DEADLINE_MS = 15_000;

/**
 * True when we are being stopped because the machine goes down. Containers end with it, and better by their stop signal than by the final
 * kill, which comes late for those that ignore SIGTERM and without their own time to finish.
 */
export async function machineGoesDown(): Promise<boolean> {
  if (process.env['NOTIFY_SOCKET'] === undefined || !existsSync(SYSTEMCTL)) return false;
  try {
    const argv = [SYSTEMCTL, 'is-system-running'];
    const { stdout } = await runTool({ path: SYSTEMCTL, argv, timeoutMs: ANSWER_DEADLINE_MS });
    return stdout.toString().trim() === 'stopping';
  } catch {
    // Without an answer it is only the daemon that stops, which is what happens far more often.
    return false;
  }
}
