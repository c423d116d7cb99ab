import type { NetworkCreateRequest } from '@wharf/wire/docker/types';
import type { Project } from '../model/project.ts';
import type { Network } from '../model/resources.ts';
import { networkLabels } from './labels.ts';

/** The body that makes a network of the project. */
export function networkBody(project: Project, key: string, network: Network): NetworkCreateRequest {
  const { driver = '', config = [] } = network.ipam;
  const pools = config.map((pool) => ({
    Subnet: pool.subnet,
    IPRange: pool.ip_range,
    Gateway: pool.gateway,
    AuxiliaryAddresses: pool.aux_addresses,
  }));
  return {
    Name: network.name ?? key,
    Driver: network.driver ?? '',
    Options: network.driver_opts,
    Internal: network.internal ?? false,
    Attachable: network.attachable ?? false,
    EnableIPv4: network.enable_ipv4,
    EnableIPv6: network.enable_ipv6,
    Labels: networkLabels(project, key, network),
    ...(driver !== '' || pools.length > 0 ? { IPAM: { Driver: driver, Config: pools } } : {}),
  };
}
