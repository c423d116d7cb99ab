/** What a container wants published, from Docker's form into ranges. Pure. */
import { WharfError } from '@wharf/kit';
import type { ContainerConfig, HostConfig } from '@wharf/wire/docker/types';
import { PORTS_PER_CONTAINER_MAX } from './limits.ts';
import type { PortForward } from './nft-plan.ts';

export type Protocol = PortForward['protocol'];

export const ANY_IPV4 = '0.0.0.0';
export const ANY_IPV6 = '::';

/** Ports to publish that follow each other, before the host's ports are chosen. */
export interface WantedPorts {
  readonly protocol: Protocol;
  /** The first port in the container. */
  readonly port: number;
  readonly count: number;
  /** Addresses of the host; all get the same port. */
  readonly hostIps: readonly string[];
  /** The first host port is one of these; 0 and 0: any free one. More than one choice only for single ports. */
  readonly firstHostPort: number;
  readonly lastHostPort: number;
  /** Let through to the container's own address, nothing held. */
  readonly routed?: boolean;
}

/** `80/tcp` in parts; `undefined` for what is none. */
export function parsePortKey(key: string): { readonly port: number; readonly protocol: Protocol } | undefined {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(key);
  if (!match) return undefined;
  const port = Number(match[1]);
  if (port < 1 || port > 65535) return undefined;
  return { port, protocol: (match[2] ?? 'tcp').toLowerCase() as Protocol };
}

/** The name of a port in `NetworkSettings.Ports`. */
export const portKey = (port: number, protocol: Protocol): string => `${port}/${protocol}`;

/**
 * What the container wants published. Bindings that name no address get `defaultHostIps`. Throws `invalid-argument` for ports and addresses that are none.
 */
export function wantedPorts(
  config: ContainerConfig,
  hostConfig: HostConfig,
  defaultHostIps: readonly string[],
): WantedPorts[] {
  const wanted: WantedPorts[] = [];
  const seen = new Set<string>();
  const bindings = hostConfig.PortBindings ?? {};
  for (const [key, list] of Object.entries(bindings)) {
    const parsed = parsePortKey(key);
    if (!parsed) throw new WharfError('invalid-argument', `invalid port specification: ${JSON.stringify(key)}`);
    for (const binding of list ?? []) {
      const hostIps = binding.HostIp ? [binding.HostIp] : defaultHostIps;
      const [first, last] = hostPortRange(binding.HostPort ?? '');
      const same = `${parsed.protocol} ${parsed.port} ${hostIps.join()} ${first}`;
      if (first !== 0 && seen.has(same)) continue;
      seen.add(same);
      wanted.push({ ...parsed, count: 1, hostIps, firstHostPort: first, lastHostPort: last });
    }
  }
  if (hostConfig.PublishAllPorts === true) {
    for (const key of Object.keys(config.ExposedPorts ?? {})) {
      const parsed = parsePortKey(key);
      if (!parsed || (bindings[key]?.length ?? 0) > 0) continue;
      wanted.push({
        ...parsed,
        count: 1,
        hostIps: defaultHostIps,
        firstHostPort: 0,
        lastHostPort: 0,
      });
    }
  }
  if (wanted.length > PORTS_PER_CONTAINER_MAX) {
    throw new WharfError(
      'invalid-argument',
      `Cannot publish ${wanted.length} ports: a container has at most ${PORTS_PER_CONTAINER_MAX}`,
    );
  }
  return joined(wanted);
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

/** Makes one range of ports that follow each other on both sides. */
export function joined(wanted: readonly WantedPorts[]): WantedPorts[] {
  const isFixed = (one: WantedPorts): boolean => one.firstHostPort !== 0 && one.firstHostPort === one.lastHostPort;
  const fixed = wanted.filter(isFixed);
  const free = wanted.filter((one) => !isFixed(one));
  const groupOf = (one: WantedPorts): string =>
    `${one.protocol} ${one.hostIps.join()} ${one.firstHostPort - one.port} ${one.routed === true}`;
  const groups = new Map<string, WantedPorts[]>();
  for (const one of fixed) {
    const group = groups.get(groupOf(one)) ?? [];
    group.push(one);
    groups.set(groupOf(one), group);
  }
  const ranges: WantedPorts[] = [];
  for (const group of groups.values()) {
    let current: WantedPorts | undefined;
    for (const one of group.sort((a, b) => a.port - b.port)) {
      if (current && one.port === current.port + current.count) {
        current = { ...current, count: current.count + one.count };
        continue;
      }
      if (current) ranges.push(current);
      current = one;
    }
    if (current) ranges.push(current);
  }
  return [...ranges, ...free];
}
