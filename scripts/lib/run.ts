import { spawn } from 'node:child_process';

export interface RunResult {
  /** Exit status; 128 + number for a signal, as a shell says it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams in the order they came. */
  readonly output: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Kills the whole process group after so long; the result has code 124 then. */
  readonly timeoutMs?: number;
  /** Shows the output as it comes, too. */
  readonly echo?: boolean;
}

/** Runs a program to its end and collects what it wrote. Rejects only when it cannot be started. */
export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const [path, ...args] = command;
    const child = spawn(path, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const all: Buffer[] = [];
    const collect = (list: Buffer[]) => (chunk: Buffer) => {
      list.push(chunk);
      all.push(chunk);
      if (options.echo) process.stdout.write(chunk);
    };
    child.stdout?.on('data', collect(out));
    child.stderr?.on('data', collect(err));
    let timedOut = false;
    const timer = setTimeout(
      () => {
        timedOut = true;
        if (child.pid !== undefined) killGroup(child.pid);
      },
      options.timeoutMs ?? 2 ** 31 - 1,
    );
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const status = timedOut ? 124 : (code ?? 128 + signalNumber(signal));
      resolve({ code: status, stdout: text(out), stderr: text(err), output: text(all) });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });
}

/** Runs a program that must succeed and returns what it wrote to stdout. */
export async function must(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const result = await run(command, options);
  if (result.code !== 0) throw new Error(`${command.join(' ')} ended with status ${result.code}:\n${result.output}`);
  return result.stdout;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this moment.
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGKILL: 9,
    SIGSEGV: 11,
    SIGPIPE: 13,
    SIGTERM: 15,
  };
  return signal === null ? 0 : (numbers[signal] ?? 0);
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString();
}
