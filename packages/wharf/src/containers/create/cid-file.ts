import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { WharfError } from '@wharf/kit/errors';
import { goFileError } from '../values/file-errors.ts';

/** The file that `--cidfile` names: there from the start, so that nobody else takes it, and gone again when no container came of it. */
export class CidFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;
  #isWritten = false;

  constructor(path: string) {
    this.#path = path;
    if (path === '') return;
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) {
      const what = `container ID file found, make sure the other container isn't running or delete ${path}`;
      throw new WharfError('already-exists', what);
    }
    try {
      this.#fd = openSync(path, 'wx', 0o666);
    } catch (error) {
      const why = goFileError(error, path);
      throw new WharfError('failed-precondition', `failed to create the container ID file: ${why}`, { cause: error });
    }
  }

  write(id: string): void {
    if (this.#fd === undefined) return;
    try {
      writeSync(this.#fd, id);
    } catch (error) {
      const why = goFileError(error, this.#path);
      throw new WharfError('internal', `failed to write the container ID to the file: ${why}`, { cause: error });
    }
    this.#isWritten = true;
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    if (!this.#isWritten) rmSync(this.#path, { force: true });
  }
}
