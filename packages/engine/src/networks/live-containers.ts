import { readFileSync } from 'node:fs';
import { newId } from '@wharf/kit';
import { inNetns } from '@wharf/linux/namespaces';
import { Netlink } from '@wharf/linux/netlink';
import type { ContainerRecord } from '../containers/container.ts';
import { healthCheckOf } from '../health/health-config.ts';
import { isPlugged, type LiveEndpoint } from './network.ts';
import type { HeldPorts } from './ports.ts';

/** A container whose sandbox is up. */
export interface LiveContainer {
  readonly id: string;
  record: ContainerRecord;
  readonly sandboxId: string;
  /** `undefined` for `--network host`. */
  readonly netnsPath: string | undefined;
  endpoints: LiveEndpoint[];
  held: readonly HeldPorts[];
  /** The addresses that published ports lead to, empty when none are. */
  publishedTo: string;
  /** Its names lead to others that have them, as long as there are any. */
  avoided: boolean;
}

/** The containers whose sandboxes are up, found by container and by network. */
export class LiveContainers {
  readonly #byId = new Map<string, LiveContainer>();

  get(id: string): LiveContainer | undefined {
    return this.#byId.get(id);
  }

  set(live: LiveContainer): void {
    this.#byId.set(live.id, live);
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  all(): readonly LiveContainer[] {
    return [...this.#byId.values()];
  }

  /** By name, id, or id prefix, for `--link`. */
  find(name: string): LiveContainer | undefined {
    return this.#byId.get(name) ?? this.all().find((live) => live.record.name === name || live.id.startsWith(name));
  }

  endpointsOf(networkId: string): LiveEndpoint[] {
    return this.all().flatMap(({ endpoints }) => endpoints.filter(({ network }) => network.id === networkId));
  }
}

/** The name for the next link in a container: the first of `eth0`, `eth1`, … that is free. */
export function nextInterface(endpoints: readonly LiveEndpoint[], present: readonly string[], prefix: string): string {
  const taken = new Set([...present, ...endpoints.map(({ ifname }) => ifname)]);
  let number = 0;
  while (taken.has(`${prefix}${number}`)) number++;
  return `${prefix}${number}`;
}

/** Finds the link of an endpoint again after a daemon restart: by its MAC address. */
export function interfaceByMac(inside: Netlink, mac: string): string {
  return inside.listLinks().find((link) => link.mac === mac)?.name ?? '';
}

/** The links of the current namespace but its loopback; proc_pid_net(5): two lines of headings, then `name: figures`. */
function linkNames(): string[] {
  const lines = readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n').slice(2);
  return lines.map((line) => line.slice(0, line.indexOf(':')).trim()).filter((name) => name !== '' && name !== 'lo');
}

/** After connecting and disconnecting, names of links are not what they would be for a container that starts. */
export function withRealNames(endpoints: readonly LiveEndpoint[], netnsPath: string): LiveEndpoint[] {
  const [link, ...others] = inNetns(netnsPath, linkNames);
  const [one, ...rest] = endpoints.filter(isPlugged);
  if (one === undefined) return [...endpoints];
  // One link for one endpoint, as nearly always: which it is needs no dump, which would wait for whoever changes links on this host now.
  if (link !== undefined && others.length === 0 && rest.length === 0) {
    return endpoints.map((endpoint) => (endpoint === one ? { ...one, ifname: link } : endpoint));
  }
  using inside = Netlink.openIn(netnsPath);
  return endpoints.map((endpoint) => {
    const ifname = isPlugged(endpoint) && endpoint.mac !== '' ? interfaceByMac(inside, endpoint.mac) : '';
    return ifname === '' ? endpoint : { ...endpoint, ifname };
  });
}

/** A container that has nothing yet. */
export function newLive(record: ContainerRecord, netnsPath: string | undefined): LiveContainer {
  return {
    id: record.id,
    record,
    sandboxId: newId<'sandbox'>(),
    netnsPath,
    endpoints: [],
    held: [],
    publishedTo: '',
    // Nobody knows yet whether one that is checked is well.
    avoided: healthCheckOf(record.config) !== undefined,
  };
}
