import { hasErrno, WharfError } from '@wharf/kit/errors';
import { between, defineCommand } from '../../cli/command.ts';
import { packContext } from '../../contexts/archive.ts';
import { checkContextName } from '../../contexts/context-store.ts';
import { storeOf } from './store-of.ts';

/** `wharf context export`. */
export const exportContext = defineCommand({
  usage: '[OPTIONS] CONTEXT [FILE|-]',
  description: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
  flags: {},
  args: between(1, 2),
  complete: ['context', 'file'],
  examples: ['wharf context export far', 'wharf context export far - | ssh other wharf context import far -'],
  run: async (context) => {
    const [name = '', file = `${name}.dockercontext`] = context.args;
    if (name !== 'default') checkContextName(name);
    const store = storeOf(context);
    const pack = () => packContext(store.get(name), store.tls(name));
    if (file === '-') {
      if (context.out.isTerminal) {
        throw new WharfError('invalid-argument', 'cowardly refusing to export to a terminal, specify a file path');
      }
      context.out.write(await pack());
      return;
    }
    writeNew(file, await pack());
    context.err.line(`Written file "${file}"`);
  },
});

function writeNew(path: string, content: Buffer): void {
  const { writeFileSync } = process.getBuiltinModule('node:fs');
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600, flush: true });
  } catch (cause) {
    if (!hasErrno(cause, 'EEXIST', 'ENOENT')) throw cause;
    const why = hasErrno(cause, 'EEXIST') ? 'file exists' : 'no such file or directory';
    throw new WharfError('already-exists', `open ${path}: ${why}`, { cause });
  }
}
