import { defineCommand, exactly } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { checkLabel, labelMap } from '../../cli/label-flag.ts';
import { ipamConfig } from './ipam-config.ts';

const flags = {
  driver: { kind: 'string', short: 'd', default: 'bridge', help: 'Driver to manage the Network' },
  opt: { kind: 'map', short: 'o', help: 'Set driver specific options' },
  label: { kind: 'list', help: 'Set metadata on a network', parse: checkLabel },
  internal: { kind: 'bool', help: 'Restrict external access to the network' },
  ipv4: { kind: 'bool', default: true, help: 'Enable or disable IPv4 address assignment' },
  ipv6: { kind: 'bool', help: 'Enable or disable IPv6 address assignment' },
  attachable: { kind: 'bool', help: 'Enable manual container attachment' },
  ingress: { kind: 'bool', help: 'Create swarm routing-mesh network' },
  scope: { kind: 'string', help: "Control the network's scope" },
  'config-only': { kind: 'bool', help: 'Create a configuration only network' },
  'config-from': { kind: 'string', help: 'The network from which to copy the configuration' },
  'ipam-driver': { kind: 'string', default: 'default', help: 'IP Address Management Driver' },
  subnet: { kind: 'strings', help: 'Subnet in CIDR format that represents a network segment' },
  'ip-range': { kind: 'strings', help: 'Allocate container ip from a sub-range' },
  gateway: { kind: 'strings', help: 'IPv4 or IPv6 Gateway for the master subnet' },
  'aux-address': { kind: 'map', help: 'Auxiliary IPv4 or IPv6 addresses used by Network driver' },
  'ipam-opt': { kind: 'map', help: 'Set IPAM driver specific options' },
} as const satisfies FlagTable;

/** `wharf network create`. */
export const networkCreate = defineCommand({
  usage: '[OPTIONS] NETWORK',
  flags,
  args: exactly(1),
  complete: ['none'],
  examples: [
    'wharf network create back',
    'wharf network create --subnet 172.30.0.0/24 --gateway 172.30.0.1 lab',
    'wharf network create --internal --ipv6 quiet',
  ],
  run: async (context) => {
    const [Name = ''] = context.args;
    const client = await context.client();
    const { Id, Warning } = await client.json<{ readonly Id: string; readonly Warning?: string }>(
      'POST',
      '/networks/create',
      { body: { Name, ...requestOf(context) } },
    );
    context.out.line(Id);
    if (Warning) context.err.line(`WARNING: ${Warning}`);
  },
});

function requestOf(context: CliContext<typeof flags>): Readonly<Record<string, unknown>> {
  const { driver, opt, label, internal, attachable, ingress, scope = '', ...rest } = context.flags;
  const configFrom = rest['config-from'];
  return {
    ...{ Driver: driver, Scope: scope },
    ...(context.given('ipv4') ? { EnableIPv4: rest.ipv4 } : {}),
    ...(context.given('ipv6') ? { EnableIPv6: rest.ipv6 } : {}),
    IPAM: {
      Driver: rest['ipam-driver'],
      Options: rest['ipam-opt'],
      Config: ipamConfig({
        ...{ subnets: rest.subnet, ranges: rest['ip-range'], gateways: rest.gateway },
        auxiliary: rest['aux-address'],
      }),
    },
    ...{ Internal: internal, Attachable: attachable, Ingress: ingress, ConfigOnly: rest['config-only'] },
    ConfigFrom: configFrom ? { Network: configFrom } : null,
    ...{ Options: opt, Labels: labelMap(label) },
  };
}
