import { atLeast, defineCommand } from '../../cli/command.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { inspectAll } from '../../term/inspect.ts';

const flags = {
  format: { kind: 'string', short: 'f', help: INSPECT_FORMAT_HELP },
} as const satisfies FlagTable;

/** `wharf plugin inspect`. */
export const pluginInspect = defineCommand({
  usage: '[OPTIONS] PLUGIN [PLUGIN...]',
  flags,
  args: atLeast(1),
  json: true,
  complete: ['none'],
  run: async (context) => {
    const client = await context.client();
    return inspectAll(context, async (name) => ({
      raw: await client.text('GET', objectPath('plugin', name, '/json')),
      type: 'types.Plugin',
    }));
  },
});
