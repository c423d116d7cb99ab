import { type Attribute, attributeMap, encodeAttributes, type Message, readText, readU32, text, u32 } from './codec.ts';
import { type NetlinkRequest, NLM_F } from './socket.ts';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const IFINFO_BYTES = 16;
const IFF_UP = 1;
const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  OPERSTATE: 16,
  LINKINFO: 18,
  NET_NS_FD: 28,
} as const;
const IFLA_INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const;
const VETH_INFO_PEER = 1;
const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
const IPVLAN_MODES = { l2: 0, l3: 1, l3s: 2 } as const;
const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const;
const VLAN_INFO_ID = 1;
const IPVLAN_INFO = { MODE: 1, FLAGS: 2 } as const;
const MACVLAN_INFO_MODE = 1;

export type MacvlanMode = keyof typeof MACVLAN_MODES;
export type IpvlanMode = keyof typeof IPVLAN_MODES;
export type IpvlanFlag = keyof typeof IPVLAN_FLAGS;

/** What a link on top of another is. */
export type UpperKind =
  | { readonly kind: 'macvlan'; readonly mode: MacvlanMode }
  | { readonly kind: 'ipvlan'; readonly mode: IpvlanMode; readonly flag: IpvlanFlag }
  | { readonly kind: 'vlan'; readonly id: number };

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, …; empty for physical ones and `lo`. */
  readonly kind: string;
  readonly up: boolean;
  readonly mtu: number;
  /** Six hex pairs with colons. */
  readonly mac: string;
  /** Index of the bridge it is in, 0 for none. */
  readonly master: number;
  /** Index of the other end of a veth pair (in that end's namespace), 0 for none. */
  readonly peer: number;
}

/** The six bytes of a MAC address written with colons or dashes. Throws RangeError on anything else. */
export function parseMac(mac: string): Buffer {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(mac)) throw new RangeError(`"${mac}" is not a MAC address`);
  return Buffer.from(mac.replace(/[:-]/g, ''), 'hex');
}

function linkBody(
  options: { readonly index?: number; readonly flags?: number; readonly change?: number },
  attributes: readonly Attribute[],
): Buffer {
  const body = Buffer.alloc(IFINFO_BYTES);
  body.writeInt32LE(options.index ?? 0, 4);
  body.writeUInt32LE(options.flags ?? 0, 8);
  body.writeUInt32LE(options.change ?? 0, 12);
  return Buffer.concat([body, encodeAttributes(attributes)]);
}

const upFlags = (up: boolean | undefined): { flags?: number; change?: number } =>
  up === true ? { flags: IFF_UP, change: IFF_UP } : {};

export interface LinkSettings {
  readonly mtu?: number | undefined;
  readonly mac?: string | undefined;
  /** Index of the bridge to join. */
  readonly master?: number | undefined;
  readonly up?: boolean | undefined;
  /** A descriptor of the namespace it is to be born in or moved to. */
  readonly netnsFd?: number | undefined;
}

function settingAttributes(settings: LinkSettings): Attribute[] {
  const attributes: Attribute[] = [];
  if (settings.mtu !== undefined) attributes.push({ type: IFLA.MTU, value: u32(settings.mtu) });
  if (settings.mac !== undefined) attributes.push({ type: IFLA.ADDRESS, value: parseMac(settings.mac) });
  if (settings.master !== undefined) attributes.push({ type: IFLA.MASTER, value: u32(settings.master) });
  if (settings.netnsFd !== undefined) attributes.push({ type: IFLA.NET_NS_FD, value: u32(settings.netnsFd) });
  return attributes;
}

/** Makes a link of a kind that needs no data of its own (`bridge`, `dummy`). */
export function newLink(name: string, kind: string, settings: LinkSettings): NetlinkRequest {
  const attributes = [
    { type: IFLA.IFNAME, value: text(name) },
    ...settingAttributes(settings),
    { type: IFLA.LINKINFO, value: [{ type: IFLA_INFO.KIND, value: text(kind) }] },
  ];
  const payload = linkBody(upFlags(settings.up), attributes);
  return { type: RTM_NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload, verb: `create ${kind}`, subject: name };
}

/** Makes a veth pair at once, each end with its own settings: the peer may be born in another namespace, up and named. */
export function newVeth(
  name: string,
  settings: LinkSettings,
  peer: string,
  peerSettings: LinkSettings,
): NetlinkRequest {
  const peerBody = linkBody(upFlags(peerSettings.up), [
    { type: IFLA.IFNAME, value: text(peer) },
    ...settingAttributes(peerSettings),
  ]);
  const payload = linkBody(upFlags(settings.up), [
    { type: IFLA.IFNAME, value: text(name) },
    ...settingAttributes(settings),
    {
      type: IFLA.LINKINFO,
      value: [
        { type: IFLA_INFO.KIND, value: text('veth') },
        // The peer's attribute holds an ifinfomsg before the attributes: raw bytes.
        { type: IFLA_INFO.DATA, value: [{ type: VETH_INFO_PEER, value: peerBody }] },
      ],
    },
  ]);
  return { type: RTM_NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload, verb: 'create veth', subject: name };
}

