import { noSuchService } from '@wharf/compose/load/select';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ComposeSession } from './session.ts';
import { TIMEOUT_FLAG, timeoutOf } from './timeout-flag.ts';

export const restart = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: { 'no-deps': { kind: 'bool', help: "Don't restart dependent services" }, ...TIMEOUT_FLAG },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose restart web  # and services that depend on it with `restart: true`'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName([]);
    for (const service of context.args) {
      if (project !== undefined && project.services[service] === undefined) throw noSuchService(service);
    }
    await session.withProgress('Restarting', async (view) => {
      const runner = await session.runner({ project, name, view });
      const { 'no-deps': noDeps } = context.flags;
      await runner.restart({ services: context.args, noDeps, ...timeoutOf(context.flags), signal: session.signal });
    });
  },
});
