import type { Duplex } from 'node:stream';
import { hasHungUp } from '@wharf/linux/hang-up';

/**
 * True when the client of a half-closed connection is not there any more. `docker attach` ends its side at once when it has no input, so the
 * end of a connection's input says nothing; a process that is silent for days would keep the dead client that long.
 */
export function isGone(client: Duplex): boolean {
  const fd = descriptorOf(client);
  return fd !== undefined && hasHungUp(fd);
}

/** The descriptor of a plain socket, which Node shows in no documented way; of TLS and WebSockets there is none to ask. */
function descriptorOf(client: Duplex): number | undefined {
  if (!('_handle' in client) || client.destroyed) return undefined;
  const handle = client._handle;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined;
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
