import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { DNS_CONNECTIONS_MAX, DNS_IDLE_MS, DNS_MESSAGE_BYTES } from '../limits.ts';
import type { Transport } from './upstream.ts';

/** Answers one message; `undefined` for what deserves no answer. */
export type Responder = (message: Buffer, transport: Transport) => Buffer | undefined | Promise<Buffer | undefined>;

/** The sockets of one container's resolver. They live in the container's network namespace, their thread does not. */
export class DnsServer {
  readonly #respond: Responder;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;

  /** Takes the descriptors over: they are closed with it. */
  constructor(sockets: { readonly udpFd: number; readonly tcpFd: number }, respond: Responder) {
    this.#respond = respond;
    const udp = createSocket('udp4');
    const tcp = createServer({ allowHalfOpen: true });
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('error', () => {});
    udp.on('message', (message, { port, address }) => {
      const answer = respond(message, 'udp');
      // What is known here leaves in the same turn.
      if (answer instanceof Promise) void answer.then((later) => later && udp.send(later, port, address, ignore));
      else if (answer) udp.send(answer, port, address, ignore);
    });
    udp.bind({ fd: sockets.udpFd, exclusive: true });
    tcp.maxConnections = DNS_CONNECTIONS_MAX;
    tcp.on('error', () => {});
    tcp.on('connection', (socket) => this.#serve(socket));
    tcp.listen({ fd: sockets.tcpFd });
  }

  close(): void {
    try {
      this.#udp.close();
    } catch {
      // It was closed by an error of its own.
    }
    this.#tcp.close();
  }

  #serve(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    socket.setTimeout(DNS_IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
        const length = received.readUInt16BE(0);
        const message = received.subarray(2, length + 2);
        received = received.subarray(length + 2);
        void this.#answer(socket, message);
      }
      // A client that sends faster than it reads answers is let wait by the kernel.
      if (socket.writableLength > DNS_MESSAGE_BYTES) {
        socket.pause();
        socket.once('drain', () => socket.resume());
      }
    });
  }

  async #answer(socket: Socket, message: Buffer): Promise<void> {
    const answer = await this.#respond(message, 'tcp');
    if (!answer || socket.destroyed) return;
    const head = Buffer.alloc(2);
    head.writeUInt16BE(answer.length);
    socket.write(Buffer.concat([head, answer]));
  }
}

function ignore(): void {}
