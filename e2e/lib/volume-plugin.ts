import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

interface Request {
  readonly Name?: string;
  readonly ID?: string;
  readonly Opts?: Readonly<Record<string, string>>;
}

/** A volume plugin of the tests' own: directories as volumes, and a record of all it was asked. */
export class VolumePlugin {
  readonly name: string;
  readonly calls: string[] = [];
  /** Who has which volume mounted, as told by Mount and Unmount. */
  readonly mounted = new Map<string, Set<string>>();
  readonly options = new Map<string, Readonly<Record<string, string>>>();
  /** A method that answers with this error. */
  failure: { readonly method: string; readonly text: string; readonly status: number } | undefined;
  readonly #data: string;
  readonly #socket: string;
  #server: Server | undefined;

  constructor(options: { readonly name: string; readonly directory: string; readonly data: string }) {
    this.name = options.name;
    this.#data = options.data;
    this.#socket = join(options.directory, `${options.name}.sock`);
    mkdirSync(options.directory, { recursive: true });
    mkdirSync(this.#data, { recursive: true });
  }

  path(volume: string): string {
    return join(this.#data, volume);
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        const { status, answer } = this.#answer((request.url ?? '').slice(1), JSON.parse(body || '{}') as Request);
        response.writeHead(status, { 'content-type': 'application/vnd.docker.plugins.v1.2+json' });
        response.end(JSON.stringify(answer));
      });
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(this.#socket, resolve);
    await promise;
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server?.close(() => resolve());
    this.#server?.closeAllConnections();
    await promise;
    rmSync(this.#socket, { force: true });
  }

  #answer(method: string, request: Request): { readonly status: number; readonly answer: unknown } {
    this.calls.push(method);
    if (this.failure?.method === method) return { status: this.failure.status, answer: { Err: this.failure.text } };
    const name = request.Name ?? '';
    const ok = (answer: unknown) => ({ status: 200, answer });
    const missing = { status: 200, answer: { Err: `no volume ${name}` } };
    switch (method) {
      case 'Plugin.Activate':
        return ok({ Implements: ['VolumeDriver'] });
      case 'VolumeDriver.Capabilities':
        return ok({ Capabilities: { Scope: 'global' } });
      case 'VolumeDriver.Create':
        mkdirSync(this.path(name), { recursive: true });
        this.options.set(name, request.Opts ?? {});
        return ok({ Err: '' });
      case 'VolumeDriver.Remove':
        rmSync(this.path(name), { recursive: true, force: true });
        return ok({ Err: '' });
      case 'VolumeDriver.Mount': {
        const users = this.mounted.get(name) ?? new Set();
        this.mounted.set(name, users.add(request.ID ?? ''));
        return ok({ Mountpoint: this.path(name), Err: '' });
      }
      case 'VolumeDriver.Unmount':
        this.mounted.get(name)?.delete(request.ID ?? '');
        return ok({ Err: '' });
      case 'VolumeDriver.Get':
        if (!existsSync(this.path(name))) return missing;
        return ok({ Volume: { Name: name, Mountpoint: this.path(name), Status: { color: 'green' } }, Err: '' });
      case 'VolumeDriver.Path':
        return ok({ Mountpoint: this.path(name) });
      case 'VolumeDriver.List':
        return ok({ Volumes: readdirSync(this.#data).map((Name) => ({ Name, Mountpoint: this.path(Name) })), Err: '' });
      default:
        return { status: 404, answer: 'no such method' };
    }
  }
}
