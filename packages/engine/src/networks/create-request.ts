import { WharfError } from '@wharf/kit';
import {
  badNetworkOption,
  NO_ADDRESS_FAMILY,
  networkPredefined,
  pluginNotFound,
  poolOverlaps,
  TEMPLATE_AND_OPTIONS,
  TEMPLATE_AND_OWN,
  TEMPLATE_IS_LOCAL,
  TEMPLATE_OF_TEMPLATE,
  templateNotFound,
} from '@wharf/wire/docker/messages';
import type { IPAMConfig, NetworkCreateRequest } from '@wharf/wire/docker/types';
import { choosePool } from './ipam.ts';
import { contains, formatIpv4, formatSubnet, lastOf, overlaps, parseCidr, parseIpv4, type Subnet } from './ipv4.ts';
import { type BridgeSettings, type NetworkRecord, PREDEFINED } from './network.ts';

const OPTION = {
  name: 'com.docker.network.bridge.name',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  mtu: 'com.docker.network.driver.mtu',
} as const;

/** Throws in Docker's words when the request cannot be served whatever networks there are. */
export function checkCreateRequest(request: NetworkCreateRequest): void {
  const name = request.Name ?? '';
  if (name.trim() === '') throw new WharfError('invalid-argument', 'invalid name: name is empty');
  if (PREDEFINED.includes(name)) throw new WharfError('permission-denied', networkPredefined(name));
  const driver = request.Driver ?? '';
  if (driver === 'host' || driver === 'null') {
    throw new WharfError('permission-denied', `only one instance of "${driver}" network is allowed`);
  }
  if (driver !== '' && driver !== 'bridge' && driver !== 'default') {
    throw new WharfError('not-found', pluginNotFound(driver));
  }
  const addressDriver = request.IPAM?.Driver ?? '';
  if (addressDriver !== '' && addressDriver !== 'default') {
    throw new WharfError('not-found', pluginNotFound(addressDriver));
  }
  if (request.EnableIPv4 === false && request.EnableIPv6 !== true) {
    throw new WharfError('invalid-argument', NO_ADDRESS_FAMILY);
  }
  checkTemplate(request);
  const problems = (request.IPAM?.Config ?? []).flatMap(problemsOf);
  if (problems.length > 0) throw new WharfError('invalid-argument', `invalid network config:\n${problems.join('\n')}`);
}

function checkTemplate(request: NetworkCreateRequest): void {
  const refuse = (message: string): WharfError => new WharfError('permission-denied', message);
  const from = (request.ConfigFrom?.Network ?? '') !== '';
  const { Internal, Attachable, Ingress, IPAM, Options, Labels } = request;
  if (request.ConfigOnly === true) {
    if (Internal === true || Attachable === true || Ingress === true) throw refuse(TEMPLATE_IS_LOCAL);
    if (from) throw refuse(TEMPLATE_OF_TEMPLATE);
  } else if (from) {
    const own = (IPAM?.Config ?? []).length > 0 || Object.keys(Labels ?? {}).length > 0 || request.EnableIPv6 === true;
    if (own) throw refuse(TEMPLATE_AND_OWN);
    if (Object.keys(Options ?? {}).length > 0) throw refuse(TEMPLATE_AND_OPTIONS);
  }
}

/** A request of `--config-from` with the template's configuration in it. */
export function withTemplate(request: NetworkCreateRequest, template: NetworkRecord | undefined): NetworkCreateRequest {
  const name = request.ConfigFrom?.Network ?? '';
  if (name === '') return request;
  if (template?.configOnly !== true) throw new WharfError('not-found', templateNotFound(name));
  return {
    ...request,
    EnableIPv6: template.enableIPv6,
    IPAM: template.ipam,
    Options: template.options,
    Labels: template.labels,
  };
}

