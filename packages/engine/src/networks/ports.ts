import { randomInt } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { openBoundSocket } from '@wharf/linux/inet';
import { bindFailed, portAllocated } from '@wharf/wire/docker/messages';
import type { ContainerConfig, HostConfig } from '@wharf/wire/docker/types';
import { EPHEMERAL_TRIES } from './limits.ts';
import type { PortForward } from './nft-plan.ts';

export type Protocol = PortForward['protocol'];

/** A port to publish, before the host's port is chosen. */
export interface WantedPort {
  /** `80/tcp`, as in `NetworkSettings.Ports`. */
  readonly key: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly hostIp: string;
  /** 0 and 0: any free one. */
  readonly firstHostPort: number;
  readonly lastHostPort: number;
}

/** A host port that is ours: others get EADDRINUSE for it until `close`. */
export interface HeldPort {
  readonly key: string;
  readonly forward: Omit<PortForward, 'address'>;
  close(): void;
}

/** `80/tcp` in parts; `undefined` for what is none. */
export function parsePortKey(key: string): { readonly port: number; readonly protocol: Protocol } | undefined {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(key);
  if (!match) return undefined;
  const port = Number(match[1]);
  if (port < 1 || port > 65535) return undefined;
  return { port, protocol: (match[2] ?? 'tcp').toLowerCase() as Protocol };
}

/** What the container wants published. Throws `invalid-argument` for ports and addresses that are none. */
export function wantedPorts(config: ContainerConfig, hostConfig: HostConfig, defaultHostIp: string): WantedPort[] {
  const wanted: WantedPort[] = [];
  const bindings = hostConfig.PortBindings ?? {};
  for (const [key, list] of Object.entries(bindings)) {
    const parsed = parsePortKey(key);
    if (!parsed) throw new WharfError('invalid-argument', `invalid port specification: ${JSON.stringify(key)}`);
    const name = `${parsed.port}/${parsed.protocol}`;
    for (const binding of list ?? []) {
      // Every address of the host, in either family: there is one of them yet.
      const hostIp = binding.HostIp === '::' ? '0.0.0.0' : binding.HostIp || defaultHostIp;
      const [first, last] = hostPortRange(binding.HostPort ?? '');
      const again = wanted.some(
        (other) => other.key === name && other.hostIp === hostIp && first !== 0 && other.firstHostPort === first,
      );
      if (!again) wanted.push({ key: name, ...parsed, hostIp, firstHostPort: first, lastHostPort: last });
    }
  }
  if (hostConfig.PublishAllPorts === true) {
    for (const key of Object.keys(config.ExposedPorts ?? {})) {
      const parsed = parsePortKey(key);
      if (!parsed || (bindings[key]?.length ?? 0) > 0) continue;
      wanted.push({
        key: `${parsed.port}/${parsed.protocol}`,
        ...parsed,
        hostIp: defaultHostIp,
        firstHostPort: 0,
        lastHostPort: 0,
      });
    }
  }
  return wanted;
}

function hostPortRange(text: string): readonly [number, number] {
  if (text === '') return [0, 0];
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1] ?? -1);
  const last = match?.[2] === undefined ? first : Number(match[2]);
  if (!match || first > 65535 || last > 65535 || last < first) {
    throw new WharfError('invalid-argument', `invalid port specification: ${JSON.stringify(text)}`);
  }
  return [first, last];
}

/** The host ports that this daemon has given out, and the sockets that keep others off them. */
export class PortBook {
  /** `tcp/8080` → host addresses. */
  readonly #taken = new Map<string, Set<string>>();
  #nextEphemeral = 0;

  /** Takes all or none. Throws with Docker's words when one is taken. */
  hold(wanted: readonly WantedPort[]): HeldPort[] {
    const held: HeldPort[] = [];
    try {
      for (const want of wanted) held.push(this.#holdOne(want));
      return held;
    } catch (error) {
      for (const port of held) port.close();
      throw error;
    }
  }

  /**
   * After a daemon restart: books a port that is in force. When another program has it by now, it stays ours in the books
   * and in the rules, and `onConflict` hears of it.
   */
  holdAgain(want: WantedPort, onConflict: (error: unknown) => void): HeldPort {
    try {
      return this.#holdPort(want, want.firstHostPort);
    } catch (error) {
      onConflict(error);
      const { key, protocol, hostIp, port, firstHostPort: hostPort } = want;
      return { key, forward: { protocol, hostIp, hostPort, port }, close() {} };
    }
  }

  #holdOne(want: WantedPort): HeldPort {
    if (want.firstHostPort === 0) return this.#holdEphemeral(want);
    for (let port = want.firstHostPort; ; port++) {
      try {
        return this.#holdPort(want, port);
      } catch (error) {
        if (port >= want.lastHostPort) throw error;
      }
    }
  }

  #holdEphemeral(want: WantedPort): HeldPort {
    const [low, high] = ephemeralRange();
    const span = high - low + 1;
    // Begins anywhere, so that daemons side by side do not run after each other's ports.
    if (this.#nextEphemeral === 0) this.#nextEphemeral = low + randomInt(span);
    for (let tries = 0; tries < Math.min(span, EPHEMERAL_TRIES); tries++) {
      if (this.#nextEphemeral < low || this.#nextEphemeral > high) this.#nextEphemeral = low;
      const port = this.#nextEphemeral++;
      try {
        return this.#holdPort(want, port);
      } catch (error) {
        if (!(error instanceof WharfError)) throw error;
      }
    }
    throw new WharfError('internal', `all ports are allocated`);
  }

  #holdPort(want: WantedPort, hostPort: number): HeldPort {
    const { protocol, hostIp, port, key } = want;
    const name = `${protocol}/${hostPort}`;
    const addresses = this.#taken.get(name) ?? new Set<string>();
    if (addresses.has(hostIp) || addresses.has('0.0.0.0') || (hostIp === '0.0.0.0' && addresses.size > 0)) {
      throw new WharfError('internal', portAllocated(hostIp, hostPort));
    }
    const fd = reserve(protocol, hostIp, hostPort);
    this.#taken.set(name, addresses.add(hostIp));
    let open = true;
    return {
      key,
      forward: { protocol, hostIp, hostPort, port },
      close: () => {
        if (!open) return;
        open = false;
        if (fd !== undefined) closeSync(fd);
        addresses.delete(hostIp);
        if (addresses.size === 0 && this.#taken.get(name) === addresses) this.#taken.delete(name);
      },
    };
  }
}

/**
 * Binds the port so that other programs are refused it, and learns of those that have it. Nothing ever arrives at the
 * socket: packets are redirected before. TCP must listen: of two sockets that are only bound with SO_REUSEADDR, both stay.
 */
function reserve(protocol: Protocol, hostIp: string, hostPort: number): number | undefined {
  try {
    return openBoundSocket({ protocol, address: hostIp, port: hostPort, backlog: 0 });
  } catch (error) {
    // Without SCTP in the kernel no other program can have the port either.
    if (protocol === 'sctp' && hasErrno(error, 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT')) return undefined;
    const reason = hasErrno(error, 'EADDRINUSE')
      ? 'address already in use'
      : hasErrno(error, 'EADDRNOTAVAIL')
        ? 'cannot assign requested address'
        : undefined;
    if (reason === undefined) throw error;
    throw new WharfError('internal', bindFailed(hostIp, hostPort, protocol, reason), { cause: error });
  }
}

function ephemeralRange(): readonly [number, number] {
  const [low = 32768, high = 60999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return [low, high];
}
