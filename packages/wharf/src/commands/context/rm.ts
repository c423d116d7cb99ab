import { messageOf, WharfError } from '@wharf/kit/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { ConfigFile } from '../../client-config/config-file.ts';
import { currentName, storeOf } from './store-of.ts';

/** `wharf context rm`. */
export const rm = defineCommand({
  usage: 'CONTEXT [CONTEXT...]',
  flags: { force: { kind: 'bool', short: 'f', help: 'Force the removal of a context in use' } },
  args: atLeast(1),
  complete: ['context'],
  examples: ['wharf context rm far'],
  run: async (context) => {
    const store = storeOf(context);
    const current = currentName(context);
    const { force } = context.flags;
    const problems: string[] = [];
    const remove = (name: string): void => {
      if (name === 'default') throw new WharfError('invalid-argument', 'context "default" cannot be removed');
      if (name === current && !force) {
        throw new WharfError('conflict', `context "${name}" is in use, set -f flag to force remove`);
      }
      if (name === current) ConfigFile.read().change({ currentContext: undefined });
      if (!force && !store.has(name)) throw new WharfError('not-found', `context "${name}" does not exist`);
      store.remove(name);
    };
    for (const name of context.args) {
      try {
        remove(name);
        context.out.line(name);
      } catch (error) {
        problems.push(messageOf(error));
      }
    }
    if (problems.length > 0) throw new ExitError(1, problems.join('\n'));
  },
});
