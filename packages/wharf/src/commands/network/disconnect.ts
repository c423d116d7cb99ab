import { defineCommand, exactly } from '../../cli/command.ts';
import { objectPath } from '../../cli/object-path.ts';

/** `wharf network disconnect`. */
export const networkDisconnect = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  flags: { force: { kind: 'bool', short: 'f', help: 'Force the container to disconnect from a network' } },
  args: exactly(2),
  complete: ['network', 'container'],
  examples: ['wharf network disconnect front web'],
  run: async (context) => {
    const [network = '', container = ''] = context.args;
    const client = await context.client();
    await client.text('POST', objectPath('network', network, '/disconnect'), {
      body: { Container: container.trim(), Force: context.flags.force },
    });
  },
});
