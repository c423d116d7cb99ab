import { chmod, chown, stat } from 'node:fs/promises';

/**
 * Gives the top directory of a new layer the owner and mode of the one below: in an overlay the top layer's root is the
 * root everybody sees.
 */
export async function adoptRoot(from: string, to: string): Promise<void> {
  const { mode, uid, gid } = await stat(from);
  if (uid !== 0 || gid !== 0) await chown(to, uid, gid);
  if ((mode & 0o7777) !== 0o755) await chmod(to, mode & 0o7777);
}
