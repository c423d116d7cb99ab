import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineCommand, exactly } from '../../cli/command.ts';

/** `wharf man DIRECTORY`: the manual, a page for each command. */
export const man = defineCommand({
  usage: 'DIRECTORY',
  flags: {},
  args: exactly(1),
  complete: ['directory'],
  examples: ['wharf man /usr/local/share/man/man1'],
  async run({ args: [directory = '.'], out }) {
    const [{ manualPages }, { tree }, { wharfVersion }] = await Promise.all([
      import('../../cli/man/pages.ts'),
      import('../tree.ts'),
      import('../../version.ts'),
    ]);
    mkdirSync(directory, { recursive: true });
    const pages = await manualPages(tree, wharfVersion());
    for (const { file, text } of pages) writeFileSync(join(directory, file), text);
    out.line(`${pages.length} pages in ${directory}`);
  },
});
