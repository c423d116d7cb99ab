import { atLeast, defineCommand } from '../../cli/command.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { inspectAll } from '../../term/inspect.ts';

const flags = {
  format: { kind: 'string', short: 'f', help: INSPECT_FORMAT_HELP },
  verbose: { kind: 'bool', short: 'v', help: 'Verbose output for diagnostics' },
} as const satisfies FlagTable;

/** `wharf network inspect`. */
export const networkInspect = defineCommand({
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  flags,
  args: atLeast(1),
  json: true,
  complete: ['network'],
  examples: ['wharf network inspect front', "wharf network inspect -f '{{range .Containers}}{{.Name}} {{end}}' front"],
  run: async (context) => {
    const query = { verbose: context.flags.verbose ? 'true' : undefined };
    const client = await context.client();
    return inspectAll(context, async (name) => ({
      raw: await client.text('GET', objectPath('network', name), { query }),
      type: 'network.Inspect',
    }));
  },
});
