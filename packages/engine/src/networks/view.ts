import {
  type Filters,
  matchesExactly,
  matchesLabels,
  matchesPattern,
  shortId,
  validateFilters,
  WharfError,
} from '@wharf/kit';
import type { EndpointResource, Network, NetworkStatus } from '@wharf/wire/docker/types';
import type { PoolStatus } from './address-pool.ts';
import { isUserDefined, type LiveEndpoint, type NetworkPool, type NetworkRecord } from './network.ts';

/** A network as the Engine API shows it, without its containers. */
export function networkSummary(network: NetworkRecord): Network {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: network.configOnly === true ? network.asked?.ipv4 !== false : enabled(network, network.ipv4),
    EnableIPv6: network.configOnly === true ? network.asked?.ipv6 === true : network.ipv6.length > 0,
    IPAM: network.ipam,
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom ?? '' },
    ConfigOnly: network.configOnly === true,
    Options: network.options,
    Labels: network.labels,
  };
}

/** `host` and `none` have no addresses of their own to give; Docker calls them IPv4 networks. */
const enabled = (network: NetworkRecord, pools: readonly NetworkPool[]): boolean =>
  pools.length > 0 || network.driver === 'host' || network.driver === 'null';

/** As `networkSummary`, with the containers that are connected now. */
export function networkDetails(network: NetworkRecord, endpoints: readonly LiveEndpoint[]): Network {
  const containers: Record<string, EndpointResource> = {};
  for (const endpoint of endpoints) {
    containers[endpoint.containerId] = {
      Name: endpoint.containerName,
      EndpointID: endpoint.endpointId,
      MacAddress: endpoint.mac,
      IPv4Address: endpoint.address === '' ? '' : `${endpoint.address}/${endpoint.prefixLength}`,
      IPv6Address: endpoint.address6 === '' ? '' : `${endpoint.address6}/${endpoint.prefixLength6}`,
    };
  }
  return { ...networkSummary(network), Containers: containers };
}

/** How many addresses are in use, as `inspect` tells since API 1.52. */
export function networkStatus(pools: readonly PoolStatus[]): NetworkStatus {
  const subnets = pools.map(({ subnet, inUse, available }) => [
    subnet,
    { IPsInUse: uint64(inUse), DynamicIPsAvailable: uint64(available) },
  ]);
  return { IPAM: { Subnets: Object.fromEntries(subnets) } };
}

const UINT64_MAX = (1n << 64n) - 1n;

/** A count exactly as JSON, which JavaScript's numbers cannot hold above 2^53. */
function uint64(count: bigint): number {
  const bounded = count > UINT64_MAX ? UINT64_MAX : count;
  if (bounded <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(bounded);
  // TypeScript's library does not know it yet; the type says number, which is what clients read.
  return (JSON as unknown as { rawJSON(text: string): number }).rawJSON(String(bounded));
}

/** `name:"web" id:"0123456789ab"`, for the refusal to remove a network in use. */
export const describeEndpoint = ({ containerName, endpointId }: LiveEndpoint): string =>
  `name:${JSON.stringify(containerName)} id:"${shortId(endpointId)}"`;

const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];

/** The predicate of `GET /networks?filters`. Throws `invalid-argument`. */
export function listFilter(
  filters: Filters,
  inUse: (network: NetworkRecord) => boolean,
): (network: NetworkRecord) => boolean {
  validateFilters(filters, LIST_FILTERS);
  const dangling = danglingFilter(filters);
  for (const type of filters.get('type') ?? []) {
    if (type !== 'custom' && type !== 'builtin') {
      throw new WharfError('invalid-argument', `invalid filter: 'type'='${type}'`);
    }
  }
  return (network) =>
    matchesExactly(filters, 'driver', network.driver) &&
    matchesPattern(filters, 'name', network.name) &&
    matchesPattern(filters, 'id', network.id) &&
    matchesLabels(filters, network.labels) &&
    matchesExactly(filters, 'scope', 'local') &&
    matchesExactly(filters, 'type', isUserDefined(network.name) ? 'custom' : 'builtin') &&
    (dangling === undefined || dangling === (isUserDefined(network.name) && !inUse(network)));
}

function danglingFilter(filters: Filters): boolean | undefined {
  const values = filters.get('dangling') ?? [];
  if (values.length === 0) return undefined;
  if (values.length > 1) throw new WharfError('invalid-argument', 'got more than one value for filter key "dangling"');
  if (values[0] === '1' || values[0] === 'true') return true;
  if (values[0] === '0' || values[0] === 'false') return false;
  throw new WharfError(
    'invalid-argument',
    `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
  );
}
