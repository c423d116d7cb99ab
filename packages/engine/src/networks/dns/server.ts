import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { inNetns } from '@wharf/linux/namespaces';
import { DNS_CONNECTIONS_MAX, DNS_IDLE_MS, DNS_MESSAGE_BYTES, DNS_PENDING_MAX } from '../limits.ts';
import { decodeQuestion, encodeResponse, RCODE } from './codec.ts';
import { answerLocally, type DnsView } from './resolver.ts';
import { openSockets } from './sockets.ts';
import { askUpstreams } from './upstream.ts';

export interface DnsServerOptions {
  readonly netnsPath: string;
  /** The namespace is new: no earlier daemon has left rules in it. */
  readonly fresh: boolean;
  readonly view: DnsView;
  /** Who answers for the rest of the world, asked anew for every question; none: nobody does (internal networks). */
  readonly upstreams: () => readonly string[];
}

/**
 * The resolver of one container: it listens inside the container's network namespace but answers from the daemon. The sockets
 * are on ports of their own, and a rule in the namespace leads port 53 of 127.0.0.11 to them, so that a DNS server in the
 * container may still have port 53.
 */
export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  #pending = 0;

  private constructor(options: DnsServerOptions, udp: UdpSocket, tcp: Server) {
    this.#options = options;
    this.#udp = udp;
    this.#tcp = tcp;
  }

  /** Opens the sockets and sets the rules, or takes up those of an earlier daemon. Throws `SystemError` or `NftError`. */
  static open(options: DnsServerOptions): DnsServer {
    const { udpFd, tcpFd } = inNetns(options.netnsPath, () => openSockets(options.fresh));
    const udp = createSocket('udp4');
    const tcp = createServer({ allowHalfOpen: true });
    const server = new DnsServer(options, udp, tcp);
    udp.on('error', () => {});
    udp.on('message', (message, peer) => {
      void server.#answer(message, 'udp').then((answer) => {
        if (answer) udp.send(answer, peer.port, peer.address, () => {});
      });
    });
    udp.bind({ fd: udpFd, exclusive: true });
    udp.unref();
    tcp.maxConnections = DNS_CONNECTIONS_MAX;
    tcp.on('error', () => {});
    tcp.on('connection', (socket) => server.#serve(socket));
    tcp.listen({ fd: tcpFd });
    tcp.unref();
    return server;
  }

  close(): void {
    try {
      this.#udp.close();
    } catch {
      // It was closed by an error of its own.
    }
    this.#tcp.close();
  }

  async #answer(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const question = decodeQuestion(message);
    if (!question) return undefined;
    const maxBytes = transport === 'udp' ? question.udpBytes : DNS_MESSAGE_BYTES;
    const local = answerLocally(question, this.#options.view, maxBytes, shuffled);
    if (local) return local;
    if (this.#pending >= DNS_PENDING_MAX) return encodeResponse(question, RCODE.REFUSED, [], maxBytes);
    this.#pending++;
    try {
      const answer = await askUpstreams(message, this.#options.upstreams(), transport);
      return answer ?? encodeResponse(question, RCODE.SERVFAIL, [], maxBytes);
    } finally {
      this.#pending--;
    }
  }

  #serve(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    socket.setTimeout(DNS_IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
        const length = received.readUInt16BE(0);
        const message = received.subarray(2, length + 2);
        received = received.subarray(length + 2);
        void this.#answer(message, 'tcp').then((answer) => {
          if (!answer || socket.destroyed) return;
          const head = Buffer.alloc(2);
          head.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([head, answer]));
        });
      }
    });
  }
}

/** A copy in random order, so that several containers of one name share the load. */
function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}
