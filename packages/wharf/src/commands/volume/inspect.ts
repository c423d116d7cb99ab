import { atLeast, defineCommand } from '../../cli/command.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { inspectAll } from '../../term/inspect.ts';

const flags = {
  format: { kind: 'string', short: 'f', help: INSPECT_FORMAT_HELP },
} as const satisfies FlagTable;

/** `wharf volume inspect`. */
export const volumeInspect = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  flags,
  args: atLeast(1),
  json: true,
  complete: ['volume'],
  examples: ['wharf volume inspect data', "wharf volume inspect -f '{{.Mountpoint}}' data"],
  run: async (context) => {
    const client = await context.client();
    return inspectAll(context, async (name) => ({
      raw: await client.text('GET', objectPath('volume', name)),
      ...({ type: 'volume.Volume', rewritten: true } as const),
    }));
  },
});
