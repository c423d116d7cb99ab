import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scripts/lib/delay.ts';
import { ROOT } from '../../scripts/lib/root.ts';
import { must } from '../../scripts/lib/run.ts';
import { freePort } from './free-port.ts';

export interface RegistryOptions {
  /** Settings as in the file of `--config`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Serve TLS, with a certificate made for the occasion. */
  readonly tls?: boolean;
  /** Where its content lies; a folder of its own when absent. */
  readonly root?: string;
  /** What starts it, as `nsenter -t 1 -n`. */
  readonly through?: readonly string[];
}

/** A `wharf registry serve` of a test's own, on a port of its own. */
export class TestRegistry implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'wharf-registry-'));
  readonly root: string;
  /** `localhost:PORT`, as images are called by. */
  readonly name: string;
  readonly url: string;
  /** The authority that signed its certificate, with `tls`. */
  readonly caFile = join(this.directory, 'ca.crt');
  readonly #port: number;
  readonly #through: readonly string[];
  readonly #configFile = join(this.directory, 'config.json');
  #child: ChildProcess | undefined;

  constructor(port: number, options: RegistryOptions) {
    this.#port = port;
    this.#through = options.through ?? [];
    this.root = options.root ?? join(this.directory, 'root');
    this.name = `localhost:${port}`;
    this.url = `${options.tls === true ? 'https' : 'http'}://localhost:${port}`;
    const tls = options.tls === true ? { tls: { cert: this.caFile, key: join(this.directory, 'key.pem') } } : {};
    writeFileSync(this.#configFile, JSON.stringify({ ...tls, ...options.settings }));
  }

  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const registry = new TestRegistry(await freePort(), options);
    try {
      if (options.tls === true) await registry.#makeCertificate();
      await registry.start();
    } catch (error) {
      await registry[Symbol.asyncDispose]();
      throw error;
    }
    return registry;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the registry does not run');
    return pid;
  }

  get log(): string {
    const path = join(this.directory, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Starts it (again) on the same root; resolves when it listens. */
  async start(through = this.#through): Promise<void> {
    const fd = openSync(join(this.directory, 'log'), 'a');
    const args = ['registry', 'serve', '--root', this.root, '--listen', `127.0.0.1:${this.#port}`];
    const said = this.log.length;
    const [path, ...rest] = [...through, join(ROOT, 'bin/wharf'), ...args, '--config', this.#configFile];
    const child = spawn(path, rest, { stdio: ['ignore', fd, fd], cwd: '/' });
    closeSync(fd);
    this.#child = child;
    const { connect } = process.getBuiltinModule('node:net');
    await until('the registry listens', () => {
      if (child.exitCode !== null) throw new Error(`the registry ended at once:\n${this.log.slice(-2000)}`);
      // It may be where nobody here reaches it.
      if (through.length > 0) return this.log.slice(said).includes('"ready"') || undefined;
      return new Promise<true | undefined>((resolve) => {
        const socket = connect(this.#port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(undefined));
        socket.on('connect', () => socket.destroy());
      });
    });
  }

  /** Ends it as a crash does. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async #makeCertificate(): Promise<void> {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', join(this.directory, 'key.pem'), '-out', this.caFile];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    await must(['openssl', 'req', '-x509', ...kind, ...subject, ...files]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
