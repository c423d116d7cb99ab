import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { OwnRegistry } from '@wharf/oci/remote/hosts';
import { LOCAL_HEADER } from '@wharf/registry/plug/local-access';
import type { DaemonConfig } from './config/daemon-config.ts';
import type { DaemonLogger } from './logger.ts';

/** The registry inside the daemon: how its own client finds it, and how it is told from others. */
export interface OwnRegistryPlan {
  readonly client: OwnRegistry;
  readonly secret: string;
}

export interface OwnRegistryServer {
  /** Opens log files anew and reads the certificate again. */
  reload(): void;
  close(): Promise<void>;
}

const ANY = new Set(['', '0.0.0.0', '[::]']);

/** `undefined` unless `--registry-listen` is given. The secret lives as long as the process. */
export async function planOwnRegistry(config: DaemonConfig): Promise<OwnRegistryPlan | undefined> {
  const [first] = config.registryListen;
  if (first === undefined) return undefined;
  const secret = randomBytes(32).toString('base64url');
  const { tls } = await settingsOf(config);
  const names = new Set<string>();
  for (const address of config.registryListen) {
    const { host, port } = split(address);
    const known = ANY.has(host) ? ['127.0.0.1', hostname()] : [host];
    // A name of this machine's loopback, where it is served there.
    const loopback = ANY.has(host) || host.startsWith('127.') || host === '[::1]' ? ['localhost'] : [];
    for (const name of [...known, ...loopback]) names.add(`${name}:${port}`);
  }
  const { host, port } = split(first);
  const base = new URL(`${tls === undefined ? 'http' : 'https'}://${ANY.has(host) ? '127.0.0.1' : host}:${port}/v2`);
  return { client: { names: [...names], base, headers: { [LOCAL_HEADER]: secret } }, secret };
}

/** Serves it, with the engine's blobs at hand: what an image of this daemon needs is there without a byte being moved. */
export async function openOwnRegistry(options: {
  readonly config: DaemonConfig;
  readonly plan: OwnRegistryPlan;
  readonly content: ContentStore;
  readonly log: DaemonLogger;
}): Promise<OwnRegistryServer> {
  const { config, plan, content, log } = options;
  const { serveRegistry } = await import('./registry/serve.ts');
  const running = await serveRegistry(await settingsOf(config), log, {
    donor: { path: (digest) => content.path(digest) },
    secret: plan.secret,
  });
  log.info({ addresses: running.addresses }, 'the registry listens');
  return running;
}

async function settingsOf({ registryConfig, registryListen, dataRoot, logLevel, logFormat }: DaemonConfig) {
  const { registrySettings } = await import('./registry/settings.ts');
  const root = join(dataRoot, 'registry');
  const level = logLevel === 'fatal' ? 'error' : logLevel;
  return registrySettings(registryConfig, { listen: registryListen, root, logLevel: level, logFormat });
}

function split(address: string): { readonly host: string; readonly port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: address.slice(colon + 1) };
}
