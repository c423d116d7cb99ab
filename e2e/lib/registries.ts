import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scripts/lib/delay.ts';
import { findCommand } from '../../scripts/lib/requirements.ts';
import { ROOT } from '../../scripts/lib/root.ts';
import { freePort } from './free-port.ts';
import { fetchFromDebian } from './sid.ts';

/** A registry of a test's own on loopback, with an empty store. */
export interface RegistryUnderTest extends AsyncDisposable {
  readonly kind: 'docker-registry' | 'wharf';
  readonly port: number;
  /** As images are named: `localhost:PORT`. */
  readonly address: string;
  readonly directory: string;
}

export interface RegistryOptions {
  /** Sections of docker-registry's configuration besides storage and address. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** What the command is put behind, as `nsenter …`. */
  readonly within?: readonly string[];
}

/** Debian's docker-registry 2.8: the machine's own, else unpacked under .cache. */
async function dockerRegistry(): Promise<string> {
  return (
    findCommand('docker-registry') ??
    join(await fetchFromDebian('docker-registry', ['docker-registry']), 'usr/bin/docker-registry')
  );
}

export async function startDockerRegistry(options: RegistryOptions = {}): Promise<RegistryUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-registry-'));
  const port = await freePort();
  const { tls } = options;
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'store') }, delete: { enabled: true } },
    http: {
      addr: `127.0.0.1:${port}`,
      ...(tls === undefined
        ? {}
        : {
            tls: {
              certificate: tls.cert,
              key: tls.key,
              ...(tls.clientCa === undefined ? {} : { clientcas: [tls.clientCa] }),
            },
          }),
    },
    ...options.config,
  };
  // JSON is YAML.
  const path = join(directory, 'config.yml');
  writeFileSync(path, JSON.stringify(config));
  const command = [...(options.within ?? []), await dockerRegistry(), 'serve', path];
  return started('docker-registry', { directory, port, command, within: options.within });
}

/** wharf's own, by its command. */
export async function startWharfRegistry(options: Pick<RegistryOptions, 'within'> = {}): Promise<RegistryUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-registry-'));
  const port = await freePort();
  const command = [...(options.within ?? []), join(ROOT, 'bin/wharf'), 'registry', 'serve'];
  command.push('--listen', `127.0.0.1:${port}`, '--root', join(directory, 'store'));
  return started('wharf', { directory, port, command, within: options.within });
}

async function started(
  kind: RegistryUnderTest['kind'],
  given: {
    readonly directory: string;
    readonly port: number;
    readonly command: readonly string[];
    readonly within: readonly string[] | undefined;
  },
): Promise<RegistryUnderTest> {
  const { directory, port, command } = given;
  const logPath = join(directory, 'log');
  const fd = openSync(logPath, 'a');
  mkdirSync(join(directory, 'store'), { recursive: true });
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', fd, fd] });
  closeSync(fd);
  const dispose = async (): Promise<void> => {
    await ended(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await until(
      `${kind} listens`,
      async () => {
        if (child.exitCode !== null) throw new Error(`${kind} ended:\n${readFileSync(logPath, 'utf8').slice(-2000)}`);
        // Behind another network namespace nobody here can knock: its own tool tells.
        if (given.within !== undefined)
          return readFileSync(`/proc/${child.pid}/net/tcp`, 'utf8').includes(hexPort(port)) || undefined;
        return (await answers(port)) ? true : undefined;
      },
      { timeoutMs: 20_000 },
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return { kind, port, address: `localhost:${port}`, directory, [Symbol.asyncDispose]: dispose };
}

/** A listening port as /proc/net/tcp shows it (proc_pid_net(5)). */
function hexPort(port: number): string {
  return `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(timer);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A way to a registry that counts what comes back and can hold it up. */
export interface Tap extends AsyncDisposable {
  readonly address: string;
  /** Bytes of answers since the start or the last `reset`. */
  readonly bytes: number;
  /** Nothing passes beyond so many bytes until it is set anew. */
  limit: number;
  /** Connections that are open now. */
  readonly open: number;
  reset(limit?: number): void;
}

/** Opens a tap on a port of this machine. */
export async function tap(port: number): Promise<Tap> {
  const sockets = new Set<Socket>();
  const waiting = new Set<Socket>();
  let bytes = 0;
  let limit = Number.POSITIVE_INFINITY;
  const wake = (): void => {
    if (bytes < limit) for (const socket of waiting) socket.resume();
    if (bytes < limit) waiting.clear();
  };
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    sockets.add(client);
    client.pipe(target);
    target.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (!client.write(chunk)) {
        target.pause();
        client.once('drain', () => (bytes < limit ? target.resume() : waiting.add(target)));
      } else if (bytes >= limit) {
        target.pause();
        waiting.add(target);
      }
    });
    target.on('end', () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = server.address();
  return {
    address: `localhost:${typeof own === 'object' && own !== null ? own.port : 0}`,
    get bytes() {
      return bytes;
    },
    get open() {
      return sockets.size;
    },
    get limit() {
      return limit;
    },
    set limit(value: number) {
      limit = value;
      wake();
    },
    reset(next = Number.POSITIVE_INFINITY) {
      bytes = 0;
      limit = next;
      wake();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An HTTP proxy that leads every host to the same port of this machine, and remembers what it was asked. */
export async function proxyTo(
  port: number,
): Promise<AsyncDisposable & { readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const { createServer: createHttpServer } = process.getBuiltinModule('node:http');
  const server = createHttpServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const { pathname, search } = new URL(incoming.url ?? '', 'http://unknown');
    const { method, headers } = incoming;
    const onward = request({ port, host: '127.0.0.1', path: pathname + search, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, client: Socket) => {
    asked.push(`CONNECT ${incoming.url}`);
    const target = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'));
    sockets.add(target).add(client);
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = server.address();
  return {
    url: `http://127.0.0.1:${typeof own === 'object' && own !== null ? own.port : 0}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
