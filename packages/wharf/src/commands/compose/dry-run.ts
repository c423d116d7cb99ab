import type { Project } from '@wharf/compose/model/project';
import type { Step } from '@wharf/compose/plan/steps';
import type { UpOptions } from '@wharf/compose/run/runner';
import type { ProgressView } from './progress/event.ts';
import { quietProgress } from './progress/plain.ts';
import type { ComposeSession } from './session.ts';

/** `up --dry-run`: the events that the steps would have; nothing is changed. */
export async function printDryRun(session: ComposeSession, project: Project, options: UpOptions): Promise<number> {
  const runner = await session.runner({ project, name: project.name, view: quietProgress() });
  const { steps, warnings } = await runner.plan(options);
  for (const warning of warnings) session.warn(warning);
  await session.withProgress('Running', async (view) => {
    for (const step of steps) show(step, view);
  });
  return 0;
}

function show(step: Step, view: ProgressView): void {
  const [id, working, done] = wordsOf(step);
  if (id === undefined) return;
  view.event({ id, status: 'working', statusText: working });
  view.event({ id, status: 'done', statusText: done });
}

type Words = readonly [id: string | undefined, working: string, done: string];

/** What docker compose would print of the step. */
function wordsOf(step: Step): Words {
  switch (step.kind) {
    case 'create-network':
      return [`Network ${step.network.name ?? step.key}`, 'Creating', 'Created'];
    case 'remove-network':
      return [`Network ${step.name}`, 'Removing', 'Removed'];
    case 'create-volume':
      return [`Volume ${step.volume.name ?? step.key}`, 'Creating', 'Created'];
    case 'remove-volume':
      return [`Volume ${step.name}`, 'Removing', 'Removed'];
    case 'create-container': {
      const id = `Container ${step.container.name}`;
      return step.replaces === undefined ? [id, 'Creating', 'Created'] : [id, 'Recreate', 'Recreated'];
    }
    case 'start-container':
      return [`Container ${step.container.name}`, 'Starting', 'Started'];
    case 'stop-container':
      return step.quiet ? [undefined, '', ''] : [`Container ${step.container.name}`, 'Stopping', 'Stopped'];
    case 'remove-container':
      return step.replaced === undefined
        ? [`Container ${step.container.name}`, 'Removing', 'Removed']
        : [undefined, '', ''];
    default:
      return [undefined, '', ''];
  }
}
