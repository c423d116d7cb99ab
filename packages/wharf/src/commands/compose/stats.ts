import { PROJECT, SERVICE } from '@wharf/compose/convert/labels';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { STATS_FLAGS, showStats } from '../container/stats.ts';
import { checkArguments } from './count.ts';
import { ComposeSession } from './session.ts';

export const stats = defineCommand({
  usage: '[OPTIONS] [SERVICE]',
  flags: STATS_FLAGS,
  args: anyArguments,
  json: true,
  complete: ['service'],
  examples: ['wharf compose stats          # live, until ctrl-C', 'wharf compose stats --no-stream web'],
  run: async (context) => {
    const { flags, args } = context;
    checkArguments(args, { most: 1 });
    const project = await new ComposeSession(context).projectName();
    const [service] = args;
    const labels = [`${PROJECT}=${project}`, ...(service === undefined ? [] : [`${SERVICE}=${service}`])];
    await showStats(context.as(STATS_FLAGS, flags, []), labels);
  },
});
