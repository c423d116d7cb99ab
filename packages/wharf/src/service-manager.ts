import { messageOf } from '@wharf/kit';
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
