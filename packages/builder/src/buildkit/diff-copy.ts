/** Go's os.FileMode, the bits above the permissions. */
export const GO = {
  DIR: 2 ** 31,
  SYMLINK: 2 ** 27,
  DEVICE: 2 ** 26,
  PIPE: 2 ** 25,
  SOCKET: 2 ** 24,
  SETUID: 2 ** 23,
  SETGID: 2 ** 22,
  CHAR_DEVICE: 2 ** 21,
  STICKY: 2 ** 20,
};

/** Packets of fsutil's DiffCopy. */
export const PACKET = { STAT: 0, REQUEST: 1, DATA: 2, FIN: 3, ERROR: 4 } as const;
