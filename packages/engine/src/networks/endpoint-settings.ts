import { shortId, WharfError } from '@wharf/kit';
import { ALIASES_USER_NETWORK, badEndpointSysctl, STATIC_ADDRESS_USER_NETWORK } from '@wharf/wire/docker/messages';
import type { EndpointSettings } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { ENDPOINT_OPTION } from './driver-options.ts';
import { parseEndpointSysctl } from './endpoint-sysctls.ts';
import { isPlugged, isUserDefined, type LiveEndpoint, macOf, type NetworkPool, type NetworkRecord } from './network.ts';
import { contains, type Family, parseAddress, parseCidr } from './subnet.ts';

/** Throws `invalid-argument` with all that is wrong, in Docker's words. */
export function checkEndpointSettings(network: NetworkRecord, settings: EndpointSettings): void {
  const problems: string[] = [];
  const ipv4 = settings.IPAMConfig?.IPv4Address ?? '';
  const ipv6 = settings.IPAMConfig?.IPv6Address ?? '';
  if (!isUserDefined(network.name)) {
    if (ipv4 !== '' || ipv6 !== '') problems.push(STATIC_ADDRESS_USER_NETWORK);
    if ((settings.Aliases?.length ?? 0) > 0) problems.push(ALIASES_USER_NETWORK);
  }
  problems.push(...addressProblems(ipv4, 4, network.ipv4), ...addressProblems(ipv6, 6, network.ipv6));
  for (const text of settings.IPAMConfig?.LinkLocalIPs ?? [])
    if (parseAddress(text) === undefined) problems.push(`invalid link-local IP address: ${text}`);
  if (settings.MacAddress && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(settings.MacAddress)) {
    problems.push(`invalid MAC address: ${settings.MacAddress}`);
  }
  const sysctls = settings.DriverOpts?.[ENDPOINT_OPTION.sysctls];
  for (const sysctl of sysctls === undefined ? [] : sysctls.split(','))
    if (parseEndpointSysctl(sysctl) === undefined) problems.push(badEndpointSysctl(sysctl));
  if (problems.length > 0)
    throw new WharfError('invalid-argument', `invalid endpoint settings:\n${joinProblems(problems)}`);
}

/** Several problems in one text, as dockerd lists them. */
function joinProblems(problems: readonly string[]): string {
  return problems.length === 1 ? (problems[0] ?? '') : problems.map((problem) => `* ${problem}`).join('\n');
}

function addressProblems(text: string, family: Family, pools: readonly NetworkPool[]): string[] {
  if (text === '') return [];
  const address = parseAddress(text);
  if (address?.family !== family || address.value === 0n) return [`invalid IPv${family} address: ${text}`];
  if (pools.some(({ subnet }) => contains(parseCidr(subnet)?.subnet ?? NOWHERE, address))) return [];
  return [`no configured subnet contains IP address ${text}`];
}

const NOWHERE = { family: 4, base: 0n, length: 32 } as const;

/** What a client asked for, without what was in force during an earlier run. */
export function askedFor(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, DriverOpts, GwPriority } = settings;
  const MacAddress = askedMac(settings);
  return {
    IPAMConfig: IPAMConfig ?? null,
    Links: Links ?? null,
    Aliases: Aliases ?? null,
    DriverOpts: DriverOpts ?? null,
    ...(GwPriority === undefined ? {} : { GwPriority }),
    ...(MacAddress === '' ? {} : { MacAddress }),
  };
}

/** The MAC address that was asked for, else an empty text. One that follows from the IP address was ours, not asked for. */
export function askedMac(settings: EndpointSettings): string {
  const { IPAddress, GlobalIPv6Address, MacAddress = '' } = settings;
  const follows = [IPAddress, GlobalIPv6Address].some((ip) => ip && macOf(ip) === MacAddress);
  return follows ? '' : MacAddress;
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
  const reachesOut = !isInternal(endpoint.network);
  return {
    ...asked,
    NetworkID: endpoint.network.id,
    EndpointID: endpoint.endpointId,
    Gateway: reachesOut ? endpoint.gateway : '',
    IPAddress: endpoint.address,
    IPPrefixLen: endpoint.prefixLength,
    IPv6Gateway: reachesOut ? endpoint.gateway6 : '',
    GlobalIPv6Address: endpoint.address6,
    GlobalIPv6PrefixLen: endpoint.prefixLength6,
    MacAddress: endpoint.mac,
    DNSNames: isUserDefined(endpoint.network.name) ? endpoint.dnsNames : null,
  };
}

/** Nothing leads out of the network: it was asked for so, or its parent is a link of its own. */
export const isInternal = (network: NetworkRecord): boolean =>
  network.internal || (network.parent?.made === true && !network.parent.name.includes('.'));

/** Whether a default route of that family can lead through the endpoint: to a gateway, or to the link itself. */
export function leadsOut(endpoint: LiveEndpoint, family: Family): boolean {
  if (!isPlugged(endpoint) || isInternal(endpoint.network)) return false;
  const [address, gateway] =
    family === 4 ? [endpoint.address, endpoint.gateway] : [endpoint.address6, endpoint.gateway6];
  return address !== '' && (gateway !== '' || endpoint.network.parent !== undefined);
}

/**
 * The endpoint that the default route of a family and published ports use: not an internal one; by priority, then the one that leads
 * out in both families, then by name.
 */
export function gatewayEndpoint(endpoints: readonly LiveEndpoint[], family: Family = 4): LiveEndpoint | undefined {
  const families = (endpoint: LiveEndpoint): number => Number(leadsOut(endpoint, 4)) + Number(leadsOut(endpoint, 6));
  return endpoints
    .filter((endpoint) => leadsOut(endpoint, family))
    .sort(
      (a, b) =>
        b.gatewayPriority - a.gatewayPriority ||
        families(b) - families(a) ||
        (a.network.name < b.network.name ? -1 : 1),
    )[0];
}
