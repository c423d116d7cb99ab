import { randomInt } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { openBoundSocket, portsInUse } from '@wharf/linux/inet';
import { ALL_PORTS_ALLOCATED, bindFailed, portAllocated } from '@wharf/wire/docker/messages';
import { EPHEMERAL_TRIES, RESERVED_SOCKETS_PER_RANGE } from './limits.ts';
import type { PortForward } from './nft-plan.ts';
import { ANY_IPV4, ANY_IPV6, type Protocol, type WantedPorts } from './wanted-ports.ts';

/** Host ports that are ours: others get EADDRINUSE for them until `close`. */
export interface HeldPorts {
  readonly forward: Omit<PortForward, 'address'>;
  close(): void;
}

interface Taken {
  readonly hostIp: string;
  readonly first: number;
  readonly last: number;
}

/** The host ports that this daemon has given out, and the sockets that keep others off them. */
export class PortBook {
  readonly #taken: Readonly<Record<Protocol, Set<Taken>>> = { tcp: new Set(), udp: new Set(), sctp: new Set() };
  #nextEphemeral = 0;

  /** Takes all or none. Throws with Docker's words when one is taken. */
  hold(wanted: readonly WantedPorts[]): HeldPorts[] {
    const held: HeldPorts[] = [];
    try {
      for (const want of wanted) held.push(...this.#holdOne(want));
      return held;
    } catch (error) {
      for (const port of held) port.close();
      throw error;
    }
  }

  /**
   * After a daemon restart: books ports that are in force. When another program has one by now, it stays ours in the books
   * and in the rules, and `onConflict` hears of it.
   */
  holdAgain(want: WantedPorts, onConflict: (error: unknown) => void): HeldPorts[] {
    return want.hostIps.map((hostIp) => {
      try {
        return this.#take(want, hostIp, want.firstHostPort);
      } catch (error) {
        onConflict(error);
        return { forward: forwardOf(want, hostIp, want.firstHostPort), close() {} };
      }
    });
  }

  #holdOne(want: WantedPorts): HeldPorts[] {
    if (want.routed === true) {
      return want.hostIps.map((hostIp) => ({ forward: forwardOf(want, hostIp, want.port), close() {} }));
    }
    if (want.firstHostPort === 0) return this.#holdEphemeral(want);
    if (want.firstHostPort === want.lastHostPort) return this.#takeAll(want, want.firstHostPort);
    for (let port = want.firstHostPort; port <= want.lastHostPort; port++) {
      try {
        return this.#takeAll(want, port);
      } catch (error) {
        if (!(error instanceof WharfError)) throw error;
      }
    }
    throw new WharfError('internal', ALL_PORTS_ALLOCATED);
  }

  #holdEphemeral(want: WantedPorts): HeldPorts[] {
    const [low, high] = ephemeralRange();
    const span = high - low + 1;
    // Begins anywhere, so that daemons side by side do not run after each other's ports.
    if (this.#nextEphemeral === 0) this.#nextEphemeral = low + randomInt(span);
    for (let tries = 0; tries < Math.min(span, EPHEMERAL_TRIES); tries++) {
      if (this.#nextEphemeral < low || this.#nextEphemeral > high) this.#nextEphemeral = low;
      const port = this.#nextEphemeral++;
      try {
        return this.#takeAll(want, port);
      } catch (error) {
        if (!(error instanceof WharfError)) throw error;
      }
    }
    throw new WharfError('internal', ALL_PORTS_ALLOCATED);
  }

  /** The same port on every address. */
  #takeAll(want: WantedPorts, hostPort: number): HeldPorts[] {
    const held: HeldPorts[] = [];
    try {
      for (const hostIp of want.hostIps) held.push(this.#take(want, hostIp, hostPort));
      return held;
    } catch (error) {
      for (const port of held) port.close();
      throw error;
    }
  }

  #take(want: WantedPorts, hostIp: string, hostPort: number): HeldPorts {
    const { protocol, count } = want;
    const taken = this.#taken[protocol];
    const wanted: Taken = { hostIp, first: hostPort, last: hostPort + count - 1 };
    for (const other of taken) {
      if (!overlap(other, wanted)) continue;
      const port = Math.max(other.first, wanted.first);
      throw new WharfError('internal', portAllocated(isAny(hostIp) ? hostIp : other.hostIp, port));
    }
    const fds = reserve(protocol, wanted);
    taken.add(wanted);
    return {
      forward: forwardOf(want, hostIp, hostPort),
      close: () => {
        if (!taken.delete(wanted)) return;
        for (const fd of fds) closeSync(fd);
      },
    };
  }
}

