import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { openBoundSocket } from '@wharf/linux/inet';
import { inNetns } from '@wharf/linux/namespaces';
import {
  DNS_HEDGE_MS,
  DNS_MESSAGE_BYTES,
  DNS_RESEND_MS,
  DNS_SLOW_MS,
  DNS_UPSTREAM_TIMEOUT_MS,
  DNS_UPSTREAMS_MAX,
} from '../limits.ts';
import { answers, RCODE, rcodeOf } from './codec.ts';

/** A server to ask. */
export interface Upstream {
  readonly address: string;
  /** The namespace to ask from; the host's when absent, where the host's own loopback resolver is in reach. */
  readonly netns?: string;
}

export type Transport = 'udp' | 'tcp';

/** Servers that lately kept somebody waiting, until when they are asked last. */
const slowUntil = new Map<string, number>();

/**
 * Asks the servers over the transport the client used. They are asked in their order, the next as soon as the one before has
 * failed or has been silent for a moment; the first useful answer counts. Resolves with the answer as it came, with the last
 * useless one, or with `undefined` when none came in time.
 */
export async function askUpstreams(
  query: Buffer,
  servers: readonly Upstream[],
  transport: Transport,
): Promise<Buffer | undefined> {
  const now = performance.now();
  const isSlow = ({ address }: Upstream): number => Number((slowUntil.get(address) ?? 0) > now);
  const order = servers.slice(0, DNS_UPSTREAMS_MAX).sort((a, b) => isSlow(a) - isSlow(b));
  if (order.length === 0) return undefined;
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const abort = new AbortController();
  let last: Buffer | undefined;
  let next = 0;
  let waiting = 0;
  let hedge: NodeJS.Timeout | undefined;
  const finish = (answer: Buffer | undefined): void => {
    clearTimeout(hedge);
    clearTimeout(deadline);
    resolve(answer);
    abort.abort();
  };
  const deadline = setTimeout(() => finish(last), DNS_UPSTREAM_TIMEOUT_MS);
  const askNext = (): void => {
    clearTimeout(hedge);
    const server = order[next++];
    if (!server) return;
    waiting++;
    if (next < order.length) hedge = setTimeout(askNext, DNS_HEDGE_MS);
    void askOne(query, server, transport, abort.signal).then((answer) => {
      if (abort.signal.aborted) return;
      waiting--;
      if (answer && isUseful(answer)) return finish(answer);
      last = answer ?? last;
      if (next < order.length) askNext();
      else if (waiting === 0) finish(last);
    });
  };
  askNext();
  return promise;
}

function isUseful(answer: Buffer): boolean {
  const rcode = rcodeOf(answer);
  return rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED && rcode !== RCODE.NOTIMP;
}

async function askOne(
  query: Buffer,
  server: Upstream,
  transport: Transport,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const begun = performance.now();
  const answer = await (transport === 'udp' ? askUdp(query, server, signal) : askTcp(query, server, signal));
  if (!answer && performance.now() - begun > DNS_HEDGE_MS) slowUntil.set(server.address, begun + DNS_SLOW_MS);
  else if (answer) slowUntil.delete(server.address);
  return answer;
}

/** A socket per question: its random port is what an off-path forger has to guess beside the id. */
function askUdp(query: Buffer, server: Upstream, signal: AbortSignal): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  let socket: UdpSocket;
  try {
    socket = udpSocketTo(server);
  } catch {
    return Promise.resolve(undefined);
  }
  let open = true;
  let resend: NodeJS.Timeout | undefined;
  const finish = (answer: Buffer | undefined): void => {
    if (!open) return;
    open = false;
    clearInterval(resend);
    signal.removeEventListener('abort', onAbort);
    socket.close();
    resolve(answer);
  };
  const onAbort = (): void => finish(undefined);
  signal.addEventListener('abort', onAbort);
  socket.on('error', () => finish(undefined));
  socket.on('message', (answer) => {
    if (answers(answer, query)) finish(answer);
  });
  const send = (): void => socket.send(query, (failure) => failure && finish(undefined));
  // Connected: the kernel drops what does not come from the server, and tells of its port being closed.
  // The callback is also how a failure (no route) is told, whatever its type says.
  socket.connect(53, server.address, ((error?: Error) => {
    if (error) return finish(undefined);
    if (!open) return undefined;
    send();
    resend = setInterval(send, DNS_RESEND_MS);
    return undefined;
  }) as () => void);
  return promise;
}

function udpSocketTo(server: Upstream): UdpSocket {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
  if (server.netns === undefined) return socket;
  try {
    socket.bind({ fd: openInside(server, 'udp'), exclusive: true });
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function openInside({ netns = '', address }: Upstream, protocol: 'udp' | 'tcp'): number {
  const any = isIPv6(address) ? '::' : '0.0.0.0';
  return inNetns(netns, () => openBoundSocket({ protocol, address: any, port: 0 }));
}

function askTcp(query: Buffer, server: Upstream, signal: AbortSignal): Promise<Buffer | undefined> {
  // node:net makes its sockets in the thread's own namespace: from a container's only UDP is asked.
  if (server.netns !== undefined) return askUdp(query, server, signal);
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket: Socket = connect({ host: server.address, port: 53, timeout: DNS_UPSTREAM_TIMEOUT_MS });
  let received = Buffer.alloc(0);
  const finish = (answer: Buffer | undefined): void => {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
    resolve(answer);
  };
  const onAbort = (): void => finish(undefined);
  signal.addEventListener('abort', onAbort);
  socket.on('timeout', () => finish(undefined));
  socket.on('error', () => finish(undefined));
  socket.on('close', () => resolve(undefined));
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const length = received.length >= 2 ? received.readUInt16BE(0) : DNS_MESSAGE_BYTES;
    if (received.length < length + 2) return;
    const answer = received.subarray(2, length + 2);
    finish(answers(answer, query) ? answer : undefined);
  });
  const head = Buffer.alloc(2);
  head.writeUInt16BE(query.length);
  socket.write(Buffer.concat([head, query]));
  return promise;
}
