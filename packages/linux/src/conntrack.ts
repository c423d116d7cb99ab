import { type Attribute, attributeMap, encodeAttributes, u8, u32 } from './netlink/codec.ts';
import { AF_INET, AF_INET6, decodeIp } from './netlink/ip.ts';
import { NETLINK_NETFILTER, NetlinkSocket, NLM_F } from './netlink/socket.ts';

// linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h.
const CTNETLINK = 1 << 8;
const CT_GET = CTNETLINK | 1;
const CT_DELETE = CTNETLINK | 2;
const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, FILTER: 25 } as const;
const CTA_TUPLE = { IP: 1, PROTO: 2 } as const;
const CTA_IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const CTA_PROTO = { NUM: 1, SRC_PORT: 2, DST_PORT: 3 } as const;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const MATCH = { PROTO_NUM: 1 << 3, PROTO_DST_PORT: 1 << 5 } as const;
const IPPROTO_UDP = 17;

/** One direction of a flow. */
export interface FlowTuple {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** What the kernel keeps of a flow: as its first packet was, and as answers are; they differ where it is translated. */
export interface Flow {
  readonly original: FlowTuple;
  readonly reply: FlowTuple;
}

/**
 * Makes the kernel forget UDP flows of the current network namespace that were first sent to one of those ports and that
 * `which` picks: their next packets go by the rules anew. UDP flows have no end that would do so. Returns how many there
 * were. Throws `SystemError` where the kernel has no ctnetlink. The kernel picks a single port itself (Linux 5.8), so a large
 * table costs no copy of it.
 */
export function forgetUdpFlows(
  ports: { readonly family: 4 | 6; readonly first: number; readonly last: number },
  which: (flow: Flow) => boolean,
): number {
  const { first, last } = ports;
  const header = ports.family === 6 ? IPV6_HEADER : IPV4_HEADER;
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const found = socket.query({
    type: CT_GET,
    flags: NLM_F.DUMP,
    verb: 'list tracked flows',
    payload: payloadOf(header, [
      { type: CTA.TUPLE_ORIG, value: wantedTuple(first) },
      {
        type: CTA.FILTER,
        value: [
          { type: CTA_FILTER_ORIG_FLAGS, value: u32(MATCH.PROTO_NUM | (first === last ? MATCH.PROTO_DST_PORT : 0)) },
          { type: CTA_FILTER_REPLY_FLAGS, value: u32(0) },
        ],
      },
    ]),
  });
  const originals = found.flatMap(({ payload }) => {
    const attributes = attributeMap(payload.subarray(header.length));
    const original = attributes.get(CTA.TUPLE_ORIG);
    const reply = attributes.get(CTA.TUPLE_REPLY);
    if (!original || !reply) return [];
    const flow = { original: tupleOf(original), reply: tupleOf(reply) };
    // An older kernel has answered with the whole table.
    const port = flow.original.destinationPort;
    const asked = port >= first && port <= last && protocolOf(original) === IPPROTO_UDP;
    return asked && which(flow) ? [original] : [];
  });
  socket.execute(
    originals.map((original) => ({
      type: CT_DELETE,
      verb: 'forget tracked flow',
      // It ended by itself meanwhile.
      tolerate: ['ENOENT'],
      payload: payloadOf(header, [{ type: CTA.TUPLE_ORIG | NESTED, value: original }]),
    })),
  );
  return originals.length;
}

/** struct nfgenmsg: family, version, resource id. */
const IPV4_HEADER = Buffer.of(AF_INET, 0, 0, 0);
const IPV6_HEADER = Buffer.of(AF_INET6, 0, 0, 0);
/** The kernel's own bytes are sent back as they came, without the flag that `encodeAttributes` sets on lists. */
const NESTED = 0x8000;

const payloadOf = (header: Buffer, attributes: readonly Attribute[]): Buffer =>
  Buffer.concat([header, encodeAttributes(attributes)]);

function wantedTuple(port: number): readonly Attribute[] {
  const number = Buffer.alloc(2);
  number.writeUInt16BE(port);
  const protocol = [
    { type: CTA_PROTO.NUM, value: u8(IPPROTO_UDP) },
    { type: CTA_PROTO.DST_PORT, value: number },
  ];
  return [{ type: CTA_TUPLE.PROTO, value: protocol }];
}

const NOTHING = Buffer.alloc(0);
const partOf = (tuple: Buffer, type: number): ReadonlyMap<number, Buffer> =>
  attributeMap(attributeMap(tuple).get(type) ?? NOTHING);

const protocolOf = (tuple: Buffer): number | undefined => partOf(tuple, CTA_TUPLE.PROTO).get(CTA_PROTO.NUM)?.[0];

function tupleOf(tuple: Buffer): FlowTuple {
  const ip = partOf(tuple, CTA_TUPLE.IP);
  const protocol = partOf(tuple, CTA_TUPLE.PROTO);
  const address = (type: number): string => {
    const bytes = ip.get(type);
    return bytes ? decodeIp(bytes) : '';
  };
  const port = (type: number): number => {
    const bytes = protocol.get(type);
    return bytes && bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  };
  return {
    source: address(CTA_IP.V4_SRC) || address(CTA_IP.V6_SRC),
    sourcePort: port(CTA_PROTO.SRC_PORT),
    destination: address(CTA_IP.V4_DST) || address(CTA_IP.V6_DST),
    destinationPort: port(CTA_PROTO.DST_PORT),
  };
}
