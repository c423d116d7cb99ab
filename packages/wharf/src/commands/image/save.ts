import { messageOf, WharfError } from '@wharf/kit/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { writeWhole } from '../../images/write-whole.ts';

/** `wharf save`: images as an archive. */
export const save = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  description: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  flags: {
    output: { kind: 'string', short: 'o', help: 'Write to a file, instead of STDOUT', complete: 'file' },
    platform: {
      kind: 'string',
      help: 'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
  },
  args: atLeast(1),
  complete: ['image'],
  examples: ['wharf save -o app.tar app:1.2', 'wharf save app:1.2 | ssh other wharf load'],
  run: async (context) => {
    const { flags, out, signal, args } = context;
    const { platformQuery } = await import('./platform.ts');
    const platform = await platformQuery(flags.platform, 'invalid platform: ');
    if (!flags.output && out.isTerminal) {
      throw new WharfError('invalid-argument', 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const daemon = await context.client();
    const open = async () =>
      (await daemon.stream('GET', '/images/get', { query: { names: args, platform }, signal })).body;
    if (!flags.output) {
      for await (const chunk of await open()) out.write(chunk);
      return;
    }
    const file = prepare(flags.output);
    await file.fill(
      await open().catch((error: unknown) => {
        file.forget();
        throw error;
      }),
    );
  },
});

function prepare(path: string) {
  try {
    return writeWhole(path);
  } catch (cause) {
    throw new WharfError('invalid-argument', `failed to save image: ${messageOf(cause)}`, { cause });
  }
}
