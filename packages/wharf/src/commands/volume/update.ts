import { defineCommand, exactly } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { objectPath } from '../../cli/object-path.ts';

interface Volume {
  readonly ClusterVolume?: {
    readonly ID: string;
    readonly Version?: { readonly Index?: number };
    readonly Spec?: Readonly<Record<string, unknown>>;
  } | null;
}

/** `wharf volume update`: volumes of a swarm only, which a daemon of ours has none of. */
export const volumeUpdate = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  flags: {
    availability: {
      kind: 'string',
      default: 'active',
      hidden: true,
      help: 'Cluster Volume availability ("active", "pause", "drain")',
      complete: ['active', 'pause', 'drain'],
    },
  },
  args: exactly(1),
  complete: ['volume'],
  run: async (context) => {
    const [name = ''] = context.args;
    const client = await context.client();
    const { ClusterVolume: volume } = await client.json<Volume>('GET', objectPath('volume', name));
    if (!volume) throw new ExitError(1, 'can only update cluster volumes');
    const changed = context.given('availability') ? { Availability: context.flags.availability } : {};
    await client.text('PUT', objectPath('volume', volume.ID), {
      query: { version: volume.Version?.Index ?? 0 },
      body: { Spec: { ...volume.Spec, ...changed } },
    });
  },
});
