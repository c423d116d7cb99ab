/** Bounds of the client towards servers out in the world. */
export const WEB_CLIENT_LIMITS = {
  /** From the request to an open connection, the TLS handshake included. */
  connectMs: 30_000,
  /** From the last byte sent to the head of the answer. Registries take their time to commit a large upload. */
  headMs: 120_000,
  /** A kept connection without use is closed after so long. */
  idleMs: 30_000,
  /** Kept connections of one host. */
  freeSockets: 8,
  /** A file is sent in pieces of this size. */
  sendBytes: 512 * 1024,
  /** A body that brings less than `slowBytes` in so long is given up. */
  stallMs: 30_000,
  slowBytes: 1024,
} as const;
