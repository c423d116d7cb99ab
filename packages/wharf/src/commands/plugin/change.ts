import { messageOf } from '@wharf/kit/errors';
import { atLeast, defineCommand, exactly } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { objectPath } from '../../cli/object-path.ts';

const DEFAULT_TIMEOUT_S = 30;

/** `wharf plugin enable`. */
export const pluginEnable = defineCommand({
  usage: '[OPTIONS] PLUGIN',
  flags: { timeout: { kind: 'int', default: DEFAULT_TIMEOUT_S, help: 'HTTP client timeout (in seconds)' } },
  args: exactly(1),
  complete: ['none'],
  run: async (context) => {
    const [name = ''] = context.args;
    const { timeout } = context.flags;
    if (timeout < 0) throw new ExitError(1, `negative timeout ${timeout} is invalid`);
    const client = await context.client();
    await client.text('POST', objectPath('plugin', name, '/enable'), { query: { timeout } });
    context.out.line(name);
  },
});

/** `wharf plugin disable`. */
export const pluginDisable = defineCommand({
  usage: '[OPTIONS] PLUGIN',
  flags: { force: { kind: 'bool', short: 'f', help: 'Force the disable of an active plugin' } },
  args: exactly(1),
  complete: ['none'],
  run: async (context) => {
    const [name = ''] = context.args;
    const client = await context.client();
    await client.text('POST', objectPath('plugin', name, '/disable'), {
      query: { force: context.flags.force || undefined },
    });
    context.out.line(name);
  },
});

/** `wharf plugin rm`. */
export const pluginRm = defineCommand({
  usage: '[OPTIONS] PLUGIN [PLUGIN...]',
  flags: { force: { kind: 'bool', short: 'f', help: 'Force the removal of an active plugin' } },
  args: atLeast(1),
  complete: ['none'],
  run: async (context) => {
    const client = await context.client();
    const errors: string[] = [];
    for (const name of context.args) {
      try {
        await client.text('DELETE', objectPath('plugin', name), { query: { force: context.flags.force || undefined } });
        context.out.line(name);
      } catch (error) {
        errors.push(messageOf(error));
      }
    }
    if (errors.length > 0) throw new ExitError(1, errors.join('\n'));
  },
});

/** `wharf plugin set`. */
export const pluginSet = defineCommand({
  usage: 'PLUGIN KEY=VALUE [KEY=VALUE...]',
  description: 'Change settings for a plugin',
  flags: {},
  args: atLeast(2),
  complete: ['none'],
  run: async (context) => {
    const [name = '', ...settings] = context.args;
    const client = await context.client();
    await client.text('POST', objectPath('plugin', name, '/set'), { body: settings });
  },
});