function upperData(upper: UpperKind): Attribute[] {
  if (upper.kind === 'macvlan') return [{ type: MACVLAN_INFO_MODE, value: u32(MACVLAN_MODES[upper.mode]) }];
  if (upper.kind === 'vlan') return [{ type: VLAN_INFO_ID, value: u16(upper.id) }];
  return [
    { type: IPVLAN_INFO.MODE, value: u16(IPVLAN_MODES[upper.mode]) },
    { type: IPVLAN_INFO.FLAGS, value: u16(IPVLAN_FLAGS[upper.flag]) },
  ];
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** Makes a link on top of the one of index `parent` in this namespace; it may be born in another (`netnsFd`). */
export function newUpperLink(name: string, parent: number, upper: UpperKind, settings: LinkSettings): NetlinkRequest {
  const attributes = [
    { type: IFLA.IFNAME, value: text(name) },
    { type: IFLA.LINK, value: u32(parent) },
    ...settingAttributes(settings),
    {
      type: IFLA.LINKINFO,
      value: [
        { type: IFLA_INFO.KIND, value: text(upper.kind) },
        { type: IFLA_INFO.DATA, value: upperData(upper) },
      ],
    },
  ];
  const payload = linkBody(upFlags(settings.up), attributes);
  return { type: RTM_NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL, payload, verb: `create ${upper.kind}`, subject: name };
}

/** Changes a link found by name; the kernel looks the name up when the index is 0. */
export function changeLink(name: string, settings: LinkSettings & { readonly down?: boolean }): NetlinkRequest {
  const flags = settings.down === true ? { flags: 0, change: IFF_UP } : upFlags(settings.up);
  const payload = linkBody(flags, [{ type: IFLA.IFNAME, value: text(name) }, ...settingAttributes(settings)]);
  return { type: RTM_SETLINK, payload, verb: 'change link', subject: name };
}

/** Renames the link of that index; before Linux 6.2 it must be down. */
export function renameLink(index: number, name: string): NetlinkRequest {
  const payload = linkBody({ index }, [{ type: IFLA.IFNAME, value: text(name) }]);
  return { type: RTM_SETLINK, payload, verb: 'rename link to', subject: name };
}

export function deleteLink(name: string): NetlinkRequest {
  return {
    type: RTM_DELLINK,
    payload: linkBody({}, [{ type: IFLA.IFNAME, value: text(name) }]),
    verb: 'delete link',
    subject: name,
  };
}

/** One link by name, answered by one message or ENODEV. */
export function getLink(name: string): NetlinkRequest {
  return {
    type: RTM_GETLINK,
    payload: linkBody({}, [{ type: IFLA.IFNAME, value: text(name) }]),
    verb: 'find link',
    subject: name,
  };
}

export function dumpLinks(): NetlinkRequest {
  return { type: RTM_GETLINK, flags: NLM_F.DUMP, payload: linkBody({}, []), verb: 'list links' };
}

export function decodeLink(message: Message): Link {
  const attributes = attributeMap(message.payload.subarray(IFINFO_BYTES));
  const info = attributeMap(attributes.get(IFLA.LINKINFO) ?? Buffer.alloc(0));
  return {
    index: message.payload.readInt32LE(4),
    name: readText(attributes.get(IFLA.IFNAME)),
    kind: readText(info.get(IFLA_INFO.KIND)),
    up: (message.payload.readUInt32LE(8) & IFF_UP) !== 0,
    mtu: readU32(attributes.get(IFLA.MTU)),
    mac: (attributes.get(IFLA.ADDRESS) ?? Buffer.alloc(0)).toString('hex').replace(/..(?!$)/g, '$&:'),
    master: readU32(attributes.get(IFLA.MASTER)),
    peer: readU32(attributes.get(IFLA.LINK)),
  };
}

export const AF_BRIDGE = 7;
const IFLA_BRPORT = { MODE: 4, ISOLATED: 33 } as const;

export interface BridgePortSettings {
  /** Sends frames back through the port they came in by, where their address says so. */
  readonly hairpin?: boolean | undefined;
  /** Cut off from the bridge's other isolated ports (Linux 4.18). */
  readonly isolated?: boolean | undefined;
}

/**
 * Changes a bridge's port found by name, so that it can go with the message that makes the link. In an RTM_NEWLINK for a link that is
 * there, IFLA_INFO_SLAVE_DATA holds the settings of its bridge for it.
 */
export function changeBridgePort(name: string, settings: BridgePortSettings): NetlinkRequest {
  const value: Attribute[] = [];
  if (settings.hairpin !== undefined)
    value.push({ type: IFLA_BRPORT.MODE, value: Buffer.of(settings.hairpin ? 1 : 0) });
  if (settings.isolated !== undefined) {
    value.push({ type: IFLA_BRPORT.ISOLATED, value: Buffer.of(settings.isolated ? 1 : 0) });
  }
  const payload = linkBody({}, [
    { type: IFLA.IFNAME, value: text(name) },
    {
      type: IFLA.LINKINFO,
      value: [
        { type: IFLA_INFO.SLAVE_KIND, value: text('bridge') },
        { type: IFLA_INFO.SLAVE_DATA, value },
      ],
    },
  ]);
  return { type: RTM_NEWLINK, payload, verb: 'change bridge port', subject: name };
}
