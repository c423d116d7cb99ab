import { messageOf } from '@wharf/kit/errors';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { atLeast, type Command, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { imagePath } from '../../images/image-path.ts';

interface Removed {
  readonly Deleted?: string;
  readonly Untagged?: string;
}

/** `wharf image rm` and `wharf rmi`. */
export const rm: Command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  description: 'Remove one or more images',
  flags: {
    force: { kind: 'bool', short: 'f', help: 'Force removal of the image' },
    'no-prune': { kind: 'bool', help: 'Do not delete untagged parents' },
    platform: {
      kind: 'strings',
      help: 'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
  },
  args: atLeast(1),
  complete: ['image'],
  examples: ['wharf rmi app:old', 'wharf rmi -f $(wharf images -q --filter dangling=true)'],
  run: async (context) => {
    const { flags, out, err } = context;
    const query = {
      force: flags.force || undefined,
      noprune: flags['no-prune'] || undefined,
      platforms: flags.platform.length === 0 ? undefined : await platformsOf(flags.platform),
    };
    const daemon = await context.client();
    const errors: unknown[] = [];
    for (const image of context.args) {
      try {
        const removed = await daemon.json<readonly Removed[]>('DELETE', imagePath(image), { query });
        for (const { Deleted, Untagged = '' } of removed) {
          out.line(Deleted ? `Deleted: ${Deleted}` : `Untagged: ${Untagged}`);
        }
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 0) return;
    const text = errors.map(messageOf).join('\n');
    if (!flags.force || errors.some((error) => !isStatus(error, 404))) throw new ExitError(1, text);
    err.line(text);
  },
});

async function platformsOf(texts: readonly string[]): Promise<readonly string[]> {
  const { platformQuery } = await import('./platform.ts');
  return Promise.all(texts.map(async (text) => JSON.stringify(await platformQuery(text))));
}
