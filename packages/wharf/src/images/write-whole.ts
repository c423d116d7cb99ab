import { WharfError } from '@wharf/kit/errors';

interface WholeFile {
  /** Writes everything, and puts it in place only then. */
  fill(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Removes what was written. */
  forget(): void;
}

/** A file that appears, or changes, only when all of it is there. Throws `invalid-argument` where none can be. */
export function writeWhole(path: string): WholeFile {
  const fs = process.getBuiltinModule('node:fs');
  const { basename, dirname, join } = process.getBuiltinModule('node:path');
  const directory = dirname(path);
  if (fs.statSync(directory, { throwIfNoEntry: false }) === undefined) {
    throw refuse(`invalid output path: stat ${directory}: no such file or directory`);
  }
  const old = fs.statSync(path, { throwIfNoEntry: false });
  if (old?.isDirectory() === true) throw refuse('cannot write to a directory');
  // What is no plain file (a pipe, /dev/stdout) cannot be replaced.
  const isPlace = old !== undefined && !old.isFile();
  const temporary = isPlace ? path : join(directory, `.tmp-${basename(path)}${process.pid}`);
  const fd = fs.openSync(temporary, isPlace ? 'w' : 'wx', 0o600);
  const forget = (): void => {
    fs.closeSync(fd);
    if (!isPlace) fs.rmSync(temporary, { force: true });
  };
  return {
    forget,
    async fill(chunks) {
      try {
        for await (const chunk of chunks) for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
        if (!isPlace) fs.fsyncSync(fd);
      } catch (error) {
        forget();
        throw error;
      }
      fs.closeSync(fd);
      if (!isPlace) fs.renameSync(temporary, path);
    },
  };
}

function refuse(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
