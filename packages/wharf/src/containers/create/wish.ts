import type { ContainerFlags } from './flags.ts';

/** `HTTP_PROXY` and the like, as the client's configuration has them. */
export type Proxies = Readonly<Record<string, string>>;

/** What a command line asks a container to be. */
export interface ContainerWish {
  readonly flags: ContainerFlags;
  /** Long names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  readonly image: string;
  readonly command: readonly string[];
  /** What relative paths start from. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Proxies that the client's configuration has for the daemon. */
  readonly proxies: Proxies;
}
