import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type ContainerId, KeyedLock, type Logger, messageOf } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store } from '@wharf/store';
import type { EngineConfig } from '../engine-config.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { HealthService } from '../health/health-service.ts';
import type { ImageService } from '../images/image-service.ts';
import type { LogService } from '../logs/log-service.ts';
import type { NetworkService } from '../networks/network-service.ts';
import { type CgroupPlace, cgroupPlace } from '../runtime/cgroup-place.ts';
import type { HostLimits } from '../runtime/oci-spec/build.ts';
import { readHostLimits } from '../runtime/oci-spec/host-limits.ts';
import type { OciRuntime, Runtimes } from '../runtime/runtime.ts';
import type { ProcessStreams } from '../streams/process-streams.ts';
import { type CgroupFacts, readCgroupFacts } from '../system/cgroup-facts.ts';
import type { VolumeService } from '../volumes/volume-service.ts';
import type { ContainerRecord } from './container.ts';
import type { LiveContainer } from './live.ts';
import { Registry } from './registry.ts';

/** What the room of containers is built on. */
export interface ContainerDeps {
  readonly config: EngineConfig;
  readonly store: Store;
  readonly snapshots: Snapshotter;
  readonly images: ImageService;
  readonly networks: NetworkService;
  readonly volumes: VolumeService;
  readonly logs: LogService;
  readonly events: EventBus;
  readonly runtimes: Runtimes;
  readonly health: HealthService;
  /** The room of execs, which itself stands on this one; used only after both are made. */
  readonly execs: () => { running(id: ContainerId): readonly string[]; forget(id: ContainerId): void };
  readonly createStreams: (options: {
    readonly log: Logger;
    readonly onOutput: (bytes: number) => void;
    readonly endsAtClose: boolean;
  }) => ProcessStreams;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where things of one container are. */
export interface ContainerPaths {
  /** Survives a reboot: hosts, hostname, resolv.conf, logs, checkpoints. */
  readonly data: string;
  /** On the exec root: config.json, rootfs, the monitor's socket and FIFOs. */
  readonly bundle: string;
  readonly rootfs: string;
  /** Where the network room pins the user namespace of a container that has its own. */
  readonly userNamespace: string;
  readonly exitFile: string;
}

/** What all verbs of the room share. */
export interface Room extends ContainerDeps {
  readonly registry: Registry;
  /** One verb at a time per container. Never held while waiting for a process to end. */
  readonly locks: KeyedLock;
  readonly host: HostLimits;
  readonly cgroups: CgroupFacts;
  readonly exitDirectory: string;
  /** Work that goes on in the background and that `close` waits for. */
  readonly background: Set<Promise<unknown>>;
  /** Set once the daemon goes down: no restarts any more. */
  closing: boolean;
  /** Resolves when the room closes: what waits for somebody else ends then. */
  readonly closed: PromiseWithResolvers<void>;
  /** The daemon has found again what was there; restart policies wait for it. */
  readonly restored: PromiseWithResolvers<void>;
}

export function createRoom(deps: ContainerDeps): Room {
  const exitDirectory = join(deps.config.execRoot, 'exits');
  mkdirSync(exitDirectory, { recursive: true, mode: 0o700 });
  mkdirSync(join(deps.config.execRoot, 'containers'), { recursive: true, mode: 0o711 });
  mkdirSync(join(deps.config.dataRoot, 'containers'), { recursive: true, mode: 0o711 });
  return {
    ...deps,
    registry: new Registry(deps.store),
    locks: new KeyedLock(),
    host: readHostLimits(deps.config),
    cgroups: readCgroupFacts(),
    exitDirectory,
    background: new Set(),
    closing: false,
    closed: Promise.withResolvers<void>(),
    restored: Promise.withResolvers(),
  };
}

export function pathsOf(room: Pick<Room, 'config' | 'exitDirectory'>, id: string): ContainerPaths {
  const bundle = join(room.config.execRoot, 'containers', id);
  return {
    data: join(room.config.dataRoot, 'containers', id),
    bundle,
    rootfs: join(bundle, 'rootfs'),
    userNamespace: join(room.config.execRoot, 'userns', id),
    exitFile: join(room.exitDirectory, id),
  };
}

export function runtimeOf(room: Room, record: ContainerRecord): OciRuntime {
  return room.runtimes.get(record.hostConfig.Runtime);
}

/** The container's cgroup below each hierarchy's mount point. */
export function cgroupOf(config: Pick<EngineConfig, 'cgroupParent' | 'cgroupDriver'>, record: ContainerRecord): string {
  return cgroupPlaceOf(config, record).directory;
}

export function cgroupPlaceOf(
  config: Pick<EngineConfig, 'cgroupParent' | 'cgroupDriver'>,
  record: ContainerRecord,
): CgroupPlace {
  return cgroupPlace(config.cgroupDriver, record.hostConfig.CgroupParent || config.cgroupParent, record.id);
}

export function newStreams(room: Room, record: () => ContainerRecord): ProcessStreams {
  return room.createStreams({
    log: room.log,
    onOutput: (bytes) => room.logs.open(record()).notify(bytes),
    endsAtClose: true,
  });
}

/** Runs work that nobody waits for but the daemon's end; its failure is logged. */
export function inBackground(room: Room, what: string, work: Promise<unknown>): void {
  const tracked = work
    .catch((error: unknown) => room.log.error({ err: messageOf(error) }, `${what} failed`))
    .finally(() => room.background.delete(tracked));
  room.background.add(tracked);
}

/** Publishes a container event with Docker's attributes: the labels, the image and the name, and what the action adds. */
export function publish(
  room: Pick<Room, 'events'>,
  record: ContainerRecord,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  const image = record.config.Image ?? '';
  room.events.publish({
    type: 'container',
    action,
    actorId: record.id,
    attributes: { ...record.config.Labels, image, name: record.name, ...extra },
  });
}

/** Runs `work` while holding the container's lock, unless it is gone by then. */
export function locked<T>(room: Room, live: LiveContainer, work: () => Promise<T> | T): Promise<T> {
  return room.locks.run(live.id, work);
}
