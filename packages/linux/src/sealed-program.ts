import { closeSync, existsSync, readFileSync, statSync, writeSync } from 'node:fs';
import { bindOptional, check } from './ffi.ts';

const cMemfdCreate = bindOptional<(name: string, flags: number) => number>('memfd_create', 'int', ['str', 'uint']);
const cFcntl = bindOptional<(fd: number, command: number, argument: number) => number>('fcntl', 'int', [
  'int',
  'int',
  'int',
]);

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, SHRINK, GROW and WRITE. */
const ALL_SEALS = 0xf;

const ELF = Buffer.from('\x7fELF', 'latin1');

interface Copy {
  readonly fd: number;
  readonly path: string;
  readonly state: string;
}

/**
 * A program copied into memory that nobody can change any more (memfd_create(2), "File sealing"). Runtimes see that they are run from such
 * a file and skip what they else do first, which is to copy themselves and start anew (CVE-2019-5736): two milliseconds of each call.
 */
export class SealedProgram {
  readonly #path: string;
  #copy: Copy | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Where to run it: the copy, made anew when the program's file has changed; the file itself where copies cannot be run. */
  get path(): string {
    const { dev, ino, size, mtimeMs } = statSync(this.#path);
    const state = [dev, ino, size, mtimeMs].join(' ');
    if (this.#copy?.state === state) return this.#copy.path;
    this.close();
    const fd = sealedCopy(this.#path);
    if (fd === undefined) return this.#path;
    // By our own number: `self` would be whoever runs it.
    this.#copy = { fd, path: `/proc/${process.pid}/fd/${fd}`, state };
    return this.#copy.path;
  }

  close(): void {
    if (this.#copy !== undefined) closeSync(this.#copy.fd);
    this.#copy = undefined;
  }
}

/**
 * `undefined` where the kernel gives no memory that can be executed (`vm.memfd_noexec`), for scripts, whose interpreter would have to find
 * them, and under SELinux, which goes by a file's label.
 */
function sealedCopy(path: string): number | undefined {
  if (existsSync('/sys/fs/selinux/enforce')) return undefined;
  const program = readFileSync(path);
  if (!program.subarray(0, ELF.length).equals(ELF)) return undefined;
  const fd = cMemfdCreate?.('program', MFD_CLOEXEC | MFD_ALLOW_SEALING) ?? -1;
  if (fd < 0) return undefined;
  try {
    for (let written = 0; written < program.length; ) written += writeSync(fd, program, written);
    check(cFcntl?.(fd, F_ADD_SEALS, ALL_SEALS) ?? -1, 'fcntl');
    return fd;
  } catch {
    closeSync(fd);
    return undefined;
  }
}
