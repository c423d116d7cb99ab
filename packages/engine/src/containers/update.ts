import { basename } from 'node:path';
import { isKind, messageOf, WharfError } from '@wharf/kit';
import { liftLimits, rememberLimits } from '@wharf/linux/cgroup';
import type { ContainerUpdateRequest, HostConfig } from '@wharf/wire/docker/types';
import { resourceLimits } from '../runtime/oci-spec/resources.ts';
import { setScopeProperties } from '../runtime/systemd-scope.ts';
import type { LiveContainer } from './live.ts';
import { cgroupOf, locked, publish, type Room, runtimeOf } from './room.ts';
import { validateRestartPolicy } from './validate-host.ts';
import { checkResources } from './validate-resources.ts';

/** `docker update`: limits take effect at once where the container runs, the restart policy from its next end on. */
export async function updateContainer(
  room: Room,
  live: LiveContainer,
  { Labels, PortsFrom, ...change }: ContainerUpdateRequest,
): Promise<{ readonly warnings: readonly string[] }> {
  validateRestartPolicy(change);
  const giver = PortsFrom ? room.registry.get(PortsFrom) : undefined;
  if (giver === live) throw cannot(live, 'it cannot take ports over from itself', 'invalid-argument');
  const { resources, warnings } = checkResources(change, room.cgroups, { update: true });
  await lockedBoth(room, live, giver, async () => {
    const before = live.record;
    const { status } = before.state;
    if (live.removing || status === 'removing' || status === 'dead') {
      throw cannot(live, 'container is marked for removal and cannot be "update"', 'conflict');
    }
    const hostConfig = merge(live, resources);
    // The runtime writes one file after the other, and the kernel may refuse any of them.
    const restore = live.run === undefined ? undefined : rememberLimits(cgroupOf(room.config, before));
    const config = Labels ? { ...before.config, Labels } : before.config;
    const giverBefore = giver?.record;
    room.registry.save(live, { ...before, hostConfig, config });
    try {
      if (live.run !== undefined) await apply(room, live, given(resources), hostConfig);
      if (giver !== undefined) await takePorts(room, live, giver);
      else if (hostConfig.PortBindings !== before.hostConfig.PortBindings) {
        // The last step that can fail: limits can be put back, ports may be someone else's by then.
        room.registry.save(live, { ...live.record, ports: await room.networks.republish(live.record) });
      }
      await room.store.committed();
    } catch (error) {
      restore?.();
      room.registry.save(live, { ...live.record, hostConfig: before.hostConfig, config: before.config });
      if (giver !== undefined && giverBefore !== undefined) room.registry.save(giver, giverBefore);
      throw cannot(live, messageOf(error), isKind(error, 'invalid-argument') ? 'invalid-argument' : 'internal', error);
    }
    publish(room, live.record, 'update');
  });
  return { warnings };
}

/** Both locks, in the order of ids: whoever takes two takes them so. */
function lockedBoth(room: Room, live: LiveContainer, other: LiveContainer | undefined, work: () => Promise<void>) {
  if (other === undefined) return locked(room, live, work);
  const [first, second] = live.id < other.id ? [live, other] : [other, live];
  return locked(room, first, () => locked(room, second, work));
}

/** The published ports of `giver` become those of `live`. The last step that can fail. */
async function takePorts(room: Room, live: LiveContainer, giver: LiveContainer): Promise<void> {
  const after = { ...giver.record, hostConfig: { ...giver.record.hostConfig, PortBindings: {} } };
  const ports = await room.networks.republish(live.record, after);
  room.registry.save(giver, { ...after, ports: await room.networks.republish(after) });
  room.registry.save(live, { ...live.record, ports });
  publish(room, giver.record, 'update');
}

function cannot(
  live: LiveContainer,
  reason: string,
  kind: 'conflict' | 'internal' | 'invalid-argument',
  cause?: unknown,
): WharfError {
  return new WharfError(kind, `Cannot update container ${live.id}: ${reason}`, { cause });
}

/** Docker's rules of what follows from what, for limits that are given one by one. */
function merge(live: LiveContainer, change: HostConfig): HostConfig {
  const before = live.record.hostConfig;
  const conflict = (reason: string) => cannot(live, reason, 'conflict');
  if ((change.NanoCpus ?? 0) > 0 && ((before.CpuPeriod ?? 0) > 0 || (before.CpuQuota ?? 0) > 0)) {
    throw conflict(
      `Conflicting options: Nano CPUs cannot be updated as ${(before.CpuPeriod ?? 0) > 0 ? 'CPU Period' : 'CPU Quota'} has already been set`,
    );
  }
  for (const [value, name] of [
    [change.CpuPeriod, 'CPU Period'],
    [change.CpuQuota, 'CPU Quota'],
  ] as const) {
    if ((value ?? 0) > 0 && (before.NanoCpus ?? 0) > 0) {
      throw conflict(`Conflicting options: ${name} cannot be updated as NanoCPUs has already been set`);
    }
  }
  const swap = change.MemorySwap ?? 0;
  if (
    (change.Memory ?? 0) > 0 &&
    swap === 0 &&
    (before.MemorySwap ?? 0) > 0 &&
    (change.Memory ?? 0) > (before.MemorySwap ?? 0)
  ) {
    throw conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  if (before.AutoRemove === true && change.RestartPolicy?.Name && change.RestartPolicy.Name !== 'no') {
    throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  return { ...before, ...given(change) };
}

/** Sets the limits of a running container. Runtimes take no word for "unlimited" on every cgroup layout; the files do. */
async function apply(room: Room, live: LiveContainer, change: HostConfig, after: HostConfig): Promise<void> {
  const limits = resourceLimits(change);
  if (Object.keys(limits).length > 0) await runtimeOf(room, live.record).update(live.id, limits);
  const pids = change.PidsLimit === 0;
  const cpuQuota = (change.CpuQuota ?? 0) < 0;
  if (pids || cpuQuota) liftLimits(cgroupOf(room.config, live.record), { pids, cpuQuota });
  if (room.config.cgroupDriver === 'systemd' && room.cgroups.version === '2') {
    await setScopeProperties(basename(cgroupOf(room.config, live.record)), resourceLimits(after));
  }
}

/** The fields that say something; zero and empty leave things as they are. `PidsLimit` 0 means unlimited, as do all below. */
function given(change: HostConfig): HostConfig {
  const kept = Object.entries(change).filter(([key, value]) => {
    if (value === undefined || value === null) return false;
    if (key === 'RestartPolicy') return (value as { Name?: string }).Name !== '';
    if (key === 'PidsLimit') return true;
    return value !== 0 && value !== '' && !(Array.isArray(value) && value.length === 0);
  });
  return Object.fromEntries(
    kept.map(([key, value]) => [key, key === 'PidsLimit' ? Math.max(Number(value), 0) : value]),
  ) as HostConfig;
}
