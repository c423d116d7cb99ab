import { type Attribute, attributeMap, encodeAttributes, type Message, readU32 } from './codec.ts';
import { decodeIp, parsePrefix } from './ip.ts';
import { type NetlinkRequest, NLM_F } from './socket.ts';

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFADDR_BYTES = 8;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4, FLAGS: 8 } as const;
/** Usable at once: no duplicate address detection (IPv6). */
const IFA_F_NODAD = 2;

export interface Address {
  readonly ifindex: number;
  /** `172.17.0.1` or an IPv6 address. */
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
}

function addressRequest(type: number, flags: number, verb: string, ifindex: number, prefix: string): NetlinkRequest {
  const { family, bytes, length } = parsePrefix(prefix);
  const body = Buffer.alloc(IFADDR_BYTES);
  body.writeUInt8(family, 0);
  body.writeUInt8(length, 1);
  if (bytes.length === 16) body.writeUInt8(IFA_F_NODAD, 2);
  body.writeUInt32LE(ifindex, 4);
  const attributes: Attribute[] = [
    { type: IFA.LOCAL, value: bytes },
    { type: IFA.ADDRESS, value: bytes },
  ];
  if (bytes.length === 4 && length < 31) attributes.push({ type: IFA.BROADCAST, value: broadcastOf(bytes, length) });
  return { type, flags, payload: Buffer.concat([body, encodeAttributes(attributes)]), verb, subject: prefix };
}

function broadcastOf(bytes: Buffer, length: number): Buffer {
  const broadcast = Buffer.alloc(4);
  broadcast.writeUInt32BE((bytes.readUInt32BE() | (0xffffffff >>> length)) >>> 0);
  return broadcast;
}

export function newAddress(ifindex: number, prefix: string): NetlinkRequest {
  return addressRequest(RTM_NEWADDR, NLM_F.CREATE | NLM_F.EXCL, 'add address', ifindex, prefix);
}

/** As `newAddress`; one that is there already is as good. */
export function ensureAddress(ifindex: number, prefix: string): NetlinkRequest {
  return { ...newAddress(ifindex, prefix), tolerate: ['EEXIST'] };
}

export function deleteAddress(ifindex: number, prefix: string): NetlinkRequest {
  return addressRequest(RTM_DELADDR, 0, 'delete address', ifindex, prefix);
}

export function dumpAddresses(): NetlinkRequest {
  return { type: RTM_GETADDR, flags: NLM_F.DUMP, payload: Buffer.alloc(IFADDR_BYTES), verb: 'list addresses' };
}

export function decodeAddress(message: Message): Address {
  const attributes = attributeMap(message.payload.subarray(IFADDR_BYTES));
  const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS) ?? Buffer.alloc(4);
  return {
    ifindex: readU32(message.payload.subarray(4)),
    address: decodeIp(bytes),
    prefixLength: message.payload.readUInt8(1),
    family: bytes.length === 4 ? 4 : 6,
  };
}
