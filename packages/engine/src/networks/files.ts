import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname as hostHostname } from 'node:os';
import { dirname, join } from 'node:path';
import { shortId } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';
import { DNS_ADDRESS } from './dns/sockets.ts';
import { extraHostEntries, type HostsEntry, hostsFile, ownNames } from './hosts-file.ts';
import { isPlugged, isUserDefined, type LiveEndpoint, parseNetworkMode } from './network.ts';
import type { NetworkConfig } from './network-books.ts';
import type { NetworkFiles } from './network-service.ts';
import {
  type DnsWishes,
  embeddedResolvConf,
  formatResolvConf,
  hostResolvConf,
  isLoopback,
  parseResolvConf,
  plainResolvConf,
  type ResolvConf,
} from './resolv-conf.ts';

export const HOST_RESOLV_CONF = '/etc/resolv.conf';
/** What systemd-resolved forwards to, where /etc/resolv.conf only names its stub. */
const SYSTEMD_RESOLV_CONF = '/run/systemd/resolve/resolv.conf';

/** The host's resolv.conf now; empty when there is none. */
export function readHostResolvConf(
  options: { readonly reachable: boolean; readonly path?: string } = { reachable: false },
): ResolvConf {
  const conf = parseResolvConf(readOr(options.path ?? HOST_RESOLV_CONF));
  if (!options.reachable || !conf.nameservers.every(isLoopback) || !existsSync(SYSTEMD_RESOLV_CONF)) return conf;
  return parseResolvConf(readOr(SYSTEMD_RESOLV_CONF));
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What the container and the daemon want of DNS; the container's wish comes first. */
export function dnsWishes(record: Pick<ContainerRecord, 'hostConfig'>, config: NetworkConfig): DnsWishes {
  const first = (own: readonly string[] | null | undefined, common: readonly string[]): readonly string[] =>
    own && own.length > 0 ? own : common;
  const { Dns, DnsSearch, DnsOptions } = record.hostConfig;
  return {
    servers: first(Dns, config.dns),
    search: first(DnsSearch, config.dnsSearch),
    options: first(DnsOptions, config.dnsOptions),
  };
}

/** Where a container's files are, written or not. */
export function filesIn(containerDir: string): NetworkFiles {
  return {
    hostnamePath: join(containerDir, 'hostname'),
    hostsPath: join(containerDir, 'hosts'),
    resolvConfPath: join(containerDir, 'resolv.conf'),
  };
}

export interface FileFacts {
  readonly record: ContainerRecord;
  readonly endpoints: readonly LiveEndpoint[];
  /** The container of `--network container:x`, by its full id. */
  readonly peerId: string | undefined;
  readonly config: NetworkConfig;
  /** What `host-gateway` stands for: the host's addresses on the default bridge. */
  readonly hostGateways: readonly string[];
  /** Lines for `--link` containers of the default bridge. */
  readonly linkEntries: readonly HostsEntry[];
}

/**
 * Writes the three files in place: a running container has them mounted, so a rename would leave it with the old ones.
 * They are made anew at every start and need not survive a crash. A container that shares another's network has its files.
 */
export function writeNetworkFiles(containerDir: string, facts: FileFacts): NetworkFiles {
  const mode = parseNetworkMode(facts.record.hostConfig.NetworkMode);
  if (mode.kind === 'container') return filesIn(join(dirname(containerDir), facts.peerId ?? mode.container));
  const files = filesIn(containerDir);
  mkdirSync(containerDir, { recursive: true, mode: 0o710 });
  const isHost = mode.kind === 'host';
  const hostname = facts.record.config.Hostname || (isHost ? hostHostname() : shortId(facts.record.id));
  // Three small files: written at once they cost 0.2 ms, by way of libuv's pool ten times that.
  writeFileSync(files.hostnamePath, `${hostname}\n`, { mode: 0o644 });
  writeFileSync(files.hostsPath, hostsText(facts, hostname, isHost), { mode: 0o644 });
  writeFileSync(files.resolvConfPath, resolvText(facts, isHost), { mode: 0o644 });
  return files;
}

function hostsText(facts: FileFacts, hostname: string, isHost: boolean): string {
  const extra = extraHostEntries(facts.record.hostConfig.ExtraHosts ?? [], facts.hostGateways);
  if (isHost) return readOr('/etc/hosts') + extra.map(({ address, names }) => `${address}\t${names}\n`).join('');
  const names = ownNames(hostname, facts.record.config.Domainname ?? '');
  const own = facts.endpoints
    .flatMap(({ address, address6 }) => [address, address6])
    .filter((address) => address !== '')
    .map((address) => ({ address, names }));
  return hostsFile([...extra, ...facts.linkEntries, ...own]);
}

function resolvText(facts: FileFacts, isHost: boolean): string {
  const wishes = dnsWishes(facts.record, facts.config);
  if (isHost) return formatResolvConf(hostResolvConf(readHostResolvConf(), wishes));
  const plugged = facts.endpoints.filter(isPlugged);
  if (plugged.length === 0) return formatResolvConf(plainResolvConf(readHostResolvConf({ reachable: true }), wishes));
  return embeddedResolvConf(readHostResolvConf(), wishes, {
    address: DNS_ADDRESS,
    plainNamesFirst: plugged.some(({ network }) => isUserDefined(network.name)),
  });
}
