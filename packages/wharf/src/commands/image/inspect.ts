import { atLeast, defineCommand } from '../../cli/command.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { inspectAll } from '../../term/inspect.ts';
import { platformQuery } from './platform.ts';

const flags = {
  format: { kind: 'string', short: 'f', help: INSPECT_FORMAT_HELP },
  platform: {
    kind: 'string',
    help: "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
  },
} as const satisfies FlagTable;

/** `wharf image inspect`. */
export const imageInspect = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  flags,
  args: atLeast(1),
  json: true,
  complete: ['image'],
  examples: ['wharf image inspect web', "wharf image inspect -f '{{json .Config.Env}}' web"],
  run: async (context) => {
    const query = { platform: await platformQuery(context.flags.platform) };
    const client = await context.client();
    return inspectAll(context, async (name) => ({
      raw: await client.text('GET', objectPath('image', name, '/json'), { query }),
      type: 'image.InspectResponse',
    }));
  },
});
