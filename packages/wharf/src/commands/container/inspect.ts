import { atLeast, defineCommand } from '../../cli/command.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { inspectAll } from '../../term/inspect.ts';

const flags = {
  format: { kind: 'string', short: 'f', help: INSPECT_FORMAT_HELP },
  size: { kind: 'bool', short: 's', help: 'Display total file sizes' },
} as const satisfies FlagTable;

/** `wharf container inspect`. */
export const containerInspect = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags,
  args: atLeast(1),
  json: true,
  complete: ['container'],
  examples: [
    'wharf container inspect web',
    "wharf container inspect -f '{{.State.Health.Status}}' web",
    "wharf container inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web",
  ],
  run: async (context) => {
    const query = { size: context.flags.size || undefined };
    const client = await context.client();
    return inspectAll(context, async (name) => ({
      raw: await client.text('GET', objectPath('container', name, '/json'), { query }),
      type: 'container.InspectResponse',
    }));
  },
});
