import { WharfError } from '@wharf/kit';
import {
  endpointExists,
  HOST_NETWORK_AT_CREATE,
  PRIVATE_NETWORK,
  SHARES_NETWORK,
  TEMPLATE_HAS_NO_ENDPOINTS,
} from '@wharf/wire/docker/messages';
import type { ContainerRecord } from '../containers/container.ts';
import { type NetworkRecord, parseNetworkMode } from './network.ts';

/** Throws in Docker's words when a container cannot be connected to a network; `isUp`: it runs. */
export function checkConnect(
  record: ContainerRecord,
  target: NetworkRecord,
  { isUp }: { readonly isUp: boolean },
): void {
  if (target.configOnly === true) throw new WharfError('permission-denied', TEMPLATE_HAS_NO_ENDPOINTS);
  const mode = parseNetworkMode(record.hostConfig.NetworkMode);
  if (mode.kind === 'container') throw new WharfError('invalid-argument', SHARES_NETWORK);
  if (target.driver === 'host' && mode.kind !== 'host')
    throw new WharfError('invalid-argument', HOST_NETWORK_AT_CREATE);
  const names = record.endpoints.map(({ networkName }) => networkName);
  if (names.includes(target.name) && isUp) {
    throw new WharfError('permission-denied', endpointExists(record.name, target.name));
  }
  const others = names.filter((name) => name !== target.name);
  if (others.includes('host') || (target.driver === 'host' && others.length > 0))
    throw new WharfError('invalid-argument', SHARES_NETWORK);
  if (others.includes('none') || (target.driver === 'null' && others.length > 0))
    throw new WharfError('invalid-argument', PRIVATE_NETWORK);
}
