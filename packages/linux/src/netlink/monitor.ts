import { type FdWatch, watchFd } from '../poll.ts';
import { type Address, decodeAddress, RTM_DELADDR, RTM_NEWADDR } from './address.ts';
import { AF_BRIDGE, decodeLink, type Link, RTM_DELLINK, RTM_NEWLINK } from './link.ts';
import { decodeRoute, type Route, RTM_DELROUTE, RTM_NEWROUTE } from './route.ts';
import { NetlinkSocket } from './socket.ts';

/** Groups of rtnetlink(7): links, addresses and routes of both families. */
const GROUPS = { link: 1, address4: 5, route4: 7, address6: 9, route6: 11 } as const;

export type NetworkChange =
  | { readonly kind: 'link'; readonly gone: boolean; readonly link: Link }
  | { readonly kind: 'address'; readonly gone: boolean; readonly address: Address }
  | { readonly kind: 'route'; readonly gone: boolean; readonly route: Route }
  /** The kernel had more to say than the socket could hold: whatever one knew may be out of date. */
  | { readonly kind: 'lost' };

/** What changes in the network namespace it was opened in, as the kernel tells it. */
export class NetlinkMonitor {
  readonly #socket: NetlinkSocket;
  readonly #watch: FdWatch;

  /** `onChange` runs in the event loop; it must not throw. */
  constructor(onChange: (change: NetworkChange) => void) {
    this.#socket = new NetlinkSocket();
    this.#socket.subscribe(Object.values(GROUPS));
    this.#watch = watchFd(this.#socket.fd, { readable: true }, () => {
      for (const change of this.#read()) onChange(change);
    });
    this.#watch.unref();
  }

  close(): void {
    this.#watch.close();
    this.#socket.close();
  }

  #read(): NetworkChange[] {
    const messages = this.#socket.receiveWaiting();
    if (messages === undefined) return [{ kind: 'lost' }];
    return messages.flatMap((message): NetworkChange[] => {
      // A bridge's word about its ports comes as a link message too; it is not about the link itself.
      if (message.payload.readUInt8(0) === AF_BRIDGE) return [];
      switch (message.type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
          return [{ kind: 'link', gone: message.type === RTM_DELLINK, link: decodeLink(message) }];
        case RTM_NEWADDR:
        case RTM_DELADDR:
          return [{ kind: 'address', gone: message.type === RTM_DELADDR, address: decodeAddress(message) }];
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
          return [{ kind: 'route', gone: message.type === RTM_DELROUTE, route: decodeRoute(message) }];
        default:
          return [];
      }
    });
  }
}
