import { WharfError } from '@wharf/kit/errors';
import { defineCommand, exactly } from '../../cli/command.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';

const flags = {
  ip: { kind: 'string', default: '', help: 'IPv4 address (e.g., "172.30.100.104")' },
  ip6: { kind: 'string', default: '', help: 'IPv6 address (e.g., "2001:db8::33")' },
  link: { kind: 'list', help: 'Add link to another container', parse: checkLink },
  alias: { kind: 'strings', help: 'Add network-scoped alias for the container' },
  'link-local-ip': { kind: 'strings', help: 'Add a link-local address for the container' },
  'driver-opt': { kind: 'strings', help: 'driver options for the network' },
  'gw-priority': {
    kind: 'int',
    default: 0,
    help: 'Highest gw-priority provides the default gateway. Accepts positive and negative values.',
  },
} as const satisfies FlagTable;

/** `wharf network connect`. */
export const networkConnect = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  flags,
  args: exactly(2),
  complete: ['network', 'container'],
  examples: ['wharf network connect front web', 'wharf network connect --alias db --ip 172.30.0.10 back postgres'],
  run: async (context) => {
    const { ip, ip6, link, alias, ...rest } = context.flags;
    const [network = '', container = ''] = context.args;
    const driverOptions = readDriverOptions(rest['driver-opt']);
    const client = await context.client();
    await client.text('POST', objectPath('network', network, '/connect'), {
      body: {
        Container: container.trim(),
        EndpointConfig: {
          IPAMConfig: {
            ...(ip === '' ? {} : { IPv4Address: ip }),
            ...(ip6 === '' ? {} : { IPv6Address: ip6 }),
            ...(rest['link-local-ip'].length === 0 ? {} : { LinkLocalIPs: rest['link-local-ip'] }),
          },
          ...{ Links: link, Aliases: alias, DriverOpts: driverOptions, GwPriority: rest['gw-priority'] },
        },
      },
    });
  },
});

/** `NAME[:ALIAS]`. Throws docker's complaint. */
function checkLink(text: string): string {
  const parts = text.split(':');
  if (text === '') throw new Error('empty string specified for links');
  if (parts.length > 2) throw new Error(`bad format for links: ${text}`);
  return text;
}

function readDriverOptions(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      const key = pair.slice(0, Math.max(0, equals)).trim();
      if (key === '') {
        throw new WharfError('invalid-argument', 'invalid key/value pair format in driver options');
      }
      return [key, pair.slice(equals + 1).trim()];
    }),
  );
}
