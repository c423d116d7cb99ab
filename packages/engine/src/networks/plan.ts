import { WharfError } from '@wharf/kit';
import { PRIVATE_NETWORK, SHARES_NETWORK } from '@wharf/wire/docker/messages';
import type { EndpointSettings, HostConfig, NetworkingConfig } from '@wharf/wire/docker/types';
import type { NetworkEndpoint } from '../containers/container.ts';
import { askedFor, checkEndpointSettings } from './endpoint-settings.ts';
import { DEFAULT_NETWORK, type NetworkRecord, parseNetworkMode } from './network.ts';
import type { NetworkBooks } from './network-books.ts';
import { wantedPorts } from './ports.ts';

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
  const primary = name === DEFAULT_NETWORK && !books.find(name) ? books.resolve('none') : books.resolve(name);
  const settings = new Map<NetworkRecord, EndpointSettings>([[primary, {}]]);
  for (const [key, config] of configs) {
    const network = key === 'default' ? primary : books.resolve(config?.NetworkID || key);
    settings.set(network, { ...settings.get(network), ...config });
  }
  if (settings.size > 1 && primary.driver !== 'bridge') {
    throw new WharfError('invalid-argument', primary.driver === 'host' ? SHARES_NETWORK : PRIVATE_NETWORK);
  }
  const [first, ...others] = [...settings.keys()];
  others.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [first as NetworkRecord, ...others].map((network) => {
    const asked = settings.get(network) ?? {};
    checkEndpointSettings(network, asked);
    return { networkName: network.name, networkId: network.id, settings: askedFor(asked) };
  });
}

function checkPorts(hostConfig: HostConfig): void {
  for (const { hostIp } of wantedPorts({}, hostConfig, '0.0.0.0')) {
    if (hostIp.includes(':')) {
      throw new WharfError('not-implemented', `Cannot publish on "${hostIp}": IPv6 addresses are not supported yet`);
    }
  }
}
