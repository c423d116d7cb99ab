import { type Child, spawnAside } from '@wharf/linux/spawn';
import type { StepExec, StepProcess } from '@wharf/oci/steps/step';
import { openStdio, stepProcess } from './stdio.ts';

const KILLED = 137;

/** A call of the runtime that lasts as long as what it runs, and ends with its exit code. */
export interface RuntimeCall {
  readonly path: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Ends what runs. */
  readonly kill: (child: Child) => void;
  readonly exec: StepProcess['exec'];
}

/** Runs a command through the runtime and joins its streams to who talks to it. An abort kills it. */
export async function runWithStdio(
  command: Pick<StepExec, 'output' | 'console' | 'signal'>,
  { path, argv, cwd, kill, exec }: RuntimeCall,
): Promise<{ readonly exitCode: number }> {
  command.signal.throwIfAborted();
  const stdio = openStdio(command);
  const child = await spawnAside({ path, argv, cwd, fds: stdio.fds, setsid: true }).finally(() => stdio.handedOver());
  const end = (): void => kill(child);
  command.signal.addEventListener('abort', end, { once: true });
  try {
    let isRunning = true;
    const exited = child.exited.finally(() => {
      isRunning = false;
    });
    const process = stepProcess(stdio, { runtimePid: child.pid, isRunning: () => isRunning, kill: end, exec });
    command.console?.started(process);
    const { code, signal } = await exited;
    await stdio.ended();
    return { exitCode: code ?? (signal === null ? 1 : KILLED) };
  } finally {
    command.signal.removeEventListener('abort', end);
  }
}
