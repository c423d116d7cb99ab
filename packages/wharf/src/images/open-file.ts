import { hasErrno, WharfError } from '@wharf/kit/errors';

/** A file as a request's body. Throws docker's words where it cannot be opened. */
export async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  const { open } = process.getBuiltinModule('node:fs/promises');
  try {
    const file = await open(path);
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw new WharfError('invalid-argument', `read ${path}: is a directory`);
    }
    return file.createReadStream({ highWaterMark: 256 * 1024 });
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'EACCES', 'ENOTDIR')) throw cause;
    const why = hasErrno(cause, 'EACCES')
      ? 'permission denied'
      : hasErrno(cause, 'ENOENT')
        ? 'no such file or directory'
        : 'not a directory';
    throw new WharfError('not-found', `open ${path}: ${why}`, { cause });
  }
}
