import { join } from 'node:path';
import { DEFAULT_DOMAIN } from '@wharf/kit';
import { isForbiddenTarget } from '@wharf/wire/http/address-guard';
import type { TlsChoice } from '@wharf/wire/http/web-client';
import { readCertificates, tlsChoice } from './certificates.ts';
import { type HostEntry, readHostsFile } from './hosts-file.ts';
import { hostnameOf, isInsecure } from './insecure.ts';

export const DOCKER_HUB = 'registry-1.docker.io';

/** A server that can be asked for a registry's content: the registry itself, or a mirror of it. */
export interface RegistryHost {
  /** What requests begin with, as `https://registry.example.com/v2`. */
  readonly base: URL;
  readonly tls: TlsChoice;
  /** Plain HTTP is tried where TLS is not spoken. */
  readonly insecure: boolean;
  readonly capabilities: ReadonlySet<string>;
  readonly headers: Readonly<Record<string, string>>;
  readonly rewrites: HostEntry['rewrites'];
  /** The registry a mirror stands for; sent along as `ns`. */
  readonly namespace: string | undefined;
  /** The registry itself: the user's credentials go to it and to nobody else. */
  readonly isOwn: boolean;
  /** Where it may send us: a registry on this machine may name this machine again. */
  readonly isLocal: boolean;
}

export interface HostSettings {
  /** Mirrors of Docker Hub, as dockerd's `registry-mirrors`. */
  readonly mirrors: readonly string[];
  readonly insecure: readonly string[];
  /** Directories with a folder for each registry; the first that has one counts. */
  readonly directories: readonly string[];
  /** The registry that this very process serves, if it does. */
  readonly own?: OwnRegistry | undefined;
}

/** A registry within this process: it is spoken to at its own address, and knows by the headers who asks. */
export interface OwnRegistry {
  /** What images in it are called by: `localhost:5000`. */
  readonly names: readonly string[];
  readonly base: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** The host that serves a registry's content, which for Docker Hub is not the name images bear. */
export function serverOf(domain: string): string {
  return domain === DEFAULT_DOMAIN || domain === 'index.docker.io' ? DOCKER_HUB : domain;
}

/** The servers to ask for a registry, in order: mirrors first, itself last. Throws `failed-precondition` for a bad configuration. */
export async function registryHosts(domain: string, settings: HostSettings): Promise<readonly RegistryHost[]> {
  const server = serverOf(domain);
  const { own } = settings;
  if (own?.names.includes(server) === true) {
    const { base, headers } = own;
    const tls = tlsChoice({ insecure: true });
    return [{ ...plain, base, headers, tls, insecure: true, isOwn: true, isLocal: true, namespace: undefined }];
  }
  const insecure = await isInsecure(server === domain ? domain : server, settings.insecure);
  const folder = await configuredFolder(domain, settings.directories);
  const file = folder === undefined ? undefined : await readHostsFile(folder);
  const certificates = folder === undefined ? undefined : await readCertificates(folder);
  const hosts: RegistryHost[] = [];
  for (const entry of file?.hosts ?? []) hosts.push(await hostOf(entry, { domain, server, settings }));
  if (file === undefined && domain === DEFAULT_DOMAIN) {
    for (const address of settings.mirrors) hosts.push(await mirrorOf(address, domain, settings));
  }
  if (file?.server !== undefined) {
    const own = await hostOf(file.server, { domain, server, settings });
    return [...hosts, { ...own, isOwn: true, namespace: undefined }];
  }
  const tls = tlsChoice({ ...certificates, ...(insecure ? { insecure } : {}) });
  return [
    ...hosts,
    {
      ...plain,
      base: new URL(`https://${server}/v2`),
      tls,
      insecure,
      isOwn: true,
      isLocal: isLocal(server),
      namespace: undefined,
    },
  ];
}

const plain = { capabilities: new Set(['pull', 'resolve', 'push']), headers: {}, rewrites: [] };

function isLocal(host: string): boolean {
  return isForbiddenTarget(hostnameOf(host));
}

/** dockerd's mirrors: for pulling only, with the certificates kept for their own names. */
async function mirrorOf(address: string, domain: string, settings: HostSettings): Promise<RegistryHost> {
  const url = new URL(address);
  const folder = await configuredFolder(url.host, settings.directories);
  const insecure = url.protocol === 'http:' || (await isInsecure(url.host, settings.insecure));
  const certificates = folder === undefined ? undefined : await readCertificates(folder);
  return {
    ...plain,
    base: new URL(`${address.replace(/\/+$/, '')}/v2`),
    tls: tlsChoice({ ...certificates, ...(insecure ? { insecure } : {}) }),
    insecure,
    capabilities: new Set(['pull', 'resolve']),
    namespace: domain,
    isOwn: false,
    isLocal: isLocal(url.host),
  };
}

async function hostOf(
  entry: HostEntry,
  given: { readonly domain: string; readonly server: string; readonly settings: HostSettings },
): Promise<RegistryHost> {
  const { domain, server, settings } = given;
  const url = new URL(entry.address);
  const insecure = url.protocol === 'http:' || entry.skipVerify || (await isInsecure(url.host, settings.insecure));
  const { ca, cert, key } = entry;
  const path =
    entry.overridePath || url.pathname.endsWith('/v2') ? url.pathname : `${url.pathname.replace(/\/$/, '')}/v2`;
  return {
    base: new URL(path, url.origin),
    tls: tlsChoice({
      ...(ca.length === 0 ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(insecure ? { insecure } : {}),
    }),
    insecure,
    capabilities: new Set(entry.capabilities),
    headers: entry.headers,
    rewrites: entry.rewrites,
    namespace: url.host === server ? undefined : domain,
    isOwn: url.host === server,
    isLocal: isLocal(url.host),
  };
}

/** The folder for a registry: by its name, by the form without a colon, or the one for all. */
async function configuredFolder(host: string, directories: readonly string[]): Promise<string | undefined> {
  const { stat } = process.getBuiltinModule('node:fs/promises');
  const port = /:(\d+)$/.exec(host)?.[1];
  const names = [host, ...(port === undefined ? [] : [`${host.slice(0, -port.length - 1)}_${port}_`]), '_default'];
  for (const directory of directories) {
    for (const name of names) {
      const folder = join(directory, name);
      if (
        await stat(folder).then(
          (info) => info.isDirectory(),
          () => false,
        )
      )
        return folder;
    }
  }
  return undefined;
}
