import { readFileSync, readlinkSync } from 'node:fs';
import { processes } from '../../e2e/lib/audit.ts';
import { TestDaemon } from '../../e2e/lib/daemon.ts';
import { clientEnvironment, docker, dockerCli } from '../../e2e/lib/docker.ts';
import { PeerDaemon } from '../../e2e/lib/peers.ts';
import { type RunOptions, run } from '../../scripts/lib/run.ts';

/** One of the two daemons that are measured. */
export interface Contestant {
  readonly name: 'wharf' | 'docker';
  readonly version: string;
  readonly host: string;
  /** What a command is put behind to run in the daemon's network; nothing where that is ours. */
  readonly within: readonly string[];
  /** Ends the daemon as a crash does; its containers run on. */
  kill(): Promise<void>;
  /** Starts it again, and waits until it answers. */
  start(): Promise<void>;
  /** All memory of the daemon and its helpers (monitors, shims, proxies), without the containers' own processes. */
  pssBytes(): number;
  /** The same, with the pages of the programs' own files counted whole: that others run the same file (Node: this very bench) must not flatter. */
  pssAloneBytes(): number;
  /** Runs the docker CLI; throws unless it succeeds. */
  docker(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs a shell line in which `docker` is the CLI pointed at this daemon; throws unless it succeeds. */
  shell(line: string, timeoutMs?: number): Promise<string>;
}

export async function startWharf(): Promise<{ readonly contestant: Contestant; readonly daemon: TestDaemon }> {
  const daemon = await TestDaemon.start({ arguments: ['--log-level', 'warn'] });
  const version = await daemon.ok('version', '--format', '{{.Server.Version}}');
  return { contestant: contestant('wharf', { version, ...placeOf(daemon), within: [] }), daemon };
}

export async function startDocker(): Promise<{ readonly contestant: Contestant; readonly daemon: PeerDaemon }> {
  const daemon = await PeerDaemon.start();
  const version = await daemon.version;
  const within = ['nsenter', '-t', String(daemon.keeperPid), '-n'];
  return { contestant: contestant('docker', { version, ...placeOf(daemon), within }), daemon };
}

interface Place {
  readonly host: string;
  readonly directory: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

function placeOf(daemon: Place): Place {
  const { host, directory } = daemon;
  return { host, directory, kill: () => daemon.kill(), start: () => daemon.start() };
}

function contestant(
  name: Contestant['name'],
  given: Place & { readonly version: string; readonly within: readonly string[] },
): Contestant {
  const { version, host, directory, within, kill, start } = given;
  const succeed = (
    what: string,
    result: { readonly code: number; readonly output: string; readonly stdout: string },
  ) => {
    if (result.code !== 0)
      throw new Error(`${name}: ${what} ended with status ${result.code}: ${result.output.slice(-1000)}`);
    return result.stdout;
  };
  return {
    name,
    version,
    host,
    within,
    kill,
    start,
    pssBytes: () =>
      processes()
        .filter(({ command }) => command.includes(directory))
        .reduce((sum, { pid }) => sum + pssOf(pid), 0),
    pssAloneBytes: () =>
      processes()
        .filter(({ command }) => command.includes(directory))
        .reduce((sum, { pid }) => sum + pssAloneOf(pid), 0),
    docker: async (args, options) =>
      succeed(`docker ${args.join(' ')}`, await docker(host, args, { timeoutMs: 300_000, ...options })),
    shell: async (line, timeoutMs = 300_000) => {
      const cli = await dockerCli();
      const folder = cli.slice(0, cli.lastIndexOf('/'));
      const env = { ...clientEnvironment(host), PATH: `${folder}:${process.env['PATH'] ?? ''}` };
      return succeed(line, await run(['sh', '-c', line], { env, timeoutMs }));
    },
  };
}

/** Proportional set size (proc_pid_smaps(5)); 0 for a process that is gone. */
function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The same, but the mappings of the process's own program by their resident pages. */
function pssAloneOf(pid: number): number {
  try {
    const program = readlinkSync(`/proc/${pid}/exe`);
    let own = false;
    let kilobytes = 0;
    for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
      const size = Number(/^(?:Pss|Rss):\s+(\d+) kB/.exec(line)?.[1] ?? Number.NaN);
      if (/^[0-9a-f]+-/.test(line)) own = line.endsWith(program);
      else if (!Number.isNaN(size) && line.startsWith(own ? 'Rss' : 'Pss')) kilobytes += size;
    }
    return kilobytes * 1024;
  } catch {
    return 0;
  }
}
