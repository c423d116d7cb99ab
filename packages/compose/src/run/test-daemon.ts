import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerClient } from '@wharf/wire/docker-client/client';

/** A daemon of a few lines: containers whose state the test sets, and their events. */
export class TestDaemon implements AsyncDisposable {
  readonly client: DockerClient;
  /** Requests as they came, without looks at containers. */
  readonly requests: string[] = [];
  /** How often each container was looked at. */
  readonly looks = new Map<string, number>();
  readonly #containers = new Map<string, object>();
  readonly #listeners = new Set<ServerResponse>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #folder = mkdtempSync(join(tmpdir(), 'wharf-compose-run-'));

  constructor() {
    this.client = new DockerClient({ endpoint: { host: `unix://${this.#socket}` } });
  }

  get #socket(): string {
    return join(this.#folder, 's.sock');
  }

  static async start(): Promise<TestDaemon> {
    const daemon = new TestDaemon();
    await new Promise<void>((resolve) => daemon.#server.listen(daemon.#socket, () => resolve()));
    return daemon;
  }

  /** Sets a container's state, silently. */
  set(id: string, state: object, config: object = {}): void {
    this.#containers.set(id, { Id: id, Name: `/${id}`, State: state, Config: config });
  }

  /** Tells listeners of an event. */
  tell(id: string, action: string): void {
    const event = { Type: 'container', Action: action, Actor: { ID: id, Attributes: {} } };
    for (const listener of this.#listeners) listener.write(`${JSON.stringify(event)}\n`);
  }

  /** Breaks all streams of events. */
  breakEvents(): void {
    for (const listener of this.#listeners) listener.destroy();
    this.#listeners.clear();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    response.setHeader('Api-Version', '1.51').setHeader('Content-Type', 'application/json');
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '');
    if (path.startsWith('/events')) {
      response.flushHeaders();
      this.#listeners.add(response);
      response.on('close', () => this.#listeners.delete(response));
      return;
    }
    const [, id = ''] = /^\/containers\/([^/]+)\/json/.exec(path) ?? [];
    const container = this.#containers.get(id);
    if (container !== undefined) {
      this.looks.set(id, (this.looks.get(id) ?? 0) + 1);
      response.end(JSON.stringify(container));
      return;
    }
    this.requests.push(`${request.method} ${path}`);
    response.statusCode = 404;
    response.end(JSON.stringify({ message: `No such container: ${id}` }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.breakEvents();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
