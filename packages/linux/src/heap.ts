import { bindOptional } from './ffi.ts';

const cMallocTrim = bindOptional<(padBytes: number) => number>('malloc_trim', 'int', ['size_t']);

/**
 * Gives memory that the C library keeps for later back to the kernel (malloc_trim(3)). It holds the allocator's locks meanwhile: some
 * milliseconds per 100 MB. Does nothing where the library has no such function.
 */
export function trimHeap(): void {
  cMallocTrim?.(0);
}
