import { atMost, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { checkLabel, labelMap } from '../../cli/label-flag.ts';
import { clusterFlags, clusterSpec } from './cluster-flags.ts';

const flags = {
  driver: { kind: 'string', short: 'd', default: 'local', help: 'Specify volume driver name' },
  name: { kind: 'string', default: '', help: 'Specify volume name', hidden: true },
  opt: { kind: 'map', short: 'o', help: 'Set driver specific options' },
  label: { kind: 'list', help: 'Set metadata for a volume', parse: checkLabel },
  ...clusterFlags,
} as const satisfies FlagTable;

/** `wharf volume create`. */
export const volumeCreate = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  flags,
  args: atMost(1),
  complete: ['none'],
  examples: [
    'wharf volume create data',
    'wharf volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch',
    'wharf volume create --label env=test',
  ],
  run: async (context) => {
    const { driver, name, opt, label } = context.flags;
    const [given = ''] = context.args;
    if (given !== '' && name !== '') {
      throw new ExitError(
        1,
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    }
    const cluster = clusterSpec(context);
    const client = await context.client();
    const volume = await client.json<{ readonly Name: string }>('POST', '/volumes/create', {
      body: {
        Driver: driver,
        ...filled({ DriverOpts: opt, Labels: labelMap(label) }),
        Name: given || name,
        ...(cluster === undefined ? {} : { ClusterVolumeSpec: cluster }),
      },
    });
    context.out.line(volume.Name);
  },
});

/** Without the empty ones, as Go leaves them out: the daemon keeps what it was sent. */
function filled(maps: Readonly<Record<string, Readonly<Record<string, string>>>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(maps).filter(([, map]) => Object.keys(map).length > 0));
}
