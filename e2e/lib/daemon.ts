import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scripts/lib/delay.ts';
import { findCommand } from '../../scripts/lib/requirements.ts';
import { ROOT } from '../../scripts/lib/root.ts';
import { type RunOptions, type RunResult, run } from '../../scripts/lib/run.ts';
import { tracesOf } from './audit.ts';
import { docker } from './docker.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 30_000;

let numberOfDaemons = 0;

export interface DaemonOptions {
  /** Further arguments of wharfd. */
  readonly arguments?: readonly string[];
  /** What the daemon's command is put behind, as `nsenter …`; it has to become the daemon by exec. */
  readonly within?: readonly string[];
}

/**
 * A wharfd of a test's own: own roots, socket, bridge and subnet in a temporary directory, beside any other daemon.
 *
 * Use it with `await using`, or call `dispose()` in `after()`: containers are removed, the daemon is stopped, and what bears its
 * directory's name afterwards (processes, mounts, control groups) is an error.
 */
export class TestDaemon implements AsyncDisposable {
  readonly directory: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly host: string;
  readonly bridge: string;
  readonly #arguments: readonly string[];
  readonly #within: readonly string[];
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    numberOfDaemons += 1;
    const number = (process.pid * 7 + numberOfDaemons) % 4096;
    this.directory = mkdtempSync(join(tmpdir(), 'wharf-e2e-'));
    this.dataRoot = join(this.directory, 'data');
    this.execRoot = join(this.directory, 'exec');
    this.host = `unix://${join(this.directory, 'wharf.sock')}`;
    this.bridge = `we${number.toString(36)}${(Date.now() % 46_656).toString(36)}`;
    this.#within = options.within ?? [];
    this.#arguments = [
      ...['--data-root', this.dataRoot, '--exec-root', this.execRoot, '--host', this.host],
      ...['--bridge', this.bridge, '--bip', `10.${160 + (number >> 8)}.${number & 255}.1/24`],
      ...['--config-file', '/dev/null', '--log-level', 'debug', '--log-format', 'text'],
      ...(options.arguments ?? []),
    ];
  }

  /** Starts a daemon and waits until it answers. */
  static async start(options: DaemonOptions = {}): Promise<TestDaemon> {
    const daemon = new TestDaemon(options);
    try {
      await daemon.start();
    } catch (error) {
      await daemon.dispose().catch(() => {});
      throw error;
    }
    return daemon;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the daemon does not run');
    return pid;
  }

  get socketPath(): string {
    return this.host.slice('unix://'.length);
  }

  /** Everything the daemon has logged, over all its starts. */
  get log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : '';
  }

  get #logPath(): string {
    return join(this.directory, 'wharfd.log');
  }

  /** Starts it (again) on the same roots. */
  async start(): Promise<void> {
    const fd = openSync(this.#logPath, 'a');
    const [program = '', ...args] = [...this.#within, join(ROOT, 'bin/wharfd'), ...this.#arguments];
    const child = spawn(program, args, { stdio: ['ignore', fd, fd], cwd: '/' });
    closeSync(fd);
    this.#child = child;
    await until(
      'the daemon answers',
      async () => {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`wharfd ended at once:\n${this.log.slice(-4000)}`);
        return (await this.#ping()) ? true : undefined;
      },
      { timeoutMs: START_TIMEOUT_MS },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.log.slice(-4000)}`);
    });
  }

  async #ping(): Promise<boolean> {
    const { request } = process.getBuiltinModule('node:http');
    return new Promise((resolve) => {
      const asked = request({ socketPath: this.socketPath, path: '/_ping', timeout: 2000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.once('timeout', () => asked.destroy());
      asked.once('error', () => resolve(false));
      asked.end();
    });
  }

  /** Asks it to stop (SIGTERM) and waits; returns its exit status. Containers run on. */
  async stop(): Promise<number> {
    return this.#end('SIGTERM');
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<number> {
    const child = this.#child;
    if (child === undefined) return 0;
    this.#child = undefined;
    if (child.exitCode !== null) return child.exitCode;
    const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  /** Kills it and starts it again on the same roots. */
  async crash(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Runs the docker CLI against it. */
  docker(args: readonly string[], options?: RunOptions): Promise<RunResult> {
    return docker(this.host, args, options);
  }

  /** The same for a command that must succeed; returns stdout without the last newline. */
  async ok(...args: readonly string[]): Promise<string> {
    const result = await this.docker(args);
    if (result.code !== 0) {
      throw new Error(
        `docker ${args.join(' ')} ended with status ${result.code}:\n${result.output}\n── wharfd ──\n${this.log.slice(-3000)}`,
      );
    }
    return result.stdout.replace(/\n$/, '');
  }

  /** Removes every container with its anonymous volumes. */
  async removeContainers(): Promise<void> {
    const ids = (await this.ok('ps', '-aq', '--no-trunc')).split('\n').filter((id) => id !== '');
    if (ids.length > 0) await this.ok('rm', '-fv', ...ids);
  }

  /** Removes all it made and stops it; throws when something of it is still on the machine afterwards. */
  async dispose(): Promise<void> {
    let problem: unknown;
    if (this.#child !== undefined) {
      await this.removeContainers().catch((error: unknown) => {
        problem = error;
      });
      await this.stop();
    }
    const left = await this.#waitUntilClean();
    await this.#sweep(left);
    if (problem !== undefined) throw problem;
    if (left.length > 0) throw new Error(`the daemon left behind:\n${left.join('\n')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** conmon and the kernel need a moment after the last container. */
  async #waitUntilClean(): Promise<readonly string[]> {
    let left: readonly string[] = [];
    await until(
      'nothing is left',
      async () => {
        left = (await tracesOf(this.directory)).filter((line) => !line.includes('/wharfd.ts'));
        return left.length === 0 ? true : undefined;
      },
      { timeoutMs: 3000, everyMs: 50 },
    ).catch(() => {});
    return left;
  }

  /** Takes away by force what a failed test left, and the bridge, which outlives daemons by design. */
  async #sweep(left: readonly string[]): Promise<void> {
    for (const line of left) {
      const pid = /^process: (\d+) /.exec(line)?.[1];
      if (pid !== undefined) await run(['kill', '-9', pid]);
    }
    const mounts = left.flatMap((line) => /^mount: (.*)$/.exec(line)?.[1] ?? []);
    for (const path of mounts.toReversed()) await run(['umount', '-l', path]);
    const ip = findCommand('ip');
    if (ip !== undefined && existsSync(`/sys/class/net/${this.bridge}`)) await run([ip, 'link', 'delete', this.bridge]);
    const nft = findCommand('nft');
    // By name, and mostly there is none: to list them, nft reads every rule there is, and anew when one changes.
    if (nft !== undefined) await run([nft, 'delete', 'table', 'inet', `wharf_${this.bridge}`], { timeoutMs: 30_000 });
    rmSync(this.directory, { recursive: true, force: true });
  }
}
