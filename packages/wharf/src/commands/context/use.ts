import { defineCommand, exactly } from '../../cli/command.ts';
import { ConfigFile } from '../../client-config/config-file.ts';
import { checkContextName } from '../../contexts/context-store.ts';
import { overridingVariable, storeOf } from './store-of.ts';

/** `wharf context use`. */
export const use = defineCommand({
  usage: 'CONTEXT',
  flags: {},
  args: { ...exactly(1), terse: true },
  complete: ['context'],
  examples: ['wharf context use far', 'wharf context use default'],
  run: async (context) => {
    const [name = ''] = context.args;
    if (name !== 'default') {
      checkContextName(name);
      storeOf(context).get(name);
    }
    const config = ConfigFile.read();
    const wanted = name === 'default' ? undefined : name;
    if ((config.values.currentContext || undefined) !== wanted) config.change({ currentContext: wanted });
    context.out.line(name);
    context.err.line(`Current context is now "${name}"`);
    const variable = overridingVariable();
    if (wanted === undefined || variable === undefined) return;
    context.err.line(
      `Warning: ${variable} environment variable overrides the active context. To use "${name}", either set the global --context flag, or unset ${variable} environment variable.`,
    );
  },
});
