import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../e2e/lib/free-port.ts';
import { fetchFromDebian } from '../../e2e/lib/sid.ts';
import { delay } from '../../scripts/lib/delay.ts';
import { ROOT } from '../../scripts/lib/root.ts';
import { must } from '../../scripts/lib/run.ts';
import type { Contestant } from './contestant.ts';

/** Kernel ticks of proc_pid_stat(5) a second, on every machine we know. */
const TICKS = 100;

/** `wharf registry serve`, or beside it Debian's docker-registry 2.8, each with a folder and a port of its own. */
export class BenchRegistry implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly url: string;
  readonly #command: readonly [string, ...string[]];
  #child: ChildProcess | undefined;

  constructor(directory: string, port: number, command: readonly [string, ...string[]]) {
    this.directory = directory;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#command = command;
  }

  static async open(name: Contestant['name']): Promise<BenchRegistry> {
    const directory = mkdtempSync(join(tmpdir(), `wharf-bench-registry-${name}-`));
    const port = await freePort();
    const command = name === 'wharf' ? wharfCommand(directory, port) : await peerCommand(directory, port);
    return new BenchRegistry(directory, port, command);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it; returns the milliseconds to its first answer. */
  async start(): Promise<number> {
    const start = performance.now();
    const [program, ...args] = this.#command;
    const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' } });
    this.#child = child;
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`${program} ended with status ${child.exitCode}`);
      await delay(1);
    }
    return performance.now() - start;
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.on('connect', () => socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'));
      socket.on('error', () => resolve(false));
      socket.on('data', () => {
        socket.destroy();
        resolve(true);
      });
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  /** CPU time of the process so far. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
  }

  /** The most memory it has had (VmHWM, proc_pid_status(5)). */
  peakBytes(): number {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) * 1024;
  }

  /** Uploads a file as clients do, by POST and one PUT. */
  async upload(repository: string, file: BenchFile): Promise<void> {
    const answer = await fetch(`${this.url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const place = new URL(answer.headers.get('location') ?? '', this.url);
    place.searchParams.set('digest', file.digest);
    const type = ['-H', 'Content-Type: application/octet-stream'];
    const show = ['-s', '-S', '-o', '/dev/null', '-w', '%{http_code}'];
    const status = await must(['curl', ...show, ...type, '-X', 'PUT', '-T', file.path, place.href], {
      timeoutMs: 300_000,
    });
    if (status !== '201') throw new Error(`an upload to ${this.url} answered ${status}`);
  }

  async download(repository: string, file: BenchFile): Promise<void> {
    const url = `${this.url}/v2/${repository}/blobs/${file.digest}`;
    await must(['curl', '-s', '-S', '-f', '-o', '/dev/null', url], { timeoutMs: 300_000 });
  }

  /** Pushes an image of small layers; the digests of its blobs, the configuration first. */
  async pushImage(
    repository: string,
    tag: string,
    layers: number,
    layerBytes = 1000,
  ): Promise<{ readonly json: string; readonly digest: string; readonly blobs: readonly string[] }> {
    const blob = async (bytes: Buffer, mediaType: string) => {
      const path = join(this.directory, 'blob');
      writeFileSync(path, bytes);
      await this.upload(repository, { path, digest: sha256(bytes), sizeBytes: bytes.length });
      return { mediaType, size: bytes.length, digest: sha256(bytes) };
    };
    const config = await blob(Buffer.from('{}'), 'application/vnd.docker.container.image.v1+json');
    const found = [];
    for (let layer = 0; layer < layers; layer += 1)
      found.push(await blob(randomBytes(layerBytes), 'application/vnd.docker.image.rootfs.diff.tar.gzip'));
    const json = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: found });
    await this.putManifest(repository, tag, json);
    return { json, digest: sha256(Buffer.from(json)), blobs: [config, ...found].map(({ digest }) => digest) };
  }

  async putManifest(repository: string, reference: string, json: string): Promise<void> {
    const url = `${this.url}/v2/${repository}/manifests/${reference}`;
    const answer = await fetch(url, { method: 'PUT', body: json, headers: { 'content-type': MANIFEST } });
    if (answer.status !== 201) throw new Error(`PUT ${url} answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

function wharfCommand(directory: string, port: number): readonly [string, ...string[]] {
  const args = ['--root', join(directory, 'root'), '--listen', `127.0.0.1:${port}`, '--log-level', 'warn'];
  return [join(ROOT, 'bin/wharf'), 'registry', 'serve', ...args];
}

async function peerCommand(directory: string, port: number): Promise<readonly [string, ...string[]]> {
  const program = join(await fetchFromDebian('docker-registry', ['docker-registry']), 'usr/bin/docker-registry');
  const config = join(directory, 'config.yml');
  const root = join(directory, 'root');
  mkdirSync(root);
  writeFileSync(
    config,
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${root}}, delete: {enabled: true}, cache: {blobdescriptor: inmemory}}
http: {addr: "127.0.0.1:${port}"}
`,
  );
  return [program, 'serve', config];
}

export interface BenchFile {
  readonly path: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A file of so many random mebibytes, made once for a run. */
export async function randomFile(folder: string, name: string, mebibytes: number): Promise<BenchFile> {
  const path = join(folder, name);
  if (!existsSync(path))
    await must(['dd', 'if=/dev/urandom', `of=${path}`, 'bs=1M', `count=${mebibytes}`], { timeoutMs: 120_000 });
  const text = await must(['openssl', 'dgst', '-sha256', '-r', path], { timeoutMs: 120_000 });
  return { path, digest: `sha256:${text.slice(0, 64)}`, sizeBytes: mebibytes * 1024 * 1024 };
}