function problemsOf(config: IPAMConfig): string[] {
  const text = config.Subnet ?? '';
  // IPv6 subnets are taken note of, not served.
  if (text.includes(':')) return [];
  if (text === '')
    return config.Gateway || config.IPRange
      ? [`invalid subnet : it should be given with a gateway or an ip-range`]
      : [];
  const parsed = parseCidr(text);
  if (!parsed) return [`invalid subnet ${text}: invalid CIDR block notation`];
  const { subnet, address } = parsed;
  const problems: string[] = [];
  if (address !== subnet.base) problems.push(`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`);
  if (config.IPRange) problems.push(...rangeProblems(config.IPRange, subnet, text));
  const outside = (value: string): boolean => !contains(subnet, parseIpv4(value) ?? -1);
  if (config.Gateway && outside(config.Gateway)) {
    problems.push(`invalid gateway ${config.Gateway}: parent subnet ${text} doesn't contain this address`);
  }
  for (const [name, value] of Object.entries(config.AuxiliaryAddresses ?? {})) {
    if (outside(value))
      problems.push(`invalid auxiliary address ${name}: parent subnet ${text} doesn't contain this address`);
  }
  return problems;
}

function rangeProblems(text: string, subnet: Subnet, parent: string): string[] {
  const parsed = parseCidr(text);
  if (!parsed) return [`invalid ip-range ${text}: invalid CIDR block notation`];
  const range = parsed.subnet;
  if (range.length < subnet.length)
    return [`invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${parent}`];
  if (parsed.address !== range.base) return [`invalid ip-range ${text}: it should be ${formatSubnet(range)}`];
  return overlaps(range, subnet) ? [] : [`invalid ip-range ${text}: parent subnet ${parent} doesn't contain ip-range`];
}

/** What the request means for the bridge; `ownSubnets` are those of our networks, `hostSubnets` those of everything else. */
export function bridgeSettings(
  request: NetworkCreateRequest,
  facts: {
    readonly id: string;
    readonly mtu: number;
    readonly ownSubnets: readonly Subnet[];
    readonly hostSubnets: readonly Subnet[];
  },
): BridgeSettings {
  const options = request.Options ?? {};
  const config = (request.IPAM?.Config ?? []).find(
    ({ Subnet }) => Subnet !== undefined && Subnet !== '' && !Subnet.includes(':'),
  );
  const given = config?.Subnet === undefined ? undefined : parseCidr(config.Subnet)?.subnet;
  if (given && facts.ownSubnets.some((own) => overlaps(own, given)))
    throw new WharfError('permission-denied', poolOverlaps);
  const subnet = given ?? choosePool([...facts.ownSubnets, ...facts.hostSubnets]);
  const mtu = Number(options[OPTION.mtu] ?? facts.mtu);
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65535) {
    throw new WharfError('invalid-argument', badNetworkOption(OPTION.mtu, options[OPTION.mtu] ?? '', 'Atoi'));
  }
  const name = options[OPTION.name] ?? `br-${facts.id.slice(0, 12)}`;
  if (!/^[^/\s:]{1,15}$/.test(name)) throw new WharfError('invalid-argument', `invalid bridge name: ${name}`);
  return {
    name,
    subnet: formatSubnet(subnet),
    gateway: config?.Gateway || firstAddress(config?.IPRange, subnet),
    ...(config?.IPRange ? { ipRange: config.IPRange } : {}),
    reserved: Object.values(config?.AuxiliaryAddresses ?? {}),
    mtu,
    icc: booleanOption(options, OPTION.icc, true),
    masquerade: booleanOption(options, OPTION.masquerade, true),
    hostBinding: options[OPTION.hostBinding] || '0.0.0.0',
  };
}

/** Docker gives the bridge the first address of the range, or of the subnet. */
function firstAddress(range: string | undefined, subnet: Subnet): string {
  const from = range === undefined || range === '' ? subnet : (parseCidr(range)?.subnet ?? subnet);
  const first = from.base === subnet.base && subnet.length < 31 ? from.base + 1 : from.base;
  return formatIpv4(Math.min(first, lastOf(subnet)));
}

function booleanOption(options: Readonly<Record<string, string>>, name: string, whenAbsent: boolean): boolean {
  const value = options[name];
  if (value === undefined || value === '') return whenAbsent;
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new WharfError('invalid-argument', badNetworkOption(name, value, 'ParseBool'));
}
