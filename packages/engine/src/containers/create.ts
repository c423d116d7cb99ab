import { mkdirSync, rmSync } from 'node:fs';
import { formatRfc3339Nano, newId, randomName, shortId, WharfError, ZERO_TIME } from '@wharf/kit';
import { expectCgroupMove } from '@wharf/linux/cgroup';
import { formatPlatform, hostPlatform, platformMatches } from '@wharf/oci/spec/platform';
import { noSuchContainer } from '@wharf/wire/docker/messages';
import type { ContainerConfig, HostConfig } from '@wharf/wire/docker/types';
import type { ResolvedImage } from '../images/image-service.ts';
import { checkCgroupParent } from '../runtime/cgroup-place.ts';
import { clampWarnings } from '../runtime/oci-spec/rlimits.ts';
import type { ContainerRecord } from './container.ts';
import type { CreateOptions, CreateResult } from './container-service.ts';
import { resolveLinks } from './links.ts';
import { LiveContainer } from './live.ts';
import { commandOf, mergeImageConfig, withDefaultNetwork, withHostDefaults, withHostname } from './merge.ts';
import { peerName } from './namespaces.ts';
import { newStreams, pathsOf, publish, type Room } from './room.ts';
import { acquireRootfs, releaseRootfs } from './rootfs.ts';
import { rootfsLimit } from './rootfs-limit.ts';
import { chooseUserNamespace } from './user-namespace.ts';
import { validateConfig } from './validate-config.ts';
import { validateHostConfig, validateSharedNetwork } from './validate-host.ts';
import { checkResources } from './validate-resources.ts';

const NAME_ATTEMPTS = 6;

/**
 * Makes a container: checks, image, name, networks, volumes, snapshot, record, in this order. Nothing is left of one that
 * fails; what a crash leaves belongs to no record and is removed by the next daemon start.
 */
export async function createContainer(room: Room, options: CreateOptions): Promise<CreateResult> {
  const warnings: string[] = [];
  const own = validateConfig(options.config);
  // Most clients start what they create.
  expectCgroupMove();
  validateSharedNetwork(own, options.hostConfig);
  const hostConfig = checkHost(room, options.hostConfig, warnings);
  const image = own.Image ? await room.images.resolve(own.Image, options.platform) : undefined;
  if (image !== undefined && options.platform === undefined) warnForeignPlatform(image, warnings);
  const merged = validateConfig(mergeImageConfig(own, image?.config.config));
  room.logs.validate(hostConfig.LogConfig?.Type ?? '', hostConfig.LogConfig?.Config ?? {});
  if (image !== undefined) await room.images.ensureUnpacked(image);
  await using undo = new AsyncDisposableStack();
  const id = newId<'container'>();
  const name = reserveName(room, options.name, id);
  undo.defer(() => room.registry.releaseName(name, id));
  const config = withHostname(merged, hostConfig, id);
  const live = await build(room, { id, name, config, hostConfig, image, request: options }, undo);
  room.registry.add(live);
  room.registry.save(live, live.record);
  undo.defer(() => room.registry.delete(live));
  // A container that goes with its process needs no record that survives a power cut.
  if (hostConfig.AutoRemove !== true) await room.store.committed();
  undo.move();
  publish(room, live.record, 'create');
  return { id, warnings };
}

function checkHost(room: Room, given: HostConfig, warnings: string[]): HostConfig {
  validateHostConfig(given);
  checkCgroupParent(room.config.cgroupDriver, given.CgroupParent);
  const checked = checkResources(given, room.cgroups, { update: false });
  warnings.push(...checked.warnings, ...clampWarnings(given.Ulimits ?? [], room.host.rlimits));
  const hostConfig = withHostDefaults(
    { ...checked.resources, ...sharedWith(room, given) },
    {
      config: room.config,
      defaultRuntime: room.runtimes.defaultName,
      cgroupVersion: room.cgroups.version,
    },
  );
  // `withHostDefaults` doubles the memory into swap, which this host may not count.
  if (!room.cgroups.swapLimit && (hostConfig.Memory ?? 0) > 0) Object.assign(hostConfig, { MemorySwap: -1 });
  room.runtimes.get(hostConfig.Runtime);
  if (hostConfig.NetworkMode === 'host' && Object.keys(given.PortBindings ?? {}).length > 0) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  return hostConfig;
}

/**
 * Modes that name another container keep its id, so that its renaming changes nothing. Only a network may be that of a
 * container still to come.
 */
