import { WharfError } from '@wharf/kit/errors';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { openFile } from '../../images/open-file.ts';
import type { ProgressMessage } from '../../images/progress/message.ts';

/** `wharf load`: images from an archive. */
export const load = defineCommand({
  usage: '[OPTIONS]',
  description: 'Load an image from a tar archive or STDIN',
  flags: {
    input: { kind: 'string', short: 'i', help: 'Read from tar archive file, instead of STDIN', complete: 'file' },
    platform: {
      kind: 'string',
      help: 'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
    quiet: { kind: 'bool', short: 'q', help: 'Suppress the load output' },
  },
  args: noArguments,
  examples: ['wharf load -i app.tar', 'wharf load <app.tar'],
  run: async (context) => {
    const { flags, out, signal } = context;
    if (!flags.input && process.getBuiltinModule('node:tty').isatty(0)) {
      throw new WharfError('invalid-argument', 'requested load from stdin, but stdin is empty');
    }
    const body = flags.input ? await openFile(flags.input) : (process.stdin as AsyncIterable<Uint8Array>);
    const { platformQuery } = await import('./platform.ts');
    const platform = await platformQuery(flags.platform, 'invalid platform: ');
    const answer = await (await context.client()).stream('POST', '/images/load', {
      query: { quiet: flags.quiet || !out.isTerminal, platform },
      headers: { 'Content-Type': 'application/x-tar' },
      body,
      signal,
    });
    if (answer.headers['content-type'] !== 'application/json') {
      for await (const chunk of answer.body) out.write(chunk);
      return;
    }
    const [{ jsonLines }, { printDockerLines }] = await Promise.all([
      import('@wharf/wire/docker-client/json-lines'),
      import('../../images/progress/docker-lines.ts'),
    ]);
    await printDockerLines(jsonLines<ProgressMessage>(answer.body), out);
  },
});
