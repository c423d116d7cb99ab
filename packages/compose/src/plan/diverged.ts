import { serviceHash } from '../config/hash.ts';
import { CONFIG_HASH, IMAGE } from '../convert/labels.ts';
import { imageName } from '../convert/names.ts';
import type { Service } from '../model/service.ts';
import type { ObservedContainer } from './observed.ts';
import { referencedServices, resolveReferences } from './references.ts';
import type { Recreate, UpInput } from './up-input.ts';

export interface DivergenceFacts {
  readonly input: UpInput;
  readonly name: string;
  readonly service: Service;
  readonly policy: Recreate;
  /** The container of a service that others refer to, when it stays as it is. */
  readonly stayingId: (service: string) => string | undefined;
  /** Ids of the networks that stay, by key. */
  readonly networkIds: Readonly<Record<string, string>>;
  /** Keys of networks that are made anew. */
  readonly renewedNetworks: ReadonlySet<string>;
}

/**
 * Why containers of a service do not do as they are, or `undefined` for those that do: docker compose's rules. One call for
 * all containers of a service, for the hash is dear.
 */
export function divergence(facts: DivergenceFacts): (container: ObservedContainer) => string | undefined {
  const { input, name, service, policy } = facts;
  if (policy === 'never') return () => undefined;
  if (policy === 'force') return () => 'recreation is asked for';
  const shared = referencedServices(service).find((target) => facts.stayingId(target) === undefined);
  const expected =
    shared === undefined ? serviceHash(resolveReferences(service, (to) => facts.stayingId(to) ?? '')) : '';
  const image = imageName(input.project.name, name, service);
  const isPending = input.pendingImages?.includes(image) === true;
  const imageId = input.observed.images[image]?.id;
  return (container) => {
    if (shared !== undefined) return `it shares something with ${shared}, whose container is new`;
    if (container.labels[CONFIG_HASH] !== expected) return 'its configuration changed';
    if (!isPending && container.labels[IMAGE] !== imageId) return 'its image changed';
    return missingNetwork(facts, container) ?? missingVolume(facts, container);
  };
}

function missingNetwork(facts: DivergenceFacts, container: ObservedContainer): string | undefined {
  for (const key of Object.keys(facts.service.networks ?? {})) {
    const name = facts.input.project.networks[key]?.name ?? key;
    if (facts.renewedNetworks.has(key)) return `network ${name} is made anew`;
    const id = facts.networkIds[key];
    const isIn = id !== undefined && container.networkIds.includes(id);
    // One that does not run may have no ids. That it has none of the name means that somebody took it out, or was about to.
    const known = facts.input.observed.networks.map((network) => network.id);
    const isGone = container.networkIds.some((each) => !known.includes(each));
    const willBe = container.status !== 'running' && container.networkNames.includes(name) && !isGone;
    if (!isIn && !willBe) return `it is not in network ${name}`;
  }
  return undefined;
}

function missingVolume({ input, service }: DivergenceFacts, container: ObservedContainer): string | undefined {
  for (const { type, source = '' } of service.volumes ?? []) {
    if (type !== 'volume' || source === '') continue;
    const name = input.project.volumes[source]?.name ?? source;
    if (!container.mounts.some((mount) => mount.type === 'volume' && mount.name === name)) {
      return `volume ${name} is not mounted`;
    }
  }
  return undefined;
}
