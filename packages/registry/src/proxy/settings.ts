/** One upstream registry that a prefix of repository names is a cache of. */
export interface ProxySettings {
  /** A namespace: `hub` makes `hub/library/busybox` stand for `docker.io/library/busybox`. */
  readonly prefix: string;
  /** `docker.io`, `registry.example:5000`. */
  readonly upstream: string;
  readonly username?: string;
  /** The file that holds the password. */
  readonly passwordFile?: string;
  /** For so long a tag is served without asking the upstream; 300 when absent. */
  readonly tagTtlSeconds?: number;
  /** Plain HTTP, or TLS with any certificate. */
  readonly insecure?: boolean;
}
