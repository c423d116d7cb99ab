import { isIP } from 'node:net';
import { isKind, messageOf, WharfError } from '@wharf/kit';
import { invalidNetworkConfig, PRIVATE_NETWORK, SHARES_NETWORK } from '@wharf/wire/docker/messages';
import type { EndpointSettings, HostConfig, NetworkingConfig } from '@wharf/wire/docker/types';
import type { NetworkEndpoint } from '../containers/container.ts';
import { askedFor, checkEndpointSettings } from './endpoint-settings.ts';
import { DEFAULT_NETWORK, type NetworkRecord, parseNetworkMode } from './network.ts';
import type { NetworkBooks } from './network-books.ts';
import { wantedPorts } from './wanted-ports.ts';

/** The endpoints that a container about to be created will have. Throws what is wrong with the request, in Docker's words. */
export function planEndpoints(
  request: { readonly hostConfig: HostConfig; readonly networkingConfig: NetworkingConfig | undefined },
  books: NetworkBooks,
): NetworkEndpoint[] {
  const mode = parseNetworkMode(request.hostConfig.NetworkMode);
  const configs = Object.entries(request.networkingConfig?.EndpointsConfig ?? {});
  checkPorts(request.hostConfig);
  if (mode.kind === 'container') {
    if (configs.length > 0) throw new WharfError('invalid-argument', SHARES_NETWORK);
    return [];
  }
  const name = mode.kind === 'network' ? mode.name : mode.kind;
  // `--bridge none`: the default is no network.
  const primary = name === DEFAULT_NETWORK && !books.find(name) ? books.resolve('none') : orName(books, name);
  const settings = new Map<NetworkRecord | string, EndpointSettings>([[primary, {}]]);
  const named = new Set<NetworkRecord | string>();
  for (const [key, config] of configs) {
    const network = key === 'default' ? primary : orName(books, config?.NetworkID || key);
    named.add(network);
    settings.set(network, { ...settings.get(network), ...config });
  }
  const driver = typeof primary === 'string' ? 'bridge' : primary.driver;
  if (settings.size > 1 && driver !== 'bridge') {
    throw new WharfError('invalid-argument', driver === 'host' ? SHARES_NETWORK : PRIVATE_NETWORK);
  }
  const others = [...settings.keys()].filter((network) => network !== primary);
  others.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  // Who names networks gets these and no other, also where the mode names another one, as by default.
  const first = named.size === 0 || named.has(primary) ? [primary] : [];
  return [...first, ...others].map((network) => {
    const asked = settings.get(network) ?? {};
    if (typeof network === 'string') return { networkName: network, networkId: '', settings: askedFor(asked) };
    checkConfig(network, asked);
    return { networkName: network.name, networkId: network.id, settings: askedFor(asked) };
  });
}

function checkConfig(network: NetworkRecord, asked: EndpointSettings): void {
  try {
    checkEndpointSettings(network, asked);
  } catch (error) {
    if (!isKind(error, 'invalid-argument')) throw error;
    throw new WharfError('invalid-argument', invalidNetworkConfig(network.name, messageOf(error)), { cause: error });
  }
}

/** A network need not be there before the start: its name is kept then. Throws when it names several. */
function orName(books: NetworkBooks, idOrName: string): NetworkRecord | string {
  try {
    return books.resolve(idOrName);
  } catch (error) {
    if (isKind(error, 'not-found')) return idOrName;
    throw error;
  }
}

const nameOf = (network: NetworkRecord | string): string => (typeof network === 'string' ? network : network.name);

/** Throws `invalid-argument` for ports and addresses that are none. */
export function checkPorts(hostConfig: HostConfig): void {
  for (const { hostIps } of wantedPorts({}, hostConfig, [])) {
    const [odd] = hostIps.filter((address) => isIP(address) === 0);
    if (odd !== undefined) throw new WharfError('invalid-argument', `invalid IP address: ${odd}`);
  }
}
