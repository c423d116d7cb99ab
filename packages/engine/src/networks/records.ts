import { formatRfc3339Nano, newId, systemClock } from '@wharf/kit';
import type { NetworkCreateRequest } from '@wharf/wire/docker/types';
import type { NetworkDriver, NetworkRecord } from './network.ts';

/** One of the networks that are there from the start. */
export function predefined(name: string, driver: NetworkDriver): NetworkRecord {
  return {
    id: newId<'network'>(),
    name,
    driver,
    createdAt: formatRfc3339Nano(systemClock.nowNs()),
    internal: false,
    attachable: false,
    options: {},
    labels: {},
    ipam: { Driver: 'default', Options: null, Config: null },
    ipv4: [],
    ipv6: [],
  };
}

/** The network that a request asks for, before anything is chosen for it. */
export function recordOf(request: NetworkCreateRequest, id: NetworkRecord['id']): NetworkRecord {
  const template = request.ConfigFrom?.Network ?? '';
  return {
    id,
    name: request.Name ?? '',
    driver: 'bridge',
    createdAt: formatRfc3339Nano(systemClock.nowNs()),
    internal: request.Internal === true,
    attachable: request.Attachable === true,
    options: request.Options ?? {},
    labels: request.Labels ?? {},
    ipam: {
      Driver: request.IPAM?.Driver || 'default',
      Options: request.IPAM?.Options ?? null,
      Config: request.IPAM?.Config ?? [],
    },
    ipv4: [],
    ipv6: [],
    ...(template === '' ? {} : { configFrom: template }),
  };
}

/** How releases before 0.2 kept a network: one IPv4 subnet, inside of `bridge`. */
interface FirstForm {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly ipRange?: string;
  readonly reserved?: readonly string[];
}

/** A network from the store in today's form. */
export function upgraded(kept: NetworkRecord): NetworkRecord {
  if (Array.isArray(kept.ipv4)) return kept;
  const { subnet, gateway, ipRange, reserved, ...bridge }: FirstForm & Partial<NetworkRecord['bridge']> =
    kept.bridge ?? {};
  const pool = subnet === undefined ? [] : [{ subnet, gateway: gateway ?? '', reserved: reserved ?? [] }];
  return {
    ...kept,
    ipv4: pool.map((entry) => (ipRange === undefined ? entry : { ...entry, ipRange })),
    ipv6: [],
    ...(kept.bridge
      ? {
          bridge: {
            hostBinding6: '::',
            gatewayMode4: 'nat',
            gatewayMode6: 'nat',
            trustedInterfaces: [],
            inhibitIPv4: false,
            ifnamePrefix: 'eth',
            ...bridge,
          } as NonNullable<NetworkRecord['bridge']>,
        }
      : {}),
  };
}
