/** Networks one daemon keeps; the default pools hold 31 anyway. */
export const NETWORKS_MAX = 1024;
/** Addresses searched for a free one before giving up: a /16. */
export const POOL_SCAN_MAX = 65_536;
/** Ports tried for an ephemeral publication. */
export const EPHEMERAL_TRIES = 4096;
/** DNS questions of one container waiting for an upstream answer; more are refused at once. */
export const DNS_PENDING_MAX = 512;
/** Until an upstream's silence counts as failure and the next is asked. */
export const DNS_UPSTREAM_TIMEOUT_MS = 2000;
/** Upstream servers asked, as in resolv.conf(5) (MAXNS). */
export const DNS_UPSTREAMS_MAX = 3;
/** Largest DNS message over TCP. */
export const DNS_MESSAGE_BYTES = 65_535;
/** What a UDP answer may hold when the client says nothing of EDNS (RFC 1035, 4.2.1). */
export const DNS_UDP_BYTES = 512;
/** TCP connections to one container's resolver. */
export const DNS_CONNECTIONS_MAX = 64;
/** How long an idle TCP connection to the resolver stays. */
export const DNS_IDLE_MS = 10_000;
/** Seconds clients may keep an answer about a container. */
export const DNS_TTL_SECONDS = 600;
