import { defineCommand, noArguments } from '../../cli/command.ts';

/** `wharf system dial-stdio`: a connection to the daemon on standard input and output, for `ssh://`. */
export const dialStdio = defineCommand({
  usage: '',
  description: 'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
  flags: {},
  args: noArguments,
  run: async (context) => {
    const daemon = await context.client();
    const stream = await daemon.dial();
    const { pipeline } = process.getBuiltinModule('node:stream/promises');
    const sending = pipeline(process.stdin, stream, { end: true });
    sending.catch(() => undefined);
    for await (const chunk of stream as AsyncIterable<Buffer>) context.out.write(chunk);
    // Standard input may never end.
    process.stdin.destroy();
  },
});
