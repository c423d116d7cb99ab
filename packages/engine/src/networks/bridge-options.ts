import { WharfError } from '@wharf/kit';
import { badOptionValue, ISOLATED_NOT_INTERNAL } from '@wharf/wire/docker/messages';
import { addressOption, booleanOption, isLinkName, mtuOption, OPTION, type Options } from './driver-options.ts';
import type { BridgeSettings, GatewayMode } from './network.ts';

const GATEWAY_MODES: readonly string[] = ['nat', 'nat-unprotected', 'routed', 'isolated'] satisfies GatewayMode[];

/** What a request's options mean for the bridge. Throws `invalid-argument` in Docker's words. */
export function bridgeSettings(
  options: Options,
  facts: { readonly id: string; readonly uplinkMtu: number; readonly mtu: number; readonly internal: boolean },
): BridgeSettings {
  const name = options[OPTION.name] || `br-${facts.id.slice(0, 12)}`;
  if (!isLinkName(name)) throw new WharfError('invalid-argument', `invalid bridge name: ${name}`);
  const gatewayMode4 = gatewayMode(options, OPTION.gatewayMode4);
  const gatewayMode6 = gatewayMode(options, OPTION.gatewayMode6);
  if (!facts.internal && (gatewayMode4 === 'isolated' || gatewayMode6 === 'isolated'))
    throw new WharfError('invalid-argument', ISOLATED_NOT_INTERNAL);
  const asked = mtuOption(options) ?? (facts.mtu || undefined);
  const hostSource4 = addressOption(options, OPTION.hostSource4, [4]);
  const hostSource6 = addressOption(options, OPTION.hostSource6, [6]);
  const binding = addressOption(options, OPTION.hostBinding, [4, 6]) ?? '0.0.0.0';
  const ifnamePrefix = options[OPTION.ifnamePrefix] || 'eth';
  if (!isLinkName(`${ifnamePrefix}0`))
    throw new WharfError('invalid-argument', badOptionValue(OPTION.ifnamePrefix, ifnamePrefix, 'not a link name'));
  return {
    name,
    mtu: asked ?? facts.uplinkMtu,
    ...(asked === undefined ? { mtuFollows: true } : {}),
    icc: booleanOption(options, OPTION.icc, true),
    masquerade: booleanOption(options, OPTION.masquerade, true),
    hostBinding: binding,
    hostBinding6: addressOption(options, OPTION.hostBinding6, [6]) ?? (binding === '0.0.0.0' ? '::' : ''),
    gatewayMode4,
    gatewayMode6,
    trustedInterfaces: (options[OPTION.trustedInterfaces] ?? '').split(':').filter(Boolean),
    ...(hostSource4 === undefined ? {} : { hostSource4 }),
    ...(hostSource6 === undefined ? {} : { hostSource6 }),
    inhibitIPv4: booleanOption(options, OPTION.inhibitIPv4, false),
    ifnamePrefix,
  };
}

function gatewayMode(options: Options, name: string): GatewayMode {
  const value = options[name];
  if (value === undefined || value === '') return 'nat';
  if (!GATEWAY_MODES.includes(value))
    throw new WharfError('invalid-argument', badOptionValue(name, value, `unknown gateway mode ${value}`));
  return value as GatewayMode;
}
