/** What the daemon's thread tells the one that answers DNS. Plain data: it crosses threads. */
import type { NamedEndpoint } from './name-book.ts';
import type { Upstream } from './upstream.ts';
import type { SeenNetwork } from './view.ts';

/** How one container is served. */
export interface DnsClient {
  readonly networks: readonly SeenNetwork[];
  /** False in internal networks: questions about the rest of the world stay unanswered. */
  readonly forwards: boolean;
  /** Of its own; none: the host's. */
  readonly servers: readonly Upstream[];
  /** `ndots` was asked for: names without a dot are never asked of others. */
  readonly plainNamesStay: boolean;
}

export type DnsOrder =
  | { readonly kind: 'name'; readonly endpoint: NamedEndpoint }
  | { readonly kind: 'forget'; readonly endpointId: string }
  /** The descriptors change hands. */
  | {
      readonly kind: 'open';
      readonly id: string;
      readonly udpFd: number;
      readonly tcpFd: number;
      readonly client: DnsClient;
    }
  | { readonly kind: 'change'; readonly id: string; readonly client: DnsClient }
  | { readonly kind: 'close'; readonly id: string }
  | { readonly kind: 'host'; readonly servers: readonly string[] };
