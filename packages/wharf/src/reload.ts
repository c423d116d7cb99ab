import { hostname } from 'node:os';
import type { Engine } from '@wharf/engine/engine';
import type { DaemonConfig } from './config/daemon-config.ts';
import type { DaemonLogger } from './logger.ts';

/** What SIGHUP may change; everything else needs a restart. */
const RELOADABLE = [
  'labels',
  'debug',
  'logLevel',
  'registryMirrors',
  'insecureRegistries',
  'registryDirectories',
  'maxConcurrentDownloads',
  'maxConcurrentUploads',
  'maxDownloadAttempts',
  'httpProxy',
  'httpsProxy',
  'noProxy',
  'liveRestore',
  'shutdownTimeoutSeconds',
] as const satisfies readonly (keyof DaemonConfig)[];

export interface ReloadOptions {
  /** The object the rooms hold: it is changed in place. */
  readonly config: DaemonConfig;
  readonly next: DaemonConfig;
  readonly engine: Engine;
  readonly log: DaemonLogger;
}

/** Takes the reloadable settings over and tells the world by a `daemon reload` event. */
export function reloadConfig({ config, next, engine, log }: ReloadOptions): void {
  const changed = RELOADABLE.filter((name) => JSON.stringify(config[name]) !== JSON.stringify(next[name]));
  Object.assign(config, Object.fromEntries(changed.map((name) => [name, next[name]])));
  log.setLevel(config.logLevel);
  engine
    .registries()
    .then((registries) => registries.settingsChanged())
    .catch((error: unknown) => log.error({ error }, 'the registry client cannot be opened'));
  log.info({ changed }, 'configuration reloaded');
  const attributes = {
    name: hostname(),
    debug: String(config.debug),
    labels: JSON.stringify(config.labels),
    'registry-mirrors': JSON.stringify(config.registryMirrors),
    'insecure-registries': JSON.stringify(config.insecureRegistries),
    'max-concurrent-downloads': String(config.maxConcurrentDownloads),
    'max-concurrent-uploads': String(config.maxConcurrentUploads),
    'max-download-attempts': String(config.maxDownloadAttempts),
    'live-restore': String(config.liveRestore),
    'shutdown-timeout': String(config.shutdownTimeoutSeconds),
  };
  engine.events.publish({ type: 'daemon', action: 'reload', actorId: hostname(), attributes });
}
