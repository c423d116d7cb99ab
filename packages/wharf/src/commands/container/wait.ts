import { atLeast, defineCommand } from '../../cli/command.ts';
import { Failures } from '../../containers/many.ts';
import { containerPath } from '../../containers/path.ts';

export const wait = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  flags: {},
  args: atLeast(1),
  complete: ['container'],
  examples: ['wharf wait job      # prints its exit code when it is over'],
  run: async (context) => {
    const daemon = await context.client();
    const failures = new Failures();
    for (const name of context.args) {
      try {
        const { StatusCode } = await daemon.json<{ readonly StatusCode: number }>('POST', containerPath(name, '/wait'));
        context.out.line(String(StatusCode));
      } catch (error) {
        failures.add(error);
      }
    }
    failures.throwIfAny();
  },
});
