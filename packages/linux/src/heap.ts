import { readFileSync } from 'node:fs';
import { bind, bindOptional } from './ffi.ts';

const cMallocTrim = bindOptional<(padBytes: number) => number>('malloc_trim', 'int', ['size_t']);
const cMadvise = bind<(address: bigint, length: bigint, advice: number) => number>('madvise', 'int', [
  'uintptr_t',
  'size_t',
  'int',
]);

/** madvise(2): the pages are taken out of this process's page table; for an unchanged mapping of a file the next access finds them again. */
const MADV_DONTNEED = 4;

const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/;

/**
 * Gives memory that the C library keeps for later back to the kernel (malloc_trim(3)). It holds the allocator's locks meanwhile: some
 * milliseconds per 100 MB. Does nothing where the library has no such function.
 */
export function trimHeap(): void {
  cMallocTrim?.(0);
}

/**
 * Lets go of the pages of the program's own file and its libraries, most of which were needed once, to start: the kernel keeps them for
 * as long as it has nothing better to do with the memory, and maps again what is touched (a microsecond for 16 pages). Mappings that hold
 * a page of this process's own making, as relocations do, are left alone. Takes some five milliseconds, to read proc_pid_smaps(5).
 */
export function releaseProgramPages(): void {
  let mapping: RegExpExecArray | null = null;
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    if (line.startsWith('Anonymous:')) {
      const [, from = '0', to = '0', access = '', path = ''] = mapping ?? [];
      if (!/\s0 kB$/.test(line) || !/^r-[-x]p$/.test(access) || !path.startsWith('/')) continue;
      const start = BigInt(`0x${from}`);
      cMadvise(start, BigInt(`0x${to}`) - start, MADV_DONTNEED);
    } else if (/^[0-9a-f]/.test(line)) mapping = MAPPING.exec(line);
  }
}
