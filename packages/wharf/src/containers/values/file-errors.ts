const TEXTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
  EPERM: 'operation not permitted',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on device',
  EPIPE: 'broken pipe',
  EIO: 'input/output error',
  EBADF: 'bad file descriptor',
};

/** The words of Linux for a failed system call, as Go has them: `no such file or directory`. */
export function errnoText(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return TEXTS[code] ?? message;
}

/** What went wrong with a file, as Go says it: `open /x: no such file or directory`. */
export function goFileError(error: unknown, path: string): string {
  const { code, syscall = 'open', message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `${syscall} ${path}: ${errnoText(error)}`;
}
