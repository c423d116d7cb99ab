import { atLeast, defineCommand } from '../../cli/command.ts';
import { Failures } from '../../containers/many.ts';
import { containerPath } from '../../containers/path.ts';
import { STOP_FLAGS, stopQuery } from './stop-flags.ts';

export const restart = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: STOP_FLAGS,
  args: atLeast(1),
  complete: ['container'],
  examples: ['wharf restart web', 'wharf restart -t 0 web      # without waiting for it to end by itself'],
  // One after the other: a service that others lean on is back before they are touched.
  run: async (context) => {
    const query = stopQuery(context.flags);
    const daemon = await context.client();
    const failures = new Failures();
    for (const name of context.args) {
      try {
        await daemon.text('POST', containerPath(name, '/restart'), { query });
        context.out.line(name);
      } catch (error) {
        failures.add(error);
      }
    }
    failures.throwIfAny();
  },
});
