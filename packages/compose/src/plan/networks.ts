import { WharfError } from '@wharf/kit';
import { networkHash } from '../config/hash.ts';
import { CONFIG_HASH, NETWORK, PROJECT } from '../convert/labels.ts';
import type { PlanBuilder } from './builder.ts';
import type { Observed, ObservedNetwork } from './observed.ts';
import { refTo } from './refs.ts';
import type { UpInput } from './up-input.ts';

export interface NetworkOutcome {
  /** Ids of the networks that stay, by key. */
  readonly ids: Readonly<Record<string, string>>;
  /** Steps after which a network is there, by key; none for those that are. */
  readonly ready: Readonly<Record<string, readonly string[]>>;
  readonly renewed: ReadonlySet<string>;
}

/**
 * The project's networks: those missing are created; one whose configuration changed is made anew, for which all its
 * containers of the project are stopped (`stop` plans that and answers the step).
 *
 * Throws `not-found` and `invalid-argument` in compose's words for external networks that are not there or not clear, and
 * `failed-precondition` for one that is somebody else's.
 */
export function planNetworks(
  builder: PlanBuilder,
  input: UpInput,
  stop: (containerId: string, reason: string) => string | undefined,
): NetworkOutcome {
  const ids: Record<string, string> = {};
  const ready: Record<string, readonly string[]> = {};
  const renewed = new Set<string>();
  for (const [key, network] of Object.entries(input.project.networks)) {
    const name = network.name ?? key;
    if (network.external === true) {
      ids[key] = externalNetwork(input.observed, name);
      continue;
    }
    const found = ownNetwork(builder, input, key, name);
    const hash = found?.labels[CONFIG_HASH];
    if (found !== undefined && (hash === undefined || hash === '' || hash === networkHash(network))) {
      ids[key] = found.id;
      continue;
    }
    const needs = found === undefined ? [] : removal(builder, input, { key, name, found, stop });
    if (found !== undefined) renewed.add(key);
    const reason = found === undefined ? 'it is not there' : 'its configuration changed';
    ready[key] = [builder.add(`create network ${name}`, reason, needs, { kind: 'create-network', key, network })];
  }
  return { ids, ready, renewed };
}

function externalNetwork({ networks }: Observed, name: string): string {
  const found = networks.filter((network) => network.name === name || network.id === name);
  const [only] = found;
  if (only === undefined) {
    throw new WharfError('not-found', `network ${name} declared as external, but could not be found`, {
      hint: `Create it (docker network create ${name}), or leave "external" out.`,
    });
  }
  if (found.length > 1) {
    throw new WharfError(
      'invalid-argument',
      `multiple networks with name ${JSON.stringify(name)} were found. Use network ID as \`name\` to avoid ambiguity`,
    );
  }
  return only.id;
}

function ownNetwork(
  builder: PlanBuilder,
  { project, observed }: UpInput,
  key: string,
  name: string,
): ObservedNetwork | undefined {
  const named = observed.networks.filter((network) => network.name === name);
  const own = named.find(({ labels }) => labels[PROJECT] === project.name && labels[NETWORK] === key);
  if (own !== undefined) return own;
  const [other] = named;
  if (other === undefined) return undefined;
  const owner = other.labels[PROJECT];
  const whose = owner === undefined ? 'by compose' : `for project ${JSON.stringify(project.name)}`;
  builder.warn(
    `a network with name ${name} exists but was not created ${whose}.\nSet \`external: true\` to use an existing network`,
  );
  if (other.labels[NETWORK] !== key) {
    throw new WharfError(
      'failed-precondition',
      `network ${name} was found but has incorrect label ${NETWORK} set to ${JSON.stringify(other.labels[NETWORK] ?? '')} (expected: ${JSON.stringify(key)})`,
      { hint: `Set "external: true" for network ${key}, or give it another name.` },
    );
  }
  return other;
}

function removal(
  builder: PlanBuilder,
  { observed, project }: UpInput,
  {
    key,
    name,
    found,
    stop,
  }: {
    readonly key: string;
    readonly name: string;
    readonly found: ObservedNetwork;
    readonly stop: (containerId: string, reason: string) => string | undefined;
  },
): readonly string[] {
  const users = observed.containers.filter(
    ({ networkIds, service, oneOff }) =>
      networkIds.includes(found.id) || (!oneOff && Object.hasOwn(project.services[service]?.networks ?? {}, key)),
  );
  const reason = `network ${name} is made anew`;
  const freed = users.map((container) => {
    const stopped = stop(container.id, reason);
    const needs = stopped === undefined ? [] : [stopped];
    if (!container.networkIds.includes(found.id)) return needs;
    const body = { kind: 'disconnect', network: found.id, container: refTo(container) } as const;
    return [builder.add(`disconnect ${container.name} from ${name}`, reason, needs, body)];
  });
  const body = { kind: 'remove-network', network: found.id, name, inUseIsFine: false } as const;
  return [builder.add(`remove network ${name}`, 'its configuration changed', freed.flat(), body)];
}
