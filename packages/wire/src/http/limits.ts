/** Every bound of the HTTP server. A bound reached is an error the client sees, never silence. */
export const HTTP_LIMITS = {
  /** Request line and headers together. Build arguments and filters travel in the URL. */
  headBytes: 256 * 1024,
  headerCount: 256,
  /** A JSON body. Docker's largest are create requests with long environments. */
  jsonBodyBytes: 8 * 1024 * 1024,
  /** All JSON bodies together that have begun to arrive and are larger than a head. Beyond it the one that grows is refused (503). */
  jsonBodiesBytes: 64 * 1024 * 1024,
  /** From the first byte of a request to the end of its head. */
  headTimeoutMs: 60_000,
  /** From asking for a JSON body to its last byte. */
  jsonBodyTimeoutMs: 60_000,
  /** Body bytes that are read and dropped to keep a connection whose handler did not want them. */
  drainBytes: 256 * 1024,
  /** How long a connection that is being closed goes on dropping what the client still sends, so that the answer arrives. */
  lingerMs: 2_000,
  /** Connections of one server; the one idle the longest makes room, and with none idle a new one is refused. */
  connections: 16_384,
  /** A connection without a request for so long is closed. dockerd has no such bound, so ours is a wide one. */
  idleTimeoutMs: 30 * 60_000,
  /** Size line of one chunk of a chunked body, extensions included. */
  chunkLineBytes: 4096,
  /** Trailer section after a chunked body. */
  trailerBytes: 16 * 1024,
  /** How often timeouts are looked for. */
  sweepMs: 5_000,
} as const;

export type HttpLimits = { readonly [K in keyof typeof HTTP_LIMITS]: number };
