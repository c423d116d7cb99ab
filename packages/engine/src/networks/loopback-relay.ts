import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { hasErrno } from '@wharf/kit';
import { boundPort, openBoundSocket, originalPort6 } from '@wharf/linux/inet';
import { RELAY_CONNECTIONS_MAX, RELAY_PORT_FIRST, RELAY_PORTS } from './limits.ts';

type Target = { readonly address: string; readonly port: number } | undefined;

/**
 * Carries TCP connections from [::1] of this host to published ports. One listener serves all ports: a rule leads connections
 * to it, and the kernel remembers where they were meant to go. Everything but [::1] goes through the kernel alone.
 */
export class LoopbackRelay {
  readonly #targetOf: (port: number) => Target;
  readonly #wanted: number;
  #server: Server | undefined;
  #port = 0;

  /** `daemon` tells daemons of one host apart: each has a port that it keeps over restarts, as the rule names it. */
  constructor(daemon: string, targetOf: (port: number) => Target) {
    this.#targetOf = targetOf;
    this.#wanted = RELAY_PORT_FIRST + (createHash('sha256').update(daemon).digest().readUInt32BE() % RELAY_PORTS);
  }

  /** Where it listens; it begins to with the first call. 0 where there is no IPv6 loopback. */
  port(): number {
    if (this.#server) return this.#port;
    let fd: number;
    try {
      fd = bindTo(this.#wanted);
    } catch {
      // No IPv6 on this host: nothing will ever come.
      return 0;
    }
    try {
      this.#port = boundPort(fd);
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => this.#serve(socket));
      server.maxConnections = RELAY_CONNECTIONS_MAX;
      server.on('error', () => {});
      server.listen({ fd });
      server.unref();
      this.#server = server;
      return this.#port;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #serve(client: Socket): void {
    client.on('error', () => client.destroy());
    const fd = (client as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd ?? -1;
    const wanted = fd < 0 ? 0 : originalPort6(fd);
    const target = wanted === 0 || wanted === this.#port ? undefined : this.#targetOf(wanted);
    if (!target) {
      client.destroy();
      return;
    }
    const server = connect({ host: target.address, port: target.port, allowHalfOpen: true });
    server.on('error', () => client.resetAndDestroy());
    client.on('close', () => server.destroy());
    server.on('connect', () => {
      client.pipe(server);
      server.pipe(client);
      client.resume();
    });
  }
}

/** That port of [::1], or another where somebody has it. */
function bindTo(port: number): number {
  try {
    return openBoundSocket({ protocol: 'tcp', address: '::1', port });
  } catch (error) {
    if (!hasErrno(error, 'EADDRINUSE', 'EACCES')) throw error;
    return openBoundSocket({ protocol: 'tcp', address: '::1', port: 0 });
  }
}
