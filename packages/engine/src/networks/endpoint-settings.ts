import { shortId, WharfError } from '@wharf/kit';
import { ALIASES_USER_NETWORK, STATIC_ADDRESS_USER_NETWORK } from '@wharf/wire/docker/messages';
import type { EndpointSettings } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { contains, parseCidr, parseIpv4 } from './ipv4.ts';
import { isUserDefined, type LiveEndpoint, macOf, type NetworkRecord } from './network.ts';

/** Throws `invalid-argument` with all that is wrong, in Docker's words. */
export function checkEndpointSettings(network: NetworkRecord, settings: EndpointSettings): void {
  const problems: string[] = [];
  const ipv4 = settings.IPAMConfig?.IPv4Address ?? '';
  const ipv6 = settings.IPAMConfig?.IPv6Address ?? '';
  if (!isUserDefined(network.name)) {
    if (ipv4 !== '' || ipv6 !== '') problems.push(STATIC_ADDRESS_USER_NETWORK);
    if ((settings.Aliases?.length ?? 0) > 0) problems.push(ALIASES_USER_NETWORK);
  }
  const address = parseIpv4(ipv4);
  const subnet = network.bridge && parseCidr(network.bridge.subnet)?.subnet;
  if (ipv4 !== '' && (address === undefined || address === 0)) problems.push(`invalid IPv4 address: ${ipv4}`);
  else if (address !== undefined && subnet && !contains(subnet, address)) {
    problems.push(`no configured subnet contains IP address ${ipv4}`);
  }
  if (settings.MacAddress && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(settings.MacAddress)) {
    problems.push(`invalid MAC address: ${settings.MacAddress}`);
  }
  if (problems.length > 0)
    throw new WharfError('invalid-argument', `invalid endpoint settings:\n${problems.join('\n')}`);
}

/** What a client asked for, without what was in force during an earlier run. */
export function askedFor(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, DriverOpts, GwPriority, MacAddress } = settings;
  // An address that follows from the IP address was ours, not asked for.
  const given = MacAddress !== undefined && MacAddress !== '' && MacAddress !== macOf(settings.IPAddress || '0.0.0.0');
  return {
    IPAMConfig: IPAMConfig ?? null,
    Links: Links ?? null,
    Aliases: Aliases ?? null,
    DriverOpts: DriverOpts ?? null,
    ...(GwPriority === undefined ? {} : { GwPriority }),
    ...(given ? { MacAddress } : {}),
  };
}

/** The names that DNS answers for; the first is the one for its address. */
export function dnsNamesOf(
  record: Pick<ContainerRecord, 'id' | 'name' | 'config'>,
  aliases: readonly string[],
): string[] {
  return [...new Set([record.name, ...aliases, shortId(record.id), record.config.Hostname ?? ''])].filter(Boolean);
}

/** As `inspect` shows an endpoint in force. */
export function settingsInForce(asked: EndpointSettings, endpoint: LiveEndpoint): EndpointSettings {
  const bridge = endpoint.network.bridge;
  return {
    ...asked,
    NetworkID: endpoint.network.id,
    EndpointID: endpoint.endpointId,
    Gateway: bridge && !endpoint.network.internal ? bridge.gateway : '',
    IPAddress: endpoint.address,
    IPPrefixLen: endpoint.prefixLength,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    MacAddress: endpoint.mac,
    DNSNames: isUserDefined(endpoint.network.name) ? endpoint.dnsNames : null,
  };
}

/** The endpoint that the default route and published ports use: not an internal one; by priority, then by name. */
export function gatewayEndpoint(endpoints: readonly LiveEndpoint[]): LiveEndpoint | undefined {
  return endpoints
    .filter(({ network }) => network.bridge !== undefined && !network.internal)
    .sort((a, b) => b.gatewayPriority - a.gatewayPriority || (a.network.name < b.network.name ? -1 : 1))[0];
}
