import { isKind, WharfError } from '@wharf/kit';
import type { ContainerInspectResponse } from '@wharf/wire/docker/types';
import type { ContainerRef, Wait, WaitCondition } from '../plan/steps.ts';
import { idOf, type RunContext } from './context.ts';
import { reporter } from './progress.ts';

type WaitContext = Pick<RunContext, 'watch' | 'progress' | 'warn' | 'created'>;

/**
 * Waits until the containers of a service are as its dependents want them. What does not come about is an error in compose's
 * words, or a warning where the dependency is not required.
 */
export async function waitFor(context: WaitContext, step: Wait, signal: AbortSignal): Promise<void> {
  await Promise.all(step.containers.map((container) => waitForOne(context, step, container, signal)));
}

async function waitForOne(
  context: WaitContext,
  step: Wait,
  container: ContainerRef,
  signal: AbortSignal,
): Promise<void> {
  const say = reporter(context.progress, `Container ${container.name}`);
  say.working('Waiting');
  if (step.met === true) return say.done('Healthy');
  try {
    await context.watch.until(
      idOf(context, container),
      (state) => decide(step.condition, step.dependency, state),
      signal,
    );
  } catch (error) {
    if (isKind(error, 'deadline-exceeded')) {
      say.error('Error');
      if (step.dependent !== '') throw new WharfError(error.kind, 'timeout waiting for dependencies', { cause: error });
    }
    if (signal.aborted || !(error instanceof NotAsWanted)) throw error;
    const { reason } = error;
    if (!step.required) {
      const optional = OPTIONAL[step.condition](step.dependency, reason);
      say.warning(`Skipped: ${optional.event}`);
      context.warn(optional.warning);
      return;
    }
    if (step.condition === 'completed') say.error(`service ${reason}`);
    else say.error('Error');
    throw new WharfError('failed-precondition', REQUIRED[step.condition](reason), {
      hint: `See what it says: wharf logs ${container.name}`,
    });
  }
  say.done(step.condition === 'completed' ? 'Exited' : 'Healthy');
}

class NotAsWanted extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

const REQUIRED: Readonly<Record<WaitCondition, (reason: string) => string>> = {
  healthy: (reason) => `dependency failed to start: ${reason}`,
  completed: (reason) => `service ${reason}`,
  'running-or-healthy': (reason) => reason,
};

const OPTIONAL: Readonly<
  Record<WaitCondition, (service: string, reason: string) => { readonly event: string; readonly warning: string }>
> = {
  healthy: (service, reason) => ({
    event: `optional dependency ${JSON.stringify(service)} failed to start`,
    warning: `optional dependency ${JSON.stringify(service)} failed to start: ${reason}`,
  }),
  completed: (_service, reason) => ({
    event: `optional dependency ${reason}`,
    warning: `optional dependency ${reason}`,
  }),
  'running-or-healthy': (service, reason) => ({
    event: `optional dependency ${JSON.stringify(service)} is not running or is unhealthy`,
    warning: `optional dependency ${JSON.stringify(service)} is not running or is unhealthy: ${reason}`,
  }),
};

/** True when the condition holds, `undefined` while it may come. Throws what it cannot come from. */
function decide(condition: WaitCondition, service: string, container: ContainerInspectResponse): true | undefined {
  const { State, Config } = container;
  const name = container.Name.slice(1);
  if (condition === 'completed') {
    if (State.Status !== 'exited') return undefined;
    if (State.ExitCode === 0) return true;
    throw new NotAsWanted(`${JSON.stringify(service)} didn't complete successfully: exit ${State.ExitCode}`);
  }
  if (State.Status === 'exited') throw new NotAsWanted(`container ${name} exited (${State.ExitCode})`);
  const hasCheck = Config.Healthcheck !== undefined && Config.Healthcheck !== null;
  if (condition === 'running-or-healthy' && !hasCheck) return State.Status === 'running' || undefined;
  return healthOf(container);
}

/** True when healthy, `undefined` while that is not known. */
function healthOf({ Name, State }: ContainerInspectResponse): true | undefined {
  const name = Name.slice(1);
  switch (State.Health?.Status) {
    case 'healthy':
      return true;
    case 'starting':
      return undefined;
    case 'unhealthy':
      throw new NotAsWanted(`container ${name} is unhealthy`);
    default:
      throw new NotAsWanted(`container ${name} has no healthcheck configured`);
  }
}

/** Healthy, or running where nobody checks. For containers that are to take another's place. */
export function isWell(container: ContainerInspectResponse): true | undefined {
  const { State, Name } = container;
  const name = Name.slice(1);
  if (State.Status === 'exited' || State.Status === 'dead') {
    throw new NotAsWanted(`container ${name} exited (${State.ExitCode})`);
  }
  if (State.Status === 'restarting') throw new NotAsWanted(`container ${name} is restarting (${State.ExitCode})`);
  const { Health } = State;
  if (Health === undefined || Health === null || Health.Status === 'none')
    return State.Status === 'running' || undefined;
  return healthOf(container);
}

/** The words of a state that is not as wanted; undefined for other errors. */
export function reasonOf(error: unknown): string | undefined {
  return error instanceof NotAsWanted ? error.reason : undefined;
}
