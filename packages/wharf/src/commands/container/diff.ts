import { defineCommand, exactly } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { objectPath } from '../../cli/object-path.ts';

interface Change {
  readonly Kind: number;
  readonly Path: string;
}

const KINDS = ['C', 'A', 'D'] as const;

/** `wharf diff`: what a container has changed in its file system. */
export const diff = defineCommand({
  usage: 'CONTAINER',
  flags: {},
  args: exactly(1),
  json: true,
  complete: ['container'],
  examples: ['wharf diff web      # A: added, C: changed, D: deleted'],
  run: async (context) => {
    const [name = ''] = context.args;
    if (name === '') throw new ExitError(1, 'Container name cannot be empty');
    const client = await context.client();
    const changes = await client.json<readonly Change[] | null>('GET', objectPath('container', name, '/changes'));
    const rows = (changes ?? []).map(({ Kind, Path }) => ({ Type: KINDS[Kind] ?? '', Path }));
    if (context.json) context.out.line(JSON.stringify(rows, null, 2));
    else context.out.write(rows.map(({ Type, Path }) => `${Type} ${Path}\n`).join(''));
  },
});
