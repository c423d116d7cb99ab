/** Every bound of the Engine API's client. */
export const DOCKER_CLIENT_LIMITS = {
  /** Status line and headers of an answer. */
  headBytes: 256 * 1024,
  headerCount: 256,
  /** An answer that is read whole. */
  answerBytes: 256 * 1024 * 1024,
  /** The document of an error (docker reads as much). */
  errorBytes: 1024 * 1024,
  /** One line of a stream of JSON documents. */
  lineBytes: 16 * 1024 * 1024,
  /** Connections that wait for their next request, and how long one may have waited to be used again. */
  idleConnections: 32,
  idleMs: 10_000,
  /** Until a TCP connection and its TLS stand. */
  connectMs: 30_000,
  /** What is kept of ssh's words for the message of its failure. */
  helperTextBytes: 4096,
} as const;
