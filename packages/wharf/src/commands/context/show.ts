import { defineCommand, noArguments } from '../../cli/command.ts';
import { currentName } from './store-of.ts';

/** `wharf context show`. */
export const show = defineCommand({
  usage: '',
  flags: {},
  args: noArguments,
  examples: ['wharf context show'],
  run: async (context) => context.out.line(currentName(context)),
});
