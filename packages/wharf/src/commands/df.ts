import { defineCommand, noArguments } from '../cli/command.ts';
import { explainUsage, freeables } from '../disk-usage/explain.ts';
import { type DiskUsage, usageRows } from '../disk-usage/usage.ts';
import { styleOf } from '../term/style.ts';

/** `wharf df`: what takes the disk, in words and bars, and what of it can be freed. */
export const df = defineCommand({
  usage: '',
  description: 'Show what takes the disk, and what of it can be freed',
  flags: {},
  args: noArguments,
  json: true,
  examples: ['wharf df', 'wharf system df -v      # image by image, as docker shows it'],
  run: async (context) => {
    const usage = await (await context.client()).json<DiskUsage>('GET', '/system/df');
    if (context.json)
      context.out.line(JSON.stringify({ usage: usageRows(usage), freeable: freeables(usage) }, null, 2));
    else context.out.line(explainUsage(usage, styleOf(context.out)));
  },
});
