import { defineCommand, exactly } from '../../cli/command.ts';
import { unpackContext } from '../../contexts/archive.ts';
import { openFile } from '../../images/open-file.ts';
import { checkNew, storeOf } from './store-of.ts';

/** `wharf context import`. */
export const importContext = defineCommand({
  usage: 'CONTEXT FILE|-',
  description: 'Import a context from a tar or zip file',
  flags: {},
  args: exactly(2),
  complete: ['none', 'file'],
  examples: ['wharf context import far far.dockercontext'],
  run: async (context) => {
    const [name = '', file = ''] = context.args;
    const store = storeOf(context);
    checkNew(store, name);
    const source = file === '-' ? (process.stdin as AsyncIterable<Uint8Array>) : await openFile(file);
    await unpackContext(name, store, source);
    context.out.line(name);
    context.err.line(`Successfully imported context "${name}"`);
  },
});
