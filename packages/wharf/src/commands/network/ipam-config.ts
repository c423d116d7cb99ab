import { BlockList, isIP } from 'node:net';
import { WharfError } from '@wharf/kit/errors';

export interface IpamFlags {
  readonly subnets: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly string[];
  readonly auxiliary: Readonly<Record<string, string>>;
}

interface IpamConfig {
  readonly Subnet: string;
  IPRange?: string;
  Gateway?: string;
  /** Absent when there is none, as Go leaves out an empty map: the daemon keeps what it was sent. */
  AuxiliaryAddresses?: Record<string, string>;
}

/** Puts ranges, gateways and further addresses to the subnets they lie in. Throws `invalid-argument` in docker's words. */
export function ipamConfig({ subnets, ranges, gateways, auxiliary }: IpamFlags): readonly IpamConfig[] {
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    throw wrong('every ip-range or gateway must have a corresponding subnet');
  }
  const configs = new Map<string, IpamConfig>();
  for (const subnet of subnets) {
    for (const other of configs.keys()) {
      const [one, two] = [contains(subnet, other), contains(other, subnet)];
      if (one || two) throw wrong('multiple overlapping subnet configuration is not supported');
    }
    configs.set(subnet, { Subnet: subnet });
  }
  for (const range of ranges) {
    parseCidr(range);
    place(configs, range, `no matching subnet for range ${range}`, (config) => {
      if (config.IPRange !== undefined) {
        throw wrong(
          `cannot configure multiple ranges (${range}, ${config.IPRange}) on the same subnet (${config.Subnet})`,
        );
      }
      config.IPRange = range;
    });
  }
  for (const gateway of gateways) {
    place(configs, gateway, `no matching subnet for gateway ${gateway}`, (config) => {
      if (config.Gateway !== undefined) {
        throw wrong(
          `cannot configure multiple gateways (${gateway}, ${config.Gateway}) for the same subnet (${config.Subnet})`,
        );
      }
      config.Gateway = gateway;
    });
  }
  for (const [name, address] of Object.entries(auxiliary)) {
    place(configs, address, `no matching subnet for aux-address ${address}`, (config) => {
      config.AuxiliaryAddresses = { ...config.AuxiliaryAddresses, [name]: address };
    });
  }
  return [...configs.values()];
}

function place(
  configs: ReadonlyMap<string, IpamConfig>,
  address: string,
  problem: string,
  use: (config: IpamConfig) => void,
): void {
  const matching = [...configs.values()].filter(({ Subnet }) => contains(Subnet, address));
  if (matching.length === 0) throw wrong(problem);
  for (const config of matching) use(config);
}

/** True when an address, or the address before the slash of a subnet, lies in the subnet. */
function contains(subnet: string, data: string): boolean {
  let block: ReturnType<typeof parseCidr>;
  try {
    block = parseCidr(subnet);
  } catch (error) {
    throw error instanceof WharfError ? wrong(`invalid subnet: ${error.message}`) : error;
  }
  const address = data.includes('/') ? parseCidr(data).address : data;
  if (isIP(address) !== block.family) return false;
  const list = new BlockList();
  const family = block.family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(block.address, block.bits, family);
  return list.check(address, family);
}

function parseCidr(text: string): { readonly address: string; readonly bits: number; readonly family: 4 | 6 } {
  const match = /^(.+)\/(\d{1,3})$/.exec(text);
  const address = match?.[1] ?? '';
  const family = isIP(address);
  const bits = Number(match?.[2] ?? -1);
  if ((family !== 4 && family !== 6) || bits < 0 || bits > (family === 4 ? 32 : 128)) {
    throw wrong(`invalid CIDR address: ${text}`);
  }
  return { address, bits, family };
}

function wrong(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