function sharedWith(room: Room, given: HostConfig): HostConfig {
  const byId = (mode: string | undefined, mayCome: boolean) => {
    const name = peerName(mode);
    if (name === undefined) return mode;
    const peer = room.registry.find(name);
    if (peer === undefined && !mayCome) throw new WharfError('invalid-argument', noSuchContainer(name));
    return peer === undefined ? mode : `container:${peer.id}`;
  };
  return {
    NetworkMode: byId(given.NetworkMode, true),
    PidMode: byId(given.PidMode, false),
    IpcMode: byId(given.IpcMode, false),
  };
}

function warnForeignPlatform(image: ResolvedImage, warnings: string[]): void {
  const host = hostPlatform();
  if (platformMatches(host, image.platform)) return;
  warnings.push(
    `The requested image's platform (${formatPlatform(image.platform)}) does not match the detected host platform (${formatPlatform(host)}) and no specific platform was requested`,
  );
}

function reserveName(room: Room, given: string | undefined, id: string): string {
  if (given) return room.registry.reserveName(given, id);
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    const name = randomName(attempt);
    if (room.registry.isNameFree(name)) return room.registry.reserveName(name, id);
  }
  return room.registry.reserveName(shortId(id), id);
}

interface Draft {
  readonly id: ContainerRecord['id'];
  readonly name: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly image: ResolvedImage | undefined;
  readonly request: CreateOptions;
}

async function build(room: Room, draft: Draft, undo: AsyncDisposableStack): Promise<LiveContainer> {
  const { id, config, hostConfig, image } = draft;
  const userNamespace = chooseUserNamespace(room, id, hostConfig);
  const endpoints = await room.networks.plan({
    hostConfig,
    networkingConfig: withDefaultNetwork(draft.request.networkingConfig, hostConfig.NetworkMode ?? 'bridge'),
    hostname: config.Hostname ?? '',
  });
  const links = resolveLinks(hostConfig, (idOrName) => room.registry.find(idOrName)?.record);
  const mounts = await room.volumes.plan({
    containerId: id,
    hostConfig,
    imageVolumes: Object.keys(config.Volumes ?? {}),
    lookUp: (idOrName) => room.registry.get(idOrName).record,
    shallowReadOnly: draft.request.shallowReadOnly,
  });
  undo.defer(() => room.volumes.release({ id, mounts }, { removeAnonymous: true }));
  const record: ContainerRecord = {
    id,
    name: draft.name,
    createdAt: formatRfc3339Nano(room.clock.nowNs()),
    ...commandOf(config),
    config,
    hostConfig,
    imageId: image?.id ?? '',
    manifestDigest: image?.manifestDigest ?? '',
    platform: image?.platform ?? hostPlatform(),
    chainId: image?.chainId ?? '',
    snapshotKey: id,
    ...(userNamespace ? { userNamespace } : {}),
    mounts,
    endpoints,
    ports: {},
    ...(links.length > 0 ? { links } : {}),
    state: {
      status: 'created',
      pid: 0,
      monitorPid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: ZERO_TIME,
      finishedAt: ZERO_TIME,
      restartCount: 0,
      manuallyStopped: false,
      hasBeenStarted: false,
    },
  };
  await room.snapshots.prepare(record.snapshotKey, record.chainId, rootfsLimit(hostConfig));
  undo.defer(() => room.snapshots.remove(record.snapshotKey));
  const paths = pathsOf(room, id);
  mkdirSync(paths.data, { recursive: true, mode: 0o710 });
  undo.defer(() => rmSync(paths.data, { recursive: true, force: true }));
  const live: LiveContainer = new LiveContainer(
    record,
    newStreams(room, () => live.record),
  );
  await room.volumes.acquire(record);
  if (mounts.some(({ Type }) => Type === 'volume')) await fillVolumes(room, live);
  return live;
}

/** Volumes that are empty begin with what the image has at their place. */
async function fillVolumes(room: Room, live: LiveContainer): Promise<void> {
  const rootfs = await acquireRootfs(room, live);
  try {
    await room.volumes.populate(live.record, rootfs);
  } catch (error) {
    if (error instanceof WharfError) throw error;
    throw new WharfError('internal', `Cannot fill the volumes of container "${live.record.name}": ${String(error)}`, {
      cause: error,
    });
  } finally {
    await releaseRootfs(room, live);
  }
}
