import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, nullLogger } from '@wharf/kit';
import type { HttpLimits } from './limits.ts';
import type { Route } from './route.ts';
import { createHttpServer, type HttpServer } from './server.ts';

/** A server on a unix socket of its own, for tests. */
export interface TestServer extends AsyncDisposable {
  readonly server: HttpServer;
  readonly path: string;
  readonly host: string;
  connect(): RawClient;
}

/** A client that says and hears bytes. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  ended = false;
  closed = false;

  constructor(path: string) {
    this.socket = createConnection({ path, allowHalfOpen: true });
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => {});
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Waits for what `condition` says of this client. */
  async until(condition: (client: this) => boolean, timeoutMs = 5_000): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    while (!condition(this)) {
      if (performance.now() > deadline) throw new Error(`waited in vain; received ${JSON.stringify(this.received)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return this.received;
  }
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Starts a server with these routes. */
export async function startTestServer(
  routes: readonly Route[],
  { limits = {}, log = nullLogger }: { readonly limits?: Partial<HttpLimits>; readonly log?: Logger } = {},
): Promise<TestServer> {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-http-'));
  const path = join(dir, 'api.sock');
  const server = createHttpServer({ routes, log, serverVersion: '0.0.0', limits });
  await server.listen(`unix://${path}`);
  const clients: RawClient[] = [];
  return {
    server,
    path,
    host: `unix://${path}`,
    connect() {
      const client = new RawClient(path);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.socket.destroy();
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
