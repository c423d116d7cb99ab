import { closeSync } from 'node:fs';
import { ERRNO, SystemError } from '../errno.ts';
import { bind, check, lastErrno } from '../ffi.ts';
import { NETLINK_EVENTS_BYTES, NETLINK_RECEIVE_BYTES } from '../limits.ts';
import { attributeMap, decodeMessages, encodeMessage, HEADER_BYTES, type Message, readText } from './codec.ts';

const cSocket = bind<(domain: number, type: number, protocol: number) => number>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const cSend = bind<(fd: number, buffer: Buffer, size: number, flags: number) => number>('send', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);
const cRecv = bind<(fd: number, buffer: Buffer, size: number, flags: number) => number>('recv', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);
const cBind = bind<(fd: number, address: Buffer, size: number) => number>('bind', 'int', ['int', 'void *', 'uint']);
const cSetsockopt = bind<(fd: number, level: number, name: number, value: Buffer, size: number) => number>(
  'setsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'uint'],
);

const cIoctl = bind<(fd: number, request: number, argument: Buffer) => number>('ioctl', 'int', [
  'int',
  'unsigned long',
  'void *',
]);

const AF_NETLINK = 16;
/** netdevice(7): `struct ifreq` is a name of at most 16 bytes with its zero, and here an int. */
const SIOCGIFINDEX = 0x8933;
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;
const SOCKADDR_NL_BYTES = 12;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSGERR_ATTR_MSG = 1;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const ANSWER_SECONDS = 5n;

export const NLM_F = { REQUEST: 1, MULTI: 2, ACK: 4, EXCL: 0x200, CREATE: 0x400, REPLACE: 0x100, DUMP: 0x300 } as const;

/** One request. `subject` names it in the error. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags?: number;
  readonly payload: Buffer;
  readonly verb: string;
  readonly subject?: string | undefined;
  /** Errors that count as success (`EEXIST` of an address that is there). */
  readonly tolerate?: readonly string[];
}

const receiveBuffer = Buffer.alloc(NETLINK_RECEIVE_BYTES);

/**
 * A routing socket, or one of another netlink protocol. It belongs to the network namespace it was opened in for good, wherever its thread goes later.
 * Requests are answered by the kernel before `send` returns, so everything here is synchronous.
 */
export class NetlinkSocket {
  readonly #fd: number;
  #sequence = 0;
  #open = true;

