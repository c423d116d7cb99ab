/** Networks one daemon keeps; the default pools hold 31 anyway. */
export const NETWORKS_MAX = 1024;
/** Addresses searched for a free one before giving up: a /16. */
export const POOL_SCAN_MAX = 65_536;
/** Ports tried for an ephemeral publication. */
export const EPHEMERAL_TRIES = 4096;
/** Ports one container publishes: every number in two protocols. */
export const PORTS_PER_CONTAINER_MAX = 131_072;
/** Ports of one range that are kept from other programs by a socket each; longer ranges are looked at once. */
export const RESERVED_SOCKETS_PER_RANGE = 64;
/** What another program does to the rules is let come to rest before we look. */
export const RULES_SETTLE_MS = 100;
/** Connections through the relay for [::1]. */
export const RELAY_CONNECTIONS_MAX = 1024;
/** Between looks whether the host names other resolvers, beside the watch. */
export const RESOLV_CONF_LOOK_MS = 5000;
/** Until a change of that file counts as complete. */
export const RESOLV_CONF_SETTLE_MS = 50;
/** DNS questions of one container waiting for an upstream answer; more are refused at once. */
export const DNS_PENDING_MAX = 512;
/** Until nobody waits any longer for upstreams: below the five seconds of stub resolvers. */
export const DNS_UPSTREAM_TIMEOUT_MS = 4000;
/** Until a silent upstream gets company: the next one is asked as well. */
export const DNS_HEDGE_MS = 250;
/** A question by UDP is sent again that often. */
export const DNS_RESEND_MS = 1000;
/** How long an upstream that kept somebody waiting is asked last. */
export const DNS_SLOW_MS = 10_000;
/** Answers of upstreams kept, and the longest time for one. */
export const DNS_CACHE_ENTRIES = 4096;
export const DNS_CACHE_SECONDS = 300;
/** Questions of all containers waiting for upstreams. */
export const DNS_PENDING_ALL_MAX = 4096;
/** Bytes of questions that wait in the socket of one container while its thread is busy. */
export const DNS_RECEIVE_BYTES = 1024 * 1024;
/** Until a failed DNS thread is replaced. */
export const DNS_RESTART_MS = 200;
/** The thread that answers stays that long after the last container. */
export const DNS_THREAD_IDLE_MS = 60_000;
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
/** After a change of links or routes, until they are looked at: another program may be in the middle of something. */
export const GUARD_SETTLE_MS = 100;
/** The smallest packet that every IPv6 link has to carry (RFC 8200, 5). */
export const IPV6_MTU_MIN = 1280;
/** Where daemons listen for connections to [::1]: below the ports that the kernel gives out by itself. */
export const RELAY_PORT_FIRST = 20_000;
export const RELAY_PORTS = 12_000;
