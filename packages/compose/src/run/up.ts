import { isKind, WharfError } from '@wharf/kit';
import { hostFiles } from '../convert/host.ts';
import type { Project } from '../model/project.ts';
import { planImages } from '../plan/images.ts';
import type { Observed } from '../plan/observed.ts';
import type { Plan } from '../plan/steps.ts';
import { checkProject, planUp } from '../plan/up.ts';
import { divergedVolumes } from '../plan/volumes.ts';
import type { RunContext } from './context.ts';
import { execute } from './execute.ts';
import { ensureImages } from './images-phase.ts';
import { PARALLEL_STEPS } from './limits.ts';
import { observe, observeContainers } from './observe.ts';
import type { RunnerOptions, StartedContainer, UpOptions } from './runner.ts';
import { StateWatch } from './state-watch.ts';
import { isWaiting, runStep } from './steps.ts';

/** Observes, gets images, plans and executes. */
export async function up(
  options: RunnerOptions,
  project: Project,
  wanted: UpOptions & { readonly start: boolean },
): Promise<void> {
  const { signal } = wanted;
  checkProject(project);
  const before = await observe({ ...options, signal }, project);
  const images = await ensureImages(options, project, before, wanted);
  const observed = { ...before, images };
  const renewVolumes = await agreedVolumes(options, project, observed, wanted.assumeYes === true);
  const plan = planUp({ ...wanted, project, observed, renewVolumes });
  await withWaitTimeout(wanted, async (limited) => {
    try {
      await executePlan(options, { plan, project, observed, beforeStart: wanted.beforeStart, signal: limited });
    } catch (error) {
      if (signal?.aborted === true || !(await revive(options, plan, project, wanted))) throw error;
      return;
    }
    await revive(options, plan, project, wanted);
  });
}

/** How a container ends that is stopped. */
const STOPPED = [137, 143];

/**
 * Goes on with containers that ran when the plan was made and were stopped since: by what a client asked for that was cut off a moment
 * ago. False when there are none.
 */
async function revive(
  options: RunnerOptions,
  plan: Plan,
  project: Project,
  wanted: UpOptions & { readonly start: boolean },
): Promise<boolean> {
  if (!wanted.start || plan.unchanged.length === 0) return false;
  const { signal } = wanted;
  const names = new Set(plan.unchanged.map(({ id }) => id));
  const now = await observeContainers({ ...options, signal });
  if (!now.some(({ id, exitCode = 0 }) => names.has(id) && STOPPED.includes(exitCode))) return false;
  const observed = await observe({ ...options, signal }, project);
  const { recreate: _forced, ...rest } = wanted;
  const again = planUp({ ...rest, project, observed });
  const quiet = { ...again, warnings: [], unchanged: [] };
  await executePlan(options, { plan: quiet, project, observed, beforeStart: wanted.beforeStart, signal });
  return true;
}

/** What `up` would do; images to be pulled or built are taken as not known. */
export async function planOnly(options: RunnerOptions, project: Project, wanted: UpOptions): Promise<Plan> {
  checkProject(project);
  const observed = await observe({ ...options, signal: wanted.signal }, project);
  const images = planImages(project, observed.images, { pull: wanted.pull, build: wanted.build, nowMs: Date.now() });
  const pendingImages = [...images.pull, ...images.build].map(({ image }) => image);
  const plan = planUp({ ...wanted, project, observed, pendingImages, start: true });
  const diverged = divergedVolumes(project, observed).map(
    ({ name }) =>
      `Volume ${JSON.stringify(name)} exists but doesn't match configuration in compose file: "up" asks whether to make it anew`,
  );
  return { ...plan, images, warnings: [...plan.warnings, ...diverged] };
}

async function agreedVolumes(
  { confirm }: RunnerOptions,
  project: Project,
  observed: Observed,
  assumeYes: boolean,
): Promise<readonly string[]> {
  const agreed: string[] = [];
  for (const { key, name } of divergedVolumes(project, observed)) {
    const question = `Volume ${JSON.stringify(name)} exists but doesn't match configuration in compose file. Recreate (data will be lost)?`;
    if (assumeYes || (await confirm?.(question)) === true) agreed.push(key);
  }
  return agreed;
}

async function withWaitTimeout(
  { wait, waitTimeout = 0, signal }: UpOptions,
  work: (signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  if (wait !== true || waitTimeout === 0) return work(signal);
  const over = new AbortController();
  const late = new WharfError('deadline-exceeded', `application not healthy after ${waitTimeout}s`);
  const timer = setTimeout(() => over.abort(late), waitTimeout * 1000);
  try {
    await work(signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]));
  } catch (error) {
    throw over.signal.aborted && !isKind(error, 'deadline-exceeded') ? late : error;
  } finally {
    clearTimeout(timer);
  }
}

export interface Execution {
  readonly plan: Plan;
  readonly project: Project;
  readonly observed: Observed;
  readonly beforeStart?: ((container: StartedContainer) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Executes a plan; its warnings and what stays as it is are told first. */
export async function executePlan(options: RunnerOptions, execution: Execution): Promise<void> {
  const { plan, project, observed, beforeStart, signal } = execution;
  const { client, projectName, progress = () => {}, warn = () => {} } = options;
  for (const message of plan.warnings) warn(message);
  for (const { name } of plan.unchanged) progress({ id: `Container ${name}`, status: 'done', text: 'Running' });
  if (plan.steps.length === 0) return;
  const { Semaphore } = await import('@wharf/kit/semaphore');
  const places = new Semaphore(
    options.parallel !== undefined && options.parallel > 0 ? options.parallel : PARALLEL_STEPS,
  );
  const watch = new StateWatch(client, projectName);
  const context: RunContext = {
    client,
    project,
    observed,
    options,
    progress,
    warn,
    host: hostFiles,
    watch,
    beforeStart,
    created: new Map(),
    abandoned: new Set(),
    replaced: new Map(),
  };
  try {
    await execute(plan.steps, {
      signal,
      run: (step, stop) =>
        isWaiting(step) ? runStep(context, step, stop) : places.run(() => runStep(context, step, signal ?? NEVER)),
    });
  } finally {
    watch.close();
  }
}

/** What changes something is not cut off when another step fails: only the caller can. */
const NEVER = new AbortController().signal;
