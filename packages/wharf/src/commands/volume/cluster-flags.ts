import type { CliContext } from '../../cli/context.ts';
import type { FlagTable } from '../../cli/flags.ts';

const SCOPES = ['single', 'multi'] as const;
const SHARING = ['none', 'readonly', 'onewriter', 'all'] as const;
const AVAILABILITY = ['active', 'pause', 'drain'] as const;

const choice = (what: string, values: readonly string[]): string =>
  `Cluster Volume ${what} (${values.map((value) => `"${value}"`).join(', ')})`;

/** The flags for volumes of a swarm, which docker's help names where there is one only. */
export const clusterFlags = {
  group: { kind: 'string', default: '', hidden: true, help: 'Cluster Volume group (cluster volumes)' },
  scope: { kind: 'string', default: 'single', hidden: true, help: choice('access scope', SCOPES), complete: SCOPES },
  sharing: {
    kind: 'string',
    default: 'none',
    hidden: true,
    help: choice('access sharing', SHARING),
    complete: SHARING,
  },
  availability: {
    kind: 'string',
    default: 'active',
    hidden: true,
    help: choice('availability', AVAILABILITY),
    complete: AVAILABILITY,
  },
  type: { kind: 'string', default: 'block', hidden: true, help: choice('access type', ['mount', 'block']) },
  secret: { kind: 'map', hidden: true, help: 'Cluster Volume secrets' },
  'limit-bytes': { kind: 'bytes', hidden: true, help: 'Minimum size of the Cluster Volume in bytes' },
  'required-bytes': { kind: 'bytes', hidden: true, help: 'Maximum size of the Cluster Volume in bytes' },
  'topology-required': {
    kind: 'list',
    hidden: true,
    help: 'A topology that the Cluster Volume must be accessible from',
  },
  'topology-preferred': {
    kind: 'list',
    hidden: true,
    help: 'A topology that the Cluster Volume would be preferred in',
  },
} as const satisfies FlagTable;

/** Any of these makes the volume one of the swarm. */
const DECIDING = ['group', 'scope', 'sharing', 'availability', 'type', 'limit-bytes', 'required-bytes'] as const;

/** What a request says of a volume of the swarm; `undefined` for a volume of one machine. */
export function clusterSpec(context: CliContext<typeof clusterFlags>): Readonly<Record<string, unknown>> | undefined {
  if (!DECIDING.some((flag) => context.given(flag))) return undefined;
  const { group, scope, sharing, availability, type, secret, ...rest } = context.flags;
  const kind = type === 'mount' ? { MountVolume: {} } : type === 'block' ? { BlockVolume: {} } : {};
  const secrets = Object.entries(secret).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return {
    Group: group,
    AccessMode: { Scope: scope, Sharing: sharing, ...kind },
    Availability: availability,
    CapacityRange: { RequiredBytes: rest['required-bytes'] ?? 0, LimitBytes: rest['limit-bytes'] ?? 0 },
    ...(secrets.length === 0 ? {} : { Secrets: secrets.map(([Key, Secret]) => ({ Key, Secret })) }),
    AccessibilityRequirements: {
      Requisite: rest['topology-required'].map(topology),
      Preferred: rest['topology-preferred'].map(topology),
    },
  };
}

/** `segment=value,segment=value`. */
function topology(text: string): { readonly Segments: Readonly<Record<string, string>> } {
  const pairs = text.split(',').map((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? ([pair, ''] as const) : ([pair.slice(0, equals), pair.slice(equals + 1)] as const);
  });
  return { Segments: Object.fromEntries(pairs) };
}
