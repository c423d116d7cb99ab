import { isChange, type Plan } from '@wharf/compose/plan/steps';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { CREATE_FLAGS, checkCreate, createOptions } from './create-flags.ts';
import { quietProgress } from './progress/plain.ts';
import { ComposeSession } from './session.ts';

export const plan = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  description: 'Say what `up` would do, step by step, and why; nothing is changed',
  json: true,
  flags: { ...CREATE_FLAGS, 'no-deps': { kind: 'bool', help: 'Leave services alone that these depend on' } },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose plan', 'wharf compose plan --force-recreate web', 'wharf compose plan --json'],
  run: async (context) => {
    const { flags, args } = context;
    checkCreate(flags);
    const session = new ComposeSession(context);
    const project = await session.load({ services: args, select: flags['no-deps'] ? 'none' : 'dependencies' });
    const options = createOptions(flags, { isPullGiven: context.given('pull'), project });
    const runner = await session.runner({ project, name: project.name, view: quietProgress() });
    const removeOrphans = flags['remove-orphans'];
    const planned = await runner.plan({
      ...options,
      services: args,
      removeOrphans,
      signal: session.signal,
    });
    for (const warning of planned.warnings) session.warn(warning);
    if (context.json) return context.out.line(JSON.stringify(planned.steps, null, 2));
    context.out.write(planText(planned));
  },
});

/** Images to get, then the steps in an order in which they could be done, each with its reason. */
export function planText({ steps, images }: Pick<Plan, 'steps' | 'images'>): string {
  const lines = [
    ...images.pull.map(({ image, reason }) => ({ what: `pull image ${image}`, reason })),
    ...images.build.map(({ image, reason }) => ({ what: `build image ${image}`, reason })),
    ...steps.map(({ id, reason }) => ({ what: id, reason })),
  ];
  // What only waits for things to be as they are is nothing to tell.
  if (lines.length === steps.length && !steps.some(isChange)) return 'Nothing to do: everything is as the files say\n';
  const width = Math.max(...lines.map(({ what }) => what.length));
  return lines.map(({ what, reason }) => `${`${what}:`.padEnd(width + 1)} ${reason}\n`).join('');
}
