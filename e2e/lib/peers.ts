import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scripts/lib/delay.ts';
import { type RunOptions, type RunResult, run } from '../../scripts/lib/run.ts';
import { processes, tracesOf } from './audit.ts';
import { docker } from './docker.ts';
import { fetchFromDebian, fetchFromSid } from './sid.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;

/**
 * The program folders of dockerd from Debian sid (28.5), else from Debian 12 (20.10); unpacked under .cache, nothing is installed.
 * runc always comes from the machine's own release, since sid's wants a newer libc.
 */
async function fetchDockerd(): Promise<readonly string[]> {
  const runc = await fetchFromDebian('runc', ['runc']);
  let docker: string;
  try {
    docker = await fetchFromSid('docker-sid', [
      'docker.io',
      'docker-cli',
      'containerd',
      'docker-buildx',
      'docker-compose',
    ]);
  } catch (error) {
    console.warn(`Debian sid cannot be had, falling back to dockerd 20.10: ${String(error).split('\n')[0]}`);
    docker = await fetchFromDebian('docker-stable', ['docker.io', 'containerd']);
  }
  return [runc, docker].flatMap((root) => [join(root, 'usr/sbin'), join(root, 'usr/bin')]);
}

/**
 * A real dockerd as a peer: own roots and socket, and its own network and mount namespace, since a second dockerd in the host's
 * would take the first one's bridge away.
 */
export class PeerDaemon implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'wharf-peer-'));
  readonly host = `unix://${join(this.directory, 'docker.sock')}`;
  version: Promise<string>;
  readonly #path: readonly string[];
  /** Keeps the namespaces while no dockerd is there. */
  readonly #keeper: ChildProcess;
  #child: ChildProcess;

  constructor(path: readonly string[]) {
    this.#path = path;
    // The tmpfs keeps sockets with fixed names under /run/docker from being shared with a dockerd of the machine.
    const script = `mkdir -p /run/docker && mount -t tmpfs tmpfs /run/docker && ip link set lo up && touch ${this.#keeperFile} && exec sleep infinity`;
    this.#keeper = spawn('unshare', ['-m', '-n', 'sh', '-c', script], { stdio: 'ignore' });
    this.#child = this.#launch();
    this.version = this.#waitForVersion();
  }

  get #keeperFile(): string {
    return join(this.directory, 'namespaces-made');
  }

  #launch(): ChildProcess {
    const flags = [
      ...['--data-root', join(this.directory, 'data'), '--exec-root', join(this.directory, 'exec')],
      ...['--pidfile', join(this.directory, 'dockerd.pid'), '--host', this.host, '--config-file', '/dev/null'],
      ...['--exec-opt', 'native.cgroupdriver=cgroupfs', '--init-path', '/usr/bin/tini-static'],
      '--live-restore',
    ];
    const enter = `until test -e ${this.#keeperFile}; do sleep 0.01; done; exec nsenter -t ${this.keeperPid} -m -n dockerd "$@"`;
    const fd = openSync(join(this.directory, 'dockerd.log'), 'a');
    const child = spawn('sh', ['-c', enter, 'dockerd', ...flags], {
      stdio: ['ignore', fd, fd],
      env: { ...process.env, PATH: `${this.#path.join(':')}:/usr/sbin:/usr/bin:/sbin:/bin`, DOCKER_RAMDISK: undefined },
    });
    closeSync(fd);
    return child;
  }

  /** A process in dockerd's namespaces that outlives it. */
  get keeperPid(): number {
    return this.#keeper.pid ?? 0;
  }

  static async start(): Promise<PeerDaemon> {
    const peer = new PeerDaemon(await fetchDockerd());
    try {
      await peer.version;
    } catch (error) {
      await peer[Symbol.asyncDispose]().catch(() => {});
      throw error;
    }
    return peer;
  }

  /** dockerd and its containerd, for memory figures. */
  get pids(): readonly number[] {
    return processes()
      .filter(({ command }) => command.includes(this.directory))
      .map(({ pid }) => pid);
  }

  docker(args: readonly string[], options?: RunOptions): Promise<RunResult> {
    return docker(this.host, args, options);
  }

  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.docker(args);
    if (result.code !== 0)
      throw new Error(`docker ${args.join(' ')} ended with status ${result.code}:\n${result.output}`);
    return result.stdout.replace(/\n$/, '');
  }

  get socketPath(): string {
    return this.host.slice('unix://'.length);
  }

  readonly bridge = 'docker0';

  /** Starts it again after `kill`, in the same namespaces and on the same roots. */
  async start(): Promise<void> {
    this.#child = this.#launch();
    this.version = this.#waitForVersion();
    await this.version;
  }

  /** Ends it as a crash does; its containers run on. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  readonly crash = () => Promise.reject(new Error('only wharf is killed in tests'));

  dispose(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }

  #waitForVersion(): Promise<string> {
    return until(
      'the peer dockerd answers',
      async () => {
        if (this.#child.exitCode !== null) throw new Error(`dockerd ended:\n${this.#logTail()}`);
        if (!existsSync(this.socketPath)) return undefined;
        const result = await this.docker(['version', '--format', '{{.Server.Version}}']);
        return result.code === 0 ? result.stdout.trim() : undefined;
      },
      { timeoutMs: START_TIMEOUT_MS, everyMs: 100 },
    );
  }

  #logTail(): string {
    return readFileSync(join(this.directory, 'dockerd.log'), 'utf8').slice(-3000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ids = (await this.docker(['ps', '-aq'])).stdout.split('\n').filter((id) => id !== '');
      if (ids.length > 0) await this.docker(['rm', '-fv', ...ids], { timeoutMs: 300_000 });
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      this.#child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
    }
    this.#keeper.kill('SIGKILL');
    for (const line of await tracesOf(this.directory)) {
      const pid = /^process: (\d+) /.exec(line)?.[1];
      if (pid !== undefined) await run(['kill', '-9', pid]);
      const mount = /^mount: (.*)$/.exec(line)?.[1];
      if (mount !== undefined) await run(['umount', '-l', mount]);
    }
    rmSync(this.directory, { recursive: true, force: true });
    if (existsSync('/sys/fs/cgroup/cpu/docker')) await removeEmptyCgroups();
  }
}

/** dockerd leaves its parent group `docker` in every hierarchy. */
async function removeEmptyCgroups(): Promise<void> {
  const dirs = readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name, 'docker'));
  const present = dirs.filter((dir) => existsSync(dir));
  if (present.length > 0) await run(['rmdir', ...present]);
}
