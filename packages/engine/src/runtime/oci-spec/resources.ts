import { statSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import type { HostConfig, ThrottleDevice, WeightDevice } from '@wharf/wire/docker/types';
import type { SpecResources } from './spec.ts';

/** Limits as the OCI spec writes them; runtimes turn v1's numbers into v2's. Fields not asked for are left out. */
export function resourceLimits(host: HostConfig): SpecResources {
  const memory = compact({
    limit: positive(host.Memory),
    reservation: positive(host.MemoryReservation),
    swap: host.MemorySwap === undefined || host.MemorySwap === 0 ? undefined : host.MemorySwap,
    swappiness:
      host.MemorySwappiness === null || (host.MemorySwappiness ?? -1) < 0
        ? undefined
        : (host.MemorySwappiness ?? undefined),
    disableOOMKiller: host.OomKillDisable === true ? true : undefined,
  });
  const cpu = compact({ ...cpuTime(host), cpus: host.CpusetCpus || undefined, mems: host.CpusetMems || undefined });
  const blockIO = blockLimits(host);
  const pids = host.PidsLimit ?? undefined;
  return {
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(pids !== undefined && pids > 0 ? { pids: { limit: pids } } : {}),
    ...(blockIO ? { blockIO } : {}),
  };
}

const CPU_PERIOD_US = 100_000;

function cpuTime(host: HostConfig): Record<string, number | undefined> {
  const nano = positive(host.NanoCpus);
  return {
    shares: positive(host.CpuShares),
    // `--cpus` is a quota of the default period.
    period: nano === undefined ? positive(host.CpuPeriod) : CPU_PERIOD_US,
    // No quota is what a new cgroup has; crun 1.8 cannot write it.
    quota: nano === undefined ? positive(host.CpuQuota) : Math.round((nano * CPU_PERIOD_US) / 1e9),
    realtimePeriod: positive(host.CpuRealtimePeriod),
    realtimeRuntime: positive(host.CpuRealtimeRuntime),
  };
}

function blockLimits(host: HostConfig): Record<string, unknown> | undefined {
  const weights = list(host.BlkioWeightDevice, ({ Path, Weight }: WeightDevice) => ({
    ...device(Path),
    weight: Weight,
  }));
  const rate = ({ Path, Rate }: ThrottleDevice) => ({ ...device(Path), rate: Rate });
  return compact<unknown>({
    weight: positive(host.BlkioWeight),
    weightDevice: weights,
    throttleReadBpsDevice: list(host.BlkioDeviceReadBps, rate),
    throttleWriteBpsDevice: list(host.BlkioDeviceWriteBps, rate),
    throttleReadIOPSDevice: list(host.BlkioDeviceReadIOps, rate),
    throttleWriteIOPSDevice: list(host.BlkioDeviceWriteIOps, rate),
  });
}

function device(path: string): { readonly major: number; readonly minor: number } {
  try {
    const { rdev } = statSync(path);
    return { major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
  } catch (error) {
    throw new WharfError('invalid-argument', `Cannot limit device "${path}": it does not exist`, { cause: error });
  }
}

function list<T, R>(values: readonly T[] | null | undefined, turn: (value: T) => R): readonly R[] | undefined {
  return values && values.length > 0 ? values.map(turn) : undefined;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function compact<T>(values: Record<string, T | undefined>): Record<string, T> | undefined {
  const kept = Object.entries(values).filter((entry): entry is [string, T] => entry[1] !== undefined);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
