import { readFileSync } from 'node:fs';
import type { Clock, Logger } from '@wharf/kit';
import type { Store } from '@wharf/store';
import type { BuildCache, SystemInfo, SystemVersion, Volume } from '@wharf/wire/docker/types';
import type { ContainerService } from '../containers/container-service.ts';
import type { EngineConfig } from '../engine-config.ts';
import { LOG_DRIVERS } from '../logs/options.ts';
import { readCdiDevices } from '../runtime/cdi/registry.ts';
import type { Runtimes } from '../runtime/runtime.ts';
import { readCgroupFacts } from './cgroup-facts.ts';
import { daemonId } from './daemon-id.ts';
import type { Usage, UsageKind } from './disk-usage.ts';
import { openFileCount, readHostFacts } from './host-facts.ts';
import { toInfo } from './info.ts';
import { ToolVersions } from './tool-versions.ts';
import { toVersion } from './version.ts';

export interface SystemServiceOptions {
  readonly config: EngineConfig;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly runtimes: Runtimes;
  readonly snapshots: { readonly name: string };
  readonly images: {
    count(): number;
    diskUsage(): Promise<NonNullable<Usage['images']>>;
  };
  readonly volumes: { usage(): Promise<readonly Volume[]>; driverNames(): readonly string[] };
  readonly containers: Pick<ContainerService, 'list'>;
  /** A builder's, where there is one. */
  readonly buildCache?: (() => Promise<readonly BuildCache[]>) | undefined;
  /** Clients that follow events now. */
  readonly eventListeners?: (() => number) | undefined;
  /** The engine package's when absent. */
  readonly version?: string | undefined;
}

/** What the daemon says of itself and its host. */
export interface SystemService {
  /** Stays the same for this data root. */
  readonly id: string;
  readonly version: string;
  info(): Promise<SystemInfo>;
  versionInfo(): Promise<SystemVersion>;
  /** Measures what is asked for but containers, which their list tells; callers that ask for one kind at one time share the measuring. */
  diskUsage(kinds: ReadonlySet<UsageKind>): Promise<Usage>;
}

/** Makes the room. The other rooms are asked when a client asks, not before. */
export function createSystemService(options: SystemServiceOptions): SystemService {
  const { config, store, clock, runtimes } = options;
  const id = daemonId(store);
  const version = options.version ?? packageVersion();
  const tools = new ToolVersions(options.log);
  const shared = new Map<UsageKind, Promise<unknown>>();
  const once = async <T>(kind: UsageKind, measure: () => Promise<T>): Promise<T> => {
    const running = (shared.get(kind) as Promise<T> | undefined) ?? measure().finally(() => shared.delete(kind));
    shared.set(kind, running);
    return running;
  };
  const runtimeVersion = () => tools.of(() => runtimes.get(undefined).path);
  const monitorVersion = () => tools.of(() => runtimes.monitorPath);
  return {
    id,
    version,
    async info() {
      const [runtime, monitor] = await Promise.all([runtimeVersion(), monitorVersion()]);
      return toInfo({
        id,
        version,
        config,
        host: readHostFacts(),
        cgroup: readCgroupFacts(),
        cdi: readCdiDevices(config.cdiSpecDirs),
        nowNs: clock.nowNs(),
        containers: options.containers.list().map(({ state }) => state.status),
        images: options.images.count(),
        snapshotter: options.snapshots.name,
        runtimes: Object.fromEntries(runtimes.names.map((name) => [name, runtimeOf(config, runtimes, name)])),
        defaultRuntime: runtimes.defaultName,
        runtimeCommit: runtime.commit,
        monitorCommit: monitor.commit,
        logDrivers: LOG_DRIVERS,
        volumeDrivers: options.volumes.driverNames(),
        networkDrivers: ['bridge', 'host', 'null'],
        openFiles: openFileCount(),
        tasks: process.getActiveResourcesInfo().length,
        eventListeners: options.eventListeners?.() ?? 0,
        environment: process.env,
      });
    },
    async versionInfo() {
      const [runtime, monitor] = await Promise.all([runtimeVersion(), monitorVersion()]);
      const answers = [
        { name: runtimes.defaultName, ...runtime },
        { name: 'conmon', ...monitor },
      ];
      return toVersion({ version, host: readHostFacts(), tools: answers, nodeVersion: process.version });
    },
    async diskUsage(kinds) {
      const ask = <T>(kind: UsageKind, measure: () => Promise<T>) =>
        kinds.has(kind) ? once(kind, measure) : Promise.resolve(undefined);
      const [images, volumes] = await Promise.all([
        ask('image', () => options.images.diskUsage()),
        ask('volume', () => options.volumes.usage()),
      ]);
      return {
        images,
        volumes,
        ...(kinds.has('build-cache') ? { buildCache: (await options.buildCache?.()) ?? [] } : {}),
      };
    },
  };
}

function runtimeOf(config: EngineConfig, runtimes: Runtimes, name: string) {
  return { path: runtimes.get(name).path, runtimeArgs: config.runtimes[name]?.runtimeArgs ?? [] };
}

function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

export { parseUsageKinds, shapeUsage } from './disk-usage.ts';
export { shapeInfo } from './info.ts';
