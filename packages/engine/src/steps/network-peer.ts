import { WharfError } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';
import { parseNetworkMode } from '../networks/network.ts';

/** How many containers that share each other's network are followed. */
const MAX_SHARED = 16;

/**
 * The container whose network a step joins by `container:NAME`, or the one that this one shares its own with; `undefined` for any other
 * network. Throws `conflict` for one that does not run, `invalid-argument` for one on the host's network, which is asked for by its own
 * name, and whatever `get` throws.
 */
export function networkPeer(
  network: string,
  get: (name: string) => Pick<ContainerRecord, 'id' | 'name' | 'state' | 'hostConfig'>,
): string | undefined {
  let mode = parseNetworkMode(network);
  let owner: string | undefined;
  for (let hops = 0; mode.kind === 'container' && hops < MAX_SHARED; hops += 1) {
    const { id, name, state, hostConfig } = get(mode.container);
    if (!['running', 'paused'].includes(state.status)) {
      throw new WharfError(
        'conflict',
        `cannot join network namespace of a non running container: container ${name} is ${state.status}`,
      );
    }
    owner = id;
    mode = parseNetworkMode(hostConfig.NetworkMode);
  }
  if (owner !== undefined && mode.kind === 'host') {
    throw new WharfError(
      'invalid-argument',
      `Cannot build in the network of container ${owner.slice(0, 12)}: it is the host's; ask for --network host`,
    );
  }
  return owner;
}
