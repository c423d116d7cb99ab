/** Bounds of loading: a file from elsewhere must not be able to take the process down. */
export const LIMITS = {
  /** Bytes of one Compose file or file of variables. */
  fileBytes: 64 * 1024 * 1024,
  /** Values of one document once its aliases are written out. */
  documentValues: 2_000_000,
  /** Nesting of one document. */
  depth: 1000,
  /** Files one project may consist of (`include`, `extends`). */
  files: 10_000,
  /** Ports one short form may stand for. */
  portRange: 65_536,
} as const;
