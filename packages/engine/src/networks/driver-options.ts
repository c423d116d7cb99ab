import { isIP } from 'node:net';
import { WharfError } from '@wharf/kit';
import { badNetworkOption, badOptionValue } from '@wharf/wire/docker/messages';

/** `-o` options of a network. */
export type Options = Readonly<Record<string, string>>;

/** Options that the network drivers read, in Docker's names. */
export const OPTION = {
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  name: 'com.docker.network.bridge.name',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  hostBinding6: 'com.docker.network.bridge.host_binding_ipv6',
  gatewayMode4: 'com.docker.network.bridge.gateway_mode_ipv4',
  gatewayMode6: 'com.docker.network.bridge.gateway_mode_ipv6',
  trustedInterfaces: 'com.docker.network.bridge.trusted_host_interfaces',
  inhibitIPv4: 'com.docker.network.bridge.inhibit_ipv4',
  ifnamePrefix: 'com.docker.network.container_iface_prefix',
  hostSource4: 'com.docker.network.host_ipv4',
  hostSource6: 'com.docker.network.host_ipv6',
  mtu: 'com.docker.network.driver.mtu',
  enableIPv4: 'com.docker.network.enable_ipv4',
  enableIPv6: 'com.docker.network.enable_ipv6',
} as const;

/** Options of one endpoint (`--network name=x,driver-opt=…`). */
export const ENDPOINT_OPTION = {
  ifname: 'com.docker.network.endpoint.ifname',
  sysctls: 'com.docker.network.endpoint.sysctls',
} as const;

/** Go's `strconv.ParseBool`. Throws `invalid-argument` in Docker's words. */
export function booleanOption(options: Options, name: string, whenAbsent: boolean): boolean {
  const value = options[name];
  if (value === undefined || value === '') return whenAbsent;
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new WharfError('invalid-argument', badNetworkOption(name, value, 'ParseBool'));
}

/** The MTU asked for, `undefined` when none is. Throws `invalid-argument`. */
export function mtuOption(options: Options): number | undefined {
  const value = options[OPTION.mtu];
  if (value === undefined || value === '' || value === '0') return undefined;
  const mtu = Number(value);
  if (!/^[+-]?\d+$/.test(value)) throw new WharfError('invalid-argument', badNetworkOption(OPTION.mtu, value, 'Atoi'));
  if (mtu < 68 || mtu > 65535) throw new WharfError('invalid-argument', `invalid MTU number: ${mtu}`);
  return mtu;
}

/** An address of one of the families. Throws `invalid-argument` in Docker's words. */
export function addressOption(options: Options, name: string, families: readonly number[]): string | undefined {
  const value = options[name];
  if (value === undefined || value === '') return undefined;
  if (!families.includes(isIP(value))) throw new WharfError('invalid-argument', badOptionValue(name, value, 'nil ip'));
  return value;
}

/** A name that a link may have (`dev_valid_name()` of Linux). */
export const isLinkName = (name: string): boolean => /^[^/\s:]{1,15}$/.test(name) && name !== '.' && name !== '..';
