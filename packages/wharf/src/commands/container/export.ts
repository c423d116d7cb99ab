import { messageOf, WharfError } from '@wharf/kit/errors';
import { defineCommand, exactly } from '../../cli/command.ts';
import { containerPath } from '../../containers/path.ts';
import { descriptorSink } from '../../containers/streams/sink.ts';
import { writeWhole } from '../../images/write-whole.ts';

export const exportContainer = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  flags: { output: { kind: 'string', short: 'o', complete: 'file', help: 'Write to a file, instead of STDOUT' } },
  args: exactly(1),
  complete: ['container'],
  examples: ['wharf export -o web.tar web', 'wharf export web | tar -t'],
  run: async (context) => {
    const { flags, args, out, signal } = context;
    const path = containerPath(args[0] ?? '', '/export');
    if (!flags.output) {
      if (out.isTerminal) {
        const what = 'cowardly refusing to save to a terminal. Use the -o flag or redirect';
        throw new WharfError('invalid-argument', what);
      }
      const write = descriptorSink(1);
      const { body } = await (await context.client()).stream('GET', path, { signal });
      for await (const chunk of body) await write(chunk);
      return;
    }
    const file = prepare(flags.output);
    const opened = await (await context.client()).stream('GET', path, { signal }).catch((error: unknown) => {
      file.forget();
      throw error;
    });
    await file.fill(opened.body);
  },
});

function prepare(path: string) {
  try {
    return writeWhole(path);
  } catch (cause) {
    throw new WharfError('invalid-argument', `failed to export container: ${messageOf(cause)}`, { cause });
  }
}
