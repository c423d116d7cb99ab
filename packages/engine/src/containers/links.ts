import { WharfError } from '@wharf/kit';
import { cannotFindLinked, HOST_NETWORK_LINKS, linkNotOnBridge, linkNotRunning } from '@wharf/wire/docker/messages';
import type { HostConfig } from '@wharf/wire/docker/types';
import { DEFAULT_NETWORK, isUserDefined } from '../networks/network.ts';
import type { ContainerLink, ContainerRecord } from './container.ts';
import { linkVariables } from './link-variables.ts';

/**
 * `--link` on the default bridge, where there is no DNS: the container that links has the other's address in /etc/hosts and
 * facts of it in its environment, and the other one answers to the name `linking/alias` as well. On user-defined networks
 * links are an endpoint's business (`EndpointSettings.Links`).
 */

type Find = (idOrName: string) => ContainerRecord | undefined;

/** What the links of a container to be mean now. Throws `invalid-argument` in Docker's words. */
export function resolveLinks(hostConfig: HostConfig, find: Find): readonly ContainerLink[] {
  const mode = hostConfig.NetworkMode ?? '';
  if (mode.startsWith('container:') || (mode !== '' && isUserDefined(mode))) return [];
  return (hostConfig.Links ?? []).map((text) => {
    const { target, alias } = parseLink(text);
    const child = networkHolder(target, find);
    if (child.hostConfig.NetworkMode === 'host') throw new WharfError('invalid-argument', HOST_NETWORK_LINKS);
    return { alias, containerId: child.id };
  });
}

function parseLink(text: string): { readonly target: string; readonly alias: string } {
  const [target = '', alias, ...rest] = text.split(':');
  if (text === '') throw new WharfError('invalid-argument', 'empty string specified for links');
  if (rest.length > 0) throw new WharfError('invalid-argument', `bad format for links: ${text}`);
  if (alias === undefined) return { target, alias: target };
  // `/child:/parent/alias` is how `inspect` shows a link.
  if (target.startsWith('/')) return { target: target.slice(1), alias: alias.split('/').at(-1) ?? alias };
  return { target, alias: alias.replace(/^\/+/, '') };
}

/** The container itself, or the one whose network it shares. */
function networkHolder(name: string, find: Find): ContainerRecord {
  const found = find(name);
  if (found === undefined) throw new WharfError('invalid-argument', cannotFindLinked(name));
  const mode = found.hostConfig.NetworkMode ?? '';
  return mode.startsWith('container:') ? networkHolder(mode.slice('container:'.length), find) : found;
}

/** The variables that a container about to start gets for its links. Throws when one of the linked cannot be reached. */
export function linkEnvironment(record: ContainerRecord, find: Find): readonly string[] {
  if (!record.endpoints.some(({ networkName }) => networkName === DEFAULT_NETWORK)) return [];
  return (record.links ?? []).flatMap(({ alias, containerId }) => {
    const child = find(containerId);
    // Removed meanwhile, and the link with it.
    if (child === undefined) return [];
    const name = `/${record.name}/${alias}`;
    if (child.state.pid === 0) throw new WharfError('internal', linkNotRunning(child.name, name));
    const endpoint = child.endpoints.find(({ networkName }) => networkName === DEFAULT_NETWORK);
    if (endpoint === undefined) throw new WharfError('internal', linkNotOnBridge(child.name));
    return linkVariables({
      name,
      address: endpoint.settings.IPAddress ?? '',
      environment: child.config.Env ?? [],
      exposedPorts: Object.keys(child.config.ExposedPorts ?? {}),
    });
  });
}

/** `HostConfig.Links` as `inspect` shows it: `/child:/parent/alias`, or `null`. */
export function shownLinks(record: ContainerRecord, find: Find): readonly string[] | null {
  const shown = (record.links ?? []).flatMap(({ alias, containerId }) => {
    const child = find(containerId);
    return child === undefined ? [] : [`/${child.name}:/${record.name}/${alias}`];
  });
  return shown.length > 0 ? shown : null;
}

/** Container id → the names that it has by links of others: `/linking/alias`. */
export function linkNames(records: readonly ContainerRecord[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { name, links = [] } of records) {
    for (const { alias, containerId } of links) {
      const others = names.get(containerId) ?? [];
      others.push(`/${name}/${alias}`);
      names.set(containerId, others);
    }
  }
  return names;
}
