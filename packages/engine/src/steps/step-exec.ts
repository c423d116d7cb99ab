import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { SIGNALS } from '@wharf/linux/signals';
import type { StepOrder, StepProcess } from '@wharf/oci/steps/step';
import type { ContainerRecord } from '../containers/container.ts';
import { userIn } from '../containers/user-lookup.ts';
import type { EngineConfig } from '../engine-config.ts';
import type { HostLimits } from '../runtime/oci-spec/build.ts';
import { buildExecProcess } from '../runtime/oci-spec/build.ts';
import type { OciRuntime } from '../runtime/runtime.ts';
import { runWithStdio } from './run-with-stdio.ts';
import { childrenOf } from './stdio.ts';

/** Runs commands beside a step that runs. */
export function execIn(own: {
  readonly runtime: OciRuntime;
  readonly step: StepOrder;
  readonly record: ContainerRecord;
  readonly host: HostLimits;
  readonly defaultUlimits: EngineConfig['defaultUlimits'];
}): StepProcess['exec'] {
  const { runtime, step, record, host, defaultUlimits } = own;
  const bundle = dirname(step.rootfs);
  const exec: StepProcess['exec'] = async (command) => {
    const terminal = command.console?.tty === true;
    const hasTerm = command.env.some((each) => each.startsWith('TERM='));
    const process = buildExecProcess({
      ...{ host, record, defaultUlimits, terminal, privileged: step.privileged, consoleSize: undefined },
      user: userIn(step.rootfs, command.user),
      command: command.args,
      environment: terminal && !hasTerm ? [...command.env, 'TERM=xterm'] : command.env,
      workingDirectory: command.cwd,
    });
    const path = join(bundle, `exec-${randomBytes(8).toString('hex')}.json`);
    writeFileSync(path, JSON.stringify(process), { mode: 0o600 });
    try {
      return await runWithStdio(command, {
        path: runtime.executable,
        argv: [runtime.path, ...runtime.globalArguments, 'exec', '--process', path, step.id],
        cwd: bundle,
        exec,
        // The runtime waits for what it runs, and ends with it.
        kill: ({ pid }) => {
          for (const child of childrenOf(pid)) killIfThere(Number(child));
        },
      });
    } finally {
      rmSync(path, { force: true });
    }
  };
  return exec;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, SIGNALS.SIGKILL);
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}