/** The ports in force that serve what is wanted now, and what is wanted beyond them. */
export function sortOut(
  held: readonly HeldPorts[],
  wanted: readonly WantedPorts[],
): { readonly kept: readonly HeldPorts[]; readonly missing: readonly WantedPorts[] } {
  const kept = new Set<HeldPorts>();
  const missing: WantedPorts[] = [];
  for (const want of wanted) {
    const free = held.filter((one) => !kept.has(one) && serves(one.forward, want));
    const hostPort = free[0]?.forward.hostPort;
    const same = want.hostIps.map((ip) =>
      free.find(({ forward }) => forward.hostIp === ip && forward.hostPort === hostPort),
    );
    if (same.every((one) => one !== undefined)) for (const one of same) kept.add(one);
    else missing.push(want);
  }
  return { kept: [...kept], missing };
}

function serves(forward: HeldPorts['forward'], want: WantedPorts): boolean {
  const { protocol, port, count, hostPort } = forward;
  const sameTarget = protocol === want.protocol && port === want.port && count === want.count;
  const chosen = want.firstHostPort === 0 || (hostPort >= want.firstHostPort && hostPort <= want.lastHostPort);
  return sameTarget && (forward.routed === true) === (want.routed === true) && (chosen || want.routed === true);
}

/** What was wanted for ports to be as they are. */
export function wantedAgain(forward: HeldPorts['forward']): WantedPorts {
  const { protocol, port, count, hostIp, hostPort, routed } = forward;
  const common = { protocol, port, count, hostIps: [hostIp], firstHostPort: hostPort, lastHostPort: hostPort };
  return routed === true ? { ...common, routed } : common;
}

function forwardOf(want: WantedPorts, hostIp: string, hostPort: number): Omit<PortForward, 'address'> {
  const { protocol, port, count, routed } = want;
  return { protocol, hostIp, hostPort, port, count, ...(routed === true ? { routed } : {}) };
}

const isAny = (address: string): boolean => address === ANY_IPV4 || address === ANY_IPV6;
const isIpv6 = (address: string): boolean => address.includes(':');

function overlap(a: Taken, b: Taken): boolean {
  if (a.last < b.first || b.last < a.first || isIpv6(a.hostIp) !== isIpv6(b.hostIp)) return false;
  return a.hostIp === b.hostIp || isAny(a.hostIp) || isAny(b.hostIp);
}

/**
 * Binds the ports so that other programs are refused them, and learns of those that have one. Nothing ever arrives at the
 * sockets: packets are redirected before. A long range is only looked at: a socket for each port would cost more than all
 * the rest of it. Throws `internal` in Docker's words.
 */
function reserve(protocol: Protocol, { hostIp, first, last }: Taken): number[] {
  const fds: number[] = [];
  try {
    if (last - first < RESERVED_SOCKETS_PER_RANGE) {
      for (let port = first; port <= last; port++) fds.push(...reserveOne(protocol, hostIp, port));
      return fds;
    }
    for (const port of portsInUse(protocol, first, last)) {
      for (const fd of reserveOne(protocol, hostIp, port)) closeSync(fd);
    }
    return fds;
  } catch (error) {
    for (const fd of fds) closeSync(fd);
    throw error;
  }
}

/** TCP must listen: of two sockets that are only bound with SO_REUSEADDR, both stay. */
function reserveOne(protocol: Protocol, hostIp: string, hostPort: number): number[] {
  try {
    return [openBoundSocket({ protocol, address: hostIp, port: hostPort, backlog: 0 })];
  } catch (error) {
    // Without SCTP or IPv6 in the kernel no other program can have the port either.
    if (hasErrno(error, 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EAFNOSUPPORT')) return [];
    if (hostIp === ANY_IPV6 && hasErrno(error, 'EADDRNOTAVAIL')) return [];
    const reason = hasErrno(error, 'EADDRINUSE')
      ? 'address already in use'
      : hasErrno(error, 'EADDRNOTAVAIL')
        ? 'cannot assign requested address'
        : undefined;
    if (reason === undefined) throw error;
    throw new WharfError('internal', bindFailed(hostIp, hostPort, protocol, reason), { cause: error });
  }
}

/** ip_local_port_range serves both families (ip-sysctl.rst). */
function ephemeralRange(): readonly [number, number] {
  const [low = 32768, high = 60999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return [low, high];
}
