import { closeSync, openSync } from 'node:fs';
import { adminSocket } from '@wharf/registry/admin/administration';

/** The longest path of a unix socket (unix(7): sun_path has 108 bytes with the end of the text). */
const MAX_PATH = 107;

/** A path by which the administrators' socket of that root is to be reached while it is held, however long the root's own path is. */
export function socketAddress(root: string): Disposable & { readonly path: string } {
  const plain = adminSocket(root);
  if (Buffer.byteLength(plain) <= MAX_PATH) return { path: plain, [Symbol.dispose]() {} };
  const fd = openSync(root, 'r');
  return { path: adminSocket(`/proc/self/fd/${fd}`), [Symbol.dispose]: () => closeSync(fd) };
}
