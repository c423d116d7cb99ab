import { type NetworkRoomOptions, Networks } from './network-room.ts';

/** Makes the room of networks. The default bridge is chosen now; links and rules follow with `restore` or the first container. */
export function createNetworkService(options: NetworkRoomOptions): Networks {
  return new Networks(options);
}

export type { Networks } from './network-room.ts';
