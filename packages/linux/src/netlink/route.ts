import { type Attribute, attributeMap, encodeAttributes, type Message, readU32, u32 } from './codec.ts';
import { AF_INET, AF_INET6, decodeIp, encodeIp, parsePrefix } from './ip.ts';
import { type NetlinkRequest, NLM_F } from './socket.ts';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTMSG_BYTES = 12;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, TABLE: 15 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

export interface Route {
  readonly family: 4 | 6;
  /** `a.b.c.d/n`, or `default`. */
  readonly destination: string;
  readonly gateway: string | undefined;
  /** 0 when it leads nowhere (blackhole). */
  readonly ifindex: number;
  readonly source: string | undefined;
  readonly metric: number;
  readonly table: number;
  /** 1 for unicast; local, broadcast and so on are others (rtnetlink(7)). */
  readonly type: number;
}

export interface RouteSpec {
  /** `a.b.c.d/n`; the default route when absent. */
  readonly dst?: string | undefined;
  readonly gateway?: string | undefined;
  readonly ifindex?: number | undefined;
  readonly src?: string | undefined;
  readonly metric?: number | undefined;
  /** Of a default route without a gateway; 4 when absent. */
  readonly family?: 4 | 6 | undefined;
}

function routeRequest(type: number, flags: number, verb: string, route: RouteSpec): NetlinkRequest {
  const attributes: Attribute[] = [];
  const dst = route.dst === undefined || route.dst === 'default' ? undefined : parsePrefix(route.dst);
  const gateway = route.gateway === undefined ? undefined : encodeIp(route.gateway);
  const source = route.src === undefined ? undefined : encodeIp(route.src);
  const body = Buffer.alloc(RTMSG_BYTES);
  body.writeUInt8(dst?.family ?? gateway?.family ?? source?.family ?? (route.family === 6 ? AF_INET6 : AF_INET), 0);
  body.writeUInt8(dst?.length ?? 0, 1);
  body.writeUInt8(RT_TABLE_MAIN, 4);
  body.writeUInt8(RTPROT_BOOT, 5);
  body.writeUInt8(gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, 6);
  body.writeUInt8(RTN_UNICAST, 7);
  if (dst) attributes.push({ type: RTA.DST, value: dst.bytes });
  if (gateway) attributes.push({ type: RTA.GATEWAY, value: gateway.bytes });
  if (source) attributes.push({ type: RTA.PREFSRC, value: source.bytes });
  if (route.ifindex !== undefined) attributes.push({ type: RTA.OIF, value: u32(route.ifindex) });
  if (route.metric !== undefined) attributes.push({ type: RTA.PRIORITY, value: u32(route.metric) });
  return {
    type,
    flags,
    payload: Buffer.concat([body, encodeAttributes(attributes)]),
    verb,
    subject: route.dst ?? 'default',
  };
}

export function newRoute(route: RouteSpec): NetlinkRequest {
  return routeRequest(RTM_NEWROUTE, NLM_F.CREATE | NLM_F.EXCL, 'add route', route);
}

export function replaceRoute(route: RouteSpec): NetlinkRequest {
  return routeRequest(RTM_NEWROUTE, NLM_F.CREATE | NLM_F.REPLACE, 'replace route', route);
}

export function deleteRoute(route: RouteSpec): NetlinkRequest {
  return routeRequest(RTM_DELROUTE, 0, 'delete route', route);
}

export function dumpRoutes(): NetlinkRequest {
  return { type: RTM_GETROUTE, flags: NLM_F.DUMP, payload: Buffer.alloc(RTMSG_BYTES), verb: 'list routes' };
}

export function decodeRoute(message: Message): Route {
  const { payload } = message;
  const attributes = attributeMap(payload.subarray(RTMSG_BYTES));
  const ip = (type: number): string | undefined => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : decodeIp(bytes);
  };
  const destination = ip(RTA.DST);
  return {
    family: payload.readUInt8(0) === AF_INET6 ? 6 : 4,
    destination: destination === undefined ? 'default' : `${destination}/${payload.readUInt8(1)}`,
    gateway: ip(RTA.GATEWAY),
    ifindex: readU32(attributes.get(RTA.OIF)),
    source: ip(RTA.PREFSRC),
    metric: readU32(attributes.get(RTA.PRIORITY)),
    table: readU32(attributes.get(RTA.TABLE)) || payload.readUInt8(4),
    type: payload.readUInt8(7),
  };
}
