import { isKind, messageOf, WharfError } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { atLeast, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';
import { INSPECT_FORMAT_HELP } from '../../term/format-help.ts';
import { type Inspected, inspectAll } from '../../term/inspect.ts';

const TYPES = [
  ...(['config', 'container', 'image', 'network', 'node', 'plugin', 'secret', 'service', 'task', 'volume'] as const),
];
type ObjectType = (typeof TYPES)[number];

const flags = {
  format: { kind: 'string', short: 'f', help: INSPECT_FORMAT_HELP },
  type: { kind: 'string', help: 'Only inspect objects of the given type', complete: TYPES },
  size: { kind: 'bool', short: 's', help: 'Display total file sizes if the type is container' },
} as const satisfies FlagTable;

/** `wharf inspect`: whatever has that name. */
export const inspect = defineCommand({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  flags,
  args: atLeast(1),
  json: true,
  complete: ['container'],
  examples: [
    'wharf inspect web',
    "wharf inspect -f '{{.State.Status}}' web",
    "wharf inspect --type volume -f '{{.Mountpoint}}' data",
  ],
  run,
});

/** In the order in which a name is looked for. */
const SEARCHED: readonly ObjectType[] = [
  ...(['container', 'image', 'network', 'volume', 'service', 'task', 'node', 'plugin', 'secret', 'config'] as const),
];
const OF_SWARM: ReadonlySet<ObjectType> = new Set(['service', 'task', 'node', 'secret', 'config']);

async function run(context: CliContext<typeof flags>): Promise<number> {
  const { type } = context.flags;
  const known = TYPES.map((each) => `"${each}"`).join(', ');
  if (type === '') throw new ExitError(1, `type is empty: must be one of ${known}`);
  const only = TYPES.find((each) => each === type);
  if (type !== undefined && only === undefined) {
    throw new ExitError(1, `unknown type: ${JSON.stringify(type)}: must be one of ${known}`);
  }
  const client = await context.client();
  return inspectAll(context, (name) => search({ context, client, name, only }));
}

interface Search {
  readonly context: CliContext<typeof flags>;
  readonly client: DockerClient;
  readonly name: string;
  readonly only: ObjectType | undefined;
}

async function search({ context, client, name, only }: Search): Promise<Inspected> {
  let isManager: boolean | undefined;
  for (const type of SEARCHED) {
    if (only !== undefined && type !== only) continue;
    if (only === undefined && OF_SWARM.has(type)) {
      isManager ??= await isSwarmManager(context, client);
      if (!isManager) continue;
    }
    try {
      const found = await inspectOne(client, type, name, context.flags.size);
      if (context.flags.size && type !== 'container') context.err.line(`WARNING: --size ignored for ${type}`);
      return found;
    } catch (error) {
      if (only === undefined && isSkippable(error)) continue;
      throw error;
    }
  }
  throw new WharfError('not-found', `Error: No such object: ${name}`);
}

async function isSwarmManager({ err }: CliContext<typeof flags>, client: DockerClient): Promise<boolean> {
  try {
    const info = await client.json<{ readonly Swarm?: { readonly ControlAvailable?: boolean } }>('GET', '/info');
    return info.Swarm?.ControlAvailable === true;
  } catch (error) {
    err.line(messageOf(error));
    return false;
  }
}

/** There is nothing of that name and type, which another type may have. */
function isSkippable(error: unknown): boolean {
  if (isKind(error, 'not-found')) return true;
  return /not supported|invalid reference format/.test(messageOf(error));
}

async function inspectOne(client: DockerClient, type: ObjectType, name: string, size: boolean): Promise<Inspected> {
  switch (type) {
    case 'container': {
      const path = objectPath('container', name, '/json');
      return {
        raw: await client.text('GET', path, { query: { size: size || undefined } }),
        type: 'container.InspectResponse',
      };
    }
    case 'image':
      return { raw: await client.text('GET', objectPath('image', name, '/json')), type: 'image.InspectResponse' };
    case 'network':
      return { raw: await client.text('GET', objectPath('network', name)), type: 'network.Inspect' };
    case 'volume':
      return { raw: await client.text('GET', objectPath('volume', name)), type: 'volume.Volume' };
    case 'plugin':
      return { raw: await client.text('GET', objectPath('plugin', name, '/json')), type: 'types.Plugin' };
    default: {
      const query = type === 'service' ? { insertDefaults: 'true' } : undefined;
      return { raw: await client.text('GET', `/${type}s/${encodeURIComponent(name)}`, { query }) };
    }
  }
}
