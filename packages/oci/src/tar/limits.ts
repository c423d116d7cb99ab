/** The longest GNU long name, PAX header or sparse map a reader takes in, in bytes; Go's archive/tar has the same bound. */
export const MAX_META_BYTES = 1 << 20;
/** The largest xattr value the kernel takes (limits.h, XATTR_SIZE_MAX). */
export const MAX_XATTR_BYTES = 64 * 1024;
/** The size of a chunk the writer hands on. */
export const WRITE_CHUNK_BYTES = 256 * 1024;
