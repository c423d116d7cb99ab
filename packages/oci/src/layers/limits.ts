/** Output of the decompressors per step; zlib's own default of 16 KiB halves their speed. */
export const INFLATE_CHUNK_BYTES = 256 * 1024;
/** How much of a blob is read at once. */
export const READ_CHUNK_BYTES = 1024 * 1024;
/** Symlinks followed while making missing parent directories, as in the kernel (path_resolution(7)). */
export const MAX_SYMLINKS = 40;
/** Depth of directories a walk follows; a path of the kernel's longest length cannot be deeper. */
export const MAX_DEPTH = 2048;
