import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scripts/lib/delay.ts';
import { must, type RunResult, run } from '../../scripts/lib/run.ts';

/**
 * Network and mounts of a test's own, as a second machine would have them: rules may be flushed, links deleted and /etc replaced
 * without anybody else noticing. A process that sleeps keeps them; `dispose` ends it.
 */
export class OwnHost implements AsyncDisposable {
  /** /etc of this host; a copy. */
  readonly etc: string;
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess, etc: string) {
    this.#holder = holder;
    this.etc = etc;
  }

  static async start(): Promise<OwnHost> {
    const etc = mkdtempSync(join(tmpdir(), 'wharf-own-etc-'));
    await must(['cp', '-a', '/etc/.', etc]);
    const holder = spawn('unshare', ['--net', '--mount', '--propagation', 'slave', 'sleep', 'infinity'], {
      stdio: 'ignore',
    });
    const host = new OwnHost(holder, etc);
    const home = readlinkSync('/proc/self/ns/net');
    await until('the namespaces are there', () => {
      const path = `/proc/${holder.pid}/ns/net`;
      return existsSync(path) && readlinkSync(path) !== home ? true : undefined;
    });
    await host.must('mount', '--bind', etc, '/etc');
    await host.must('ip', 'link', 'set', 'lo', 'up');
    return host;
  }

  /** What a command is put behind to run here. */
  get within(): readonly [string, ...string[]] {
    return ['nsenter', '-t', String(this.#holder.pid), '--net', '--mount', '--wd=/'];
  }

  run(...command: readonly string[]): Promise<RunResult> {
    return run([...this.within, ...command], { timeoutMs: 20_000 });
  }

  must(...command: readonly string[]): Promise<string> {
    return must([...this.within, ...command]);
  }

  /** Runs a program here until the host is disposed of. */
  spawn(...command: readonly string[]): ChildProcess {
    const [program, ...args] = this.within;
    const child = spawn(program, [...args, ...command], { stdio: 'ignore' });
    this.#children.push(child);
    return child;
  }

  readonly #children: ChildProcess[] = [];

  async dispose(): Promise<void> {
    for (const child of [...this.#children, this.#holder]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.etc, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
