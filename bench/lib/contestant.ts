import { readFileSync } from 'node:fs';
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
  /** All memory of the daemon and its helpers (monitors, shims, proxies), without the containers' own processes. */
  pssBytes(): number;
  /** Runs the docker CLI; throws unless it succeeds. */
  docker(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs a shell line in which `docker` is the CLI pointed at this daemon; throws unless it succeeds. */
  shell(line: string, timeoutMs?: number): Promise<string>;
}

export async function startWharf(): Promise<{ readonly contestant: Contestant; readonly daemon: TestDaemon }> {
  const daemon = await TestDaemon.start({ arguments: ['--log-level', 'warn'] });
  const version = await daemon.ok('version', '--format', '{{.Server.Version}}');
  return { contestant: contestant('wharf', version, daemon.host, daemon.directory), daemon };
}

export async function startDocker(): Promise<{ readonly contestant: Contestant; readonly daemon: PeerDaemon }> {
  const daemon = await PeerDaemon.start();
  return { contestant: contestant('docker', await daemon.version, daemon.host, daemon.directory), daemon };
}

function contestant(name: Contestant['name'], version: string, host: string, directory: string): Contestant {
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
    pssBytes: () =>
      processes()
        .filter(({ command }) => command.includes(directory))
        .reduce((sum, { pid }) => sum + pssOf(pid), 0),
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
