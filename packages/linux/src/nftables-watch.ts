import { closeSync } from 'node:fs';
import { bind, check } from './ffi.ts';
import { attributeMap } from './netlink/codec.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from './netlink/socket.ts';
import { type FdWatch, watchFd } from './poll.ts';

const cSocket = bind<(domain: number, type: number, protocol: number) => number>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const cRecv = bind<(fd: number, buffer: Buffer, size: number, flags: number) => number>('recv', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);
const cBind = bind<(fd: number, address: Buffer, size: number) => number>('bind', 'int', ['int', 'void *', 'uint']);

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
// linux/netfilter/nfnetlink.h and nf_tables.h.
const NFNLGRP_NFTABLES = 7;
const NFT_MSG_GETGEN = (10 << 8) | 16;
const NFTA_GEN_ID = 1;
const NFGENMSG_BYTES = 4;
/** Only that something came matters, not what: longer messages are cut. */
const scrap = Buffer.alloc(256);

/** The number of changes made to the nftables rules of the current network namespace; every transaction adds one. */
export function nftGeneration(): number {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const [message] = socket.query({
    type: NFT_MSG_GETGEN,
    verb: 'read the nftables generation',
    payload: Buffer.alloc(NFGENMSG_BYTES),
  });
  return message ? (attributeMap(message.payload.subarray(NFGENMSG_BYTES)).get(NFTA_GEN_ID)?.readUInt32BE(0) ?? 0) : 0;
}

/**
 * Calls back whenever anyone, this process too, has changed nftables rules in the network namespace that this was called in.
 * Many changes may be one call. The watch keeps no process alive. Throws `SystemError`.
 */
export function watchNftables(onChange: () => void): { close(): void } {
  const fd = check(cSocket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_NETFILTER), 'socket');
  let watch: FdWatch;
  try {
    // struct sockaddr_nl: family, padding, port (0: any), the groups as bits.
    const address = Buffer.alloc(128);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(1 << (NFNLGRP_NFTABLES - 1), 8);
    check(cBind(fd, address, 12), 'bind to the nftables group');
    watch = watchFd(fd, { readable: true }, () => {
      // ENOBUFS (more came than fits) ends the loop as EAGAIN does: something has changed either way.
      while (cRecv(fd, scrap, scrap.length, 0) >= 0);
      onChange();
    });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  watch.unref();
  let open = true;
  return {
    close() {
      if (!open) return;
      open = false;
      watch.close();
      closeSync(fd);
    },
  };
}
