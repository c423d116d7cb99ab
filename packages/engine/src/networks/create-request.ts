import { WharfError } from '@wharf/kit';
import {
  INGRESS_IS_GLOBAL,
  MANY_SUBNETS,
  NO_ADDRESS_FAMILY,
  networkPredefined,
  noSwarm,
  pluginNotFound,
  TEMPLATE_AND_OPTIONS,
  TEMPLATE_AND_OWN,
  TEMPLATE_IS_LOCAL,
  TEMPLATE_OF_TEMPLATE,
  templateNotFound,
} from '@wharf/wire/docker/messages';
import type { NetworkCreateRequest } from '@wharf/wire/docker/types';
import { booleanOption, OPTION, type Options } from './driver-options.ts';
import { problemsOf } from './ipam-request.ts';
import { type NetworkDriver, type NetworkRecord, PREDEFINED } from './network.ts';

const DRIVERS: readonly string[] = ['bridge', 'macvlan', 'ipvlan'];
const DRIVER_NAMES: Readonly<Record<string, NetworkDriver>> = { '': 'bridge', default: 'bridge' };

/** The driver that a request names. Throws in Docker's words. */
export function driverOf(request: NetworkCreateRequest): NetworkDriver {
  const name = request.Driver ?? '';
  const driver = DRIVER_NAMES[name] ?? name;
  if (driver === 'host' || driver === 'null')
    throw new WharfError('permission-denied', `only one instance of "${driver}" network is allowed`);
  if (driver === 'overlay') throw new WharfError('permission-denied', noSwarm);
  if (!DRIVERS.includes(driver)) throw new WharfError('not-found', pluginNotFound(driver));
  return driver as NetworkDriver;
}

/** Throws in Docker's words when the request cannot be served whatever networks there are. */
export function checkCreateRequest(request: NetworkCreateRequest): void {
  const name = request.Name ?? '';
  if (name.trim() === '') throw new WharfError('invalid-argument', 'invalid name: name is empty');
  if (PREDEFINED.includes(name)) throw new WharfError('permission-denied', networkPredefined(name));
  const driver = driverOf(request);
  if (['swarm', 'global'].includes(request.Scope ?? '')) throw new WharfError('permission-denied', noSwarm);
  if (request.Ingress === true && request.ConfigOnly !== true)
    throw new WharfError('permission-denied', INGRESS_IS_GLOBAL);
  const addressDriver = request.IPAM?.Driver ?? '';
  if (addressDriver !== '' && addressDriver !== 'default')
    throw new WharfError('invalid-argument', `could not find an IPAM driver called "${addressDriver}"`);
  // Containers of the others may have their addresses from elsewhere.
  if (driver === 'bridge' && request.EnableIPv4 === false && request.EnableIPv6 !== true)
    throw new WharfError('invalid-argument', NO_ADDRESS_FAMILY);
  checkTemplate(request);
  const configs = request.IPAM?.Config ?? [];
  const problems = configs.flatMap(problemsOf);
  if (problems.length > 0) throw new WharfError('invalid-argument', `invalid network config:\n${problems.join('\n')}`);
  const count = (v6: boolean): number => configs.filter(({ Subnet }) => (Subnet ?? '').includes(':') === v6).length;
  if (driver === 'bridge' && request.ConfigOnly !== true && (count(false) > 1 || count(true) > 1))
    throw new WharfError('permission-denied', MANY_SUBNETS);
}

function checkTemplate(request: NetworkCreateRequest): void {
  const refuse = (message: string): WharfError => new WharfError('permission-denied', message);
  const from = (request.ConfigFrom?.Network ?? '') !== '';
  const { Internal, Attachable, Ingress, IPAM, Options, Labels, EnableIPv4, EnableIPv6 } = request;
  if (request.ConfigOnly === true) {
    if (Internal === true || Attachable === true || Ingress === true) throw refuse(TEMPLATE_IS_LOCAL);
    if (from) throw refuse(TEMPLATE_OF_TEMPLATE);
  } else if (from) {
    const families = EnableIPv6 === true || EnableIPv4 === false;
    const own = (IPAM?.Config ?? []).length > 0 || Object.keys(Labels ?? {}).length > 0 || families;
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
    EnableIPv4: template.asked?.ipv4,
    EnableIPv6: template.asked?.ipv6,
    IPAM: template.ipam,
    Options: template.options,
    Labels: template.labels,
  };
}

/**
 * The request with the daemon's `default-network-opts` for its driver, and with the families that options name
 * (`com.docker.network.enable_ipv6`). What the client says comes first.
 */
export function withDefaults(
  request: NetworkCreateRequest,
  defaults: Readonly<Record<string, Options>>,
): NetworkCreateRequest {
  const isFrom = (request.ConfigFrom?.Network ?? '') !== '';
  const options: Record<string, string> = {
    ...(isFrom ? {} : defaults[driverOf(request)]),
    ...request.Options,
  };
  const family = (given: boolean | null | undefined, name: string): boolean | undefined => {
    const said = name in options ? booleanOption(options, name, true) : undefined;
    if (given !== undefined && given !== null) delete options[name];
    return given ?? said;
  };
  const EnableIPv4 = family(request.EnableIPv4, OPTION.enableIPv4);
  const EnableIPv6 = family(request.EnableIPv6, OPTION.enableIPv6);
  return { ...request, EnableIPv4, EnableIPv6, Options: options };
}