  constructor(protocol = NETLINK_ROUTE) {
    this.#fd = check(cSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket');
    const on = Buffer.alloc(128);
    on.writeUInt32LE(1);
    // Older kernels lack these; they only make errors say more and dumps shorter.
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK])
      cSetsockopt(this.#fd, SOL_NETLINK, option, on, 4);
    const timeout = Buffer.alloc(128);
    timeout.writeBigInt64LE(ANSWER_SECONDS);
    cSetsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16);
  }

  get fd(): number {
    return this.#fd;
  }

  /** Joins multicast groups: from now on the kernel tells of changes. Such a socket is for nothing else. */
  subscribe(groups: readonly number[]): void {
    const value = Buffer.alloc(128);
    value.writeUInt32LE(NETLINK_EVENTS_BYTES);
    cSetsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, value, 4);
    // A socket without an address of its own has the kernel's, which does not tell itself anything.
    const address = Buffer.alloc(SOCKADDR_NL_BYTES);
    address.writeUInt16LE(AF_NETLINK);
    check(cBind(this.#fd, address, address.length), 'bind to netlink');
    for (const group of groups) {
      value.writeUInt32LE(group);
      check(cSetsockopt(this.#fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, value, 4), 'subscribe to netlink');
    }
  }

  /** What one receive brings without waiting, nothing included; `undefined` when the kernel dropped messages (ENOBUFS). */
  receiveWaiting(): Message[] | undefined {
    const size = cRecv(this.#fd, receiveBuffer, receiveBuffer.length, MSG_DONTWAIT);
    if (size >= 0) {
      return decodeMessages(receiveBuffer.subarray(0, size)).map((message) => ({
        ...message,
        payload: Buffer.from(message.payload),
      }));
    }
    const errno = lastErrno();
    if (errno === ERRNO.ENOBUFS) return undefined;
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return [];
    throw new SystemError(errno, 'receive from netlink');
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Sends requests in one go and waits for all answers. The kernel works them off in order and does not stop at a failure;
   * the first error that is not tolerated is thrown after the last answer.
   */
  execute(requests: readonly NetlinkRequest[]): void {
    if (requests.length === 0) return;
    const first = this.#sequence + 1;
    const bytes = requests.map((request) => this.#encode(request, NLM_F.ACK));
    this.#send(Buffer.concat(bytes));
    let failure: SystemError | undefined;
    for (let answered = 0; answered < requests.length; ) {
      for (const message of this.#receive()) {
        const request = requests[message.sequence - first];
        if (message.type !== NLMSG_ERROR || request === undefined) continue;
        answered++;
        const error = errorOf(message, request);
        if (error && !request.tolerate?.includes(error.code)) failure ??= error;
      }
    }
    if (failure) throw failure;
  }

  /** Sends one request that is answered by messages: a dump, or a single object. */
  query(request: NetlinkRequest): Message[] {
    const dump = ((request.flags ?? 0) & NLM_F.DUMP) === NLM_F.DUMP;
    this.#send(this.#encode(request, 0));
    const sequence = this.#sequence;
    const found: Message[] = [];
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_DONE) return found;
        if (message.type === NLMSG_ERROR) {
          const error = errorOf(message, request);
          if (error) throw error;
          return found;
        }
        found.push({ ...message, payload: Buffer.from(message.payload) });
        if (!dump) return found;
      }
    }
  }

  /**
   * The index of a link. Asked by ioctl, which waits for nobody: a message would wait until whoever changes links anywhere on this host is
   * done. Throws ENODEV.
   */
  linkIndex(ifname: string): number {
    const request = Buffer.alloc(IFREQ_BYTES * 2);
    if (Buffer.byteLength(ifname) >= IFNAMSIZ) throw new SystemError(ERRNO.ENODEV, 'find link', ifname);
    request.write(ifname);
    if (cIoctl(this.#fd, SIOCGIFINDEX, request) < 0) throw new SystemError(lastErrno(), 'find link', ifname);
    return request.readInt32LE(IFNAMSIZ);
  }

  #encode(request: NetlinkRequest, flags: number): Buffer {
    const { type, payload } = request;
    return encodeMessage({
      type,
      payload,
      flags: NLM_F.REQUEST | flags | (request.flags ?? 0),
      sequence: ++this.#sequence,
    });
  }

  #send(bytes: Buffer): void {
    check(cSend(this.#fd, bytes, bytes.length, 0), 'send to netlink');
  }

  #receive(): Message[] {
    for (;;) {
      const size = cRecv(this.#fd, receiveBuffer, receiveBuffer.length, 0);
      if (size >= 0) return decodeMessages(receiveBuffer.subarray(0, size));
      const errno = lastErrno();
      if (errno !== ERRNO.EINTR) throw new SystemError(errno, 'receive from netlink');
    }
  }
}

/** The error in an NLMSG_ERROR, `undefined` for an acknowledgement (errno 0). */
function errorOf(message: Message, request: NetlinkRequest): SystemError | undefined {
  const errno = -message.payload.readInt32LE(0);
  if (errno === 0) return undefined;
  let detail = '';
  if ((message.flags & NLM_F_ACK_TLVS) !== 0) {
    const echoed = (message.flags & NLM_F_CAPPED) !== 0 ? HEADER_BYTES : message.payload.readUInt32LE(4);
    detail = readText(attributeMap(message.payload.subarray(4 + ((echoed + 3) & ~3))).get(NLMSGERR_ATTR_MSG));
  }
  return new SystemError(errno, request.verb, request.subject, detail);
}
