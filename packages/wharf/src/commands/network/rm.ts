import { isKind, messageOf } from '@wharf/kit/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { objectPath } from '../../cli/object-path.ts';

const INGRESS_WARNING =
  'WARNING! Before removing the routing-mesh network, make sure all the nodes in your swarm run the same docker engine version. Otherwise, removal may not be effective and functionality of newly create ingress networks will be impaired.\nAre you sure you want to continue?';

/** `wharf network rm`: those that can be removed are, whatever the others say. */
export const networkRm = defineCommand({
  usage: 'NETWORK [NETWORK...]',
  flags: { force: { kind: 'bool', short: 'f', help: 'Do not error if the network does not exist' } },
  args: atLeast(1),
  complete: ['network'],
  examples: ['wharf network rm front back'],
  run: async (context) => {
    const client = await context.client();
    let failed = false;
    for (const name of context.args) {
      try {
        const path = objectPath('network', name);
        if (await isIngress(path)) {
          if (!(await confirm(context, INGRESS_WARNING))) continue;
        }
        await client.text('DELETE', path);
        context.out.line(name);
      } catch (error) {
        if (context.flags.force && isKind(error, 'not-found')) continue;
        context.err.line(messageOf(error));
        failed = true;
      }
    }
    if (!failed) return 0;
    context.err.line('exit status 1');
    return 1;

    async function isIngress(path: string): Promise<boolean> {
      try {
        return (await client.json<{ readonly Ingress?: boolean }>('GET', path)).Ingress === true;
      } catch {
        // Whatever it is, the removal says it.
        return false;
      }
    }
  },
});
