import { anyArguments, defineCommand } from '../../cli/command.ts';
import { complete } from '../../cli/completion/complete.ts';

/** `wharf __complete WORDS…`: a line for each thing the shell may offer for the last word, `:file` and `:directory` for its own. */
export const completeLine = defineCommand({
  usage: '[WORD...]',
  flags: {},
  args: anyArguments,
  raw: true,
  async run({ args, out }) {
    const [{ tree }, { daemonNames }] = await Promise.all([
      import('../tree.ts'),
      import('../../cli/completion/daemon-names.ts'),
    ]);
    const { candidates, files } = await complete(tree, args, daemonNames);
    const lines = candidates.map(({ value, help }) => (help === undefined ? value : `${value}\t${oneLine(help)}`));
    if (files !== undefined) lines.push(`:${files}`);
    if (lines.length > 0) out.write(`${lines.join('\n')}\n`);
  },
});

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
