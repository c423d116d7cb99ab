import type { DeviceRequest, Resources, ThrottleDevice, Ulimit } from '@wharf/wire/docker/types';
import type { DeviceRequest as ModelDevice } from '../model/deploy.ts';
import type { BlkioConfig, BlkioRate, Ulimit as ModelUlimit, Service } from '../model/service.ts';
import { bytesOf } from '../model/units.ts';

/** Limits, devices and weights. What `deploy.resources` says wins over the service's own keys. */
export function resources(service: Service): Resources {
  const { limits, reservations } = service.deploy?.resources ?? {};
  const limitedPids = limits?.pids !== undefined && limits.pids > 0 ? limits.pids : service.pids_limit || undefined;
  const { plain, cdi } = devices(service);
  const requests: DeviceRequest[] = [
    ...(cdi.length > 0 ? [{ Driver: 'cdi', DeviceIDs: cdi }] : []),
    ...(service.gpus ?? []).map((gpu) => deviceRequest({ ...gpu, capabilities: [...(gpu.capabilities ?? []), 'gpu'] })),
    ...(reservations?.devices ?? []).map(deviceRequest),
  ];
  return {
    CgroupParent: service.cgroup_parent,
    Memory: bytesOf(limits?.memory) || bytesOf(service.mem_limit),
    MemorySwap: bytesOf(service.memswap_limit),
    MemorySwappiness: bytesOf(service.mem_swappiness) || undefined,
    MemoryReservation: bytesOf(reservations?.memory) || bytesOf(service.mem_reservation),
    OomKillDisable: service.oom_kill_disable ?? false,
    CpuCount: service.cpu_count,
    CpuPeriod: service.cpu_period,
    CpuQuota: service.cpu_quota,
    CpuRealtimePeriod: service.cpu_rt_period,
    CpuRealtimeRuntime: service.cpu_rt_runtime,
    CpuShares: service.cpu_shares,
    NanoCpus: nanoCpus(limits?.cpus) || nanoCpus(service.cpus),
    CpuPercent: Math.trunc((service.cpu_percent ?? 0) * 100),
    CpusetCpus: service.cpuset,
    DeviceCgroupRules: service.device_cgroup_rules,
    PidsLimit: limitedPids,
    ...blkio(service.blkio_config),
    Devices: plain.length > 0 ? plain : undefined,
    DeviceRequests: requests.length > 0 ? requests : undefined,
    Ulimits: ulimits(service.ulimits),
  };
}

/** In the precision of the 32 bits that compose keeps them in, so that both ask for the same. */
function nanoCpus(cpus: number | undefined): number {
  return Math.trunc(Math.fround(Math.fround(cpus ?? 0) * 1e9));
}

function deviceRequest({ driver, count, device_ids: ids, capabilities, options }: ModelDevice): DeviceRequest {
  return {
    Driver: driver ?? '',
    Count: count ?? 0,
    DeviceIDs: ids ?? null,
    Capabilities: [capabilities ?? []],
    Options: options ?? null,
  };
}

/** `vendor.example/class=name`, as the Container Device Interface has it. */
const CDI_NAME = /^[A-Za-z][\w.-]*[A-Za-z0-9]\/[A-Za-z][\w-]*[A-Za-z0-9]=[A-Za-z0-9][\w.:-]*$/;

function devices(service: Service): { readonly plain: NonNullable<Resources['Devices']>; readonly cdi: string[] } {
  const all = service.devices ?? [];
  const isCdi = ({ source = '', target }: (typeof all)[number]): boolean => source === target && CDI_NAME.test(source);
  return {
    cdi: all.filter(isCdi).map(({ source = '' }) => source),
    plain: all
      .filter((device) => !isCdi(device))
      .map(({ source = '', target = '', permissions = '' }) => ({
        PathOnHost: source,
        PathInContainer: target,
        CgroupPermissions: permissions,
      })),
  };
}

function ulimits(limits: Readonly<Record<string, ModelUlimit>> | undefined): readonly Ulimit[] | undefined {
  if (limits === undefined) return undefined;
  return Object.entries(limits).map(([Name, limit]) => {
    if (typeof limit === 'number') return { Name, Soft: limit, Hard: limit };
    return { Name, Soft: limit.soft ?? 0, Hard: limit.hard ?? 0 };
  });
}

function blkio(config: BlkioConfig | undefined): Resources {
  if (config === undefined) return {};
  const rates = (list: readonly BlkioRate[] | undefined): readonly ThrottleDevice[] | undefined =>
    list?.map(({ path, rate }) => ({ Path: path, Rate: Number(rate) }));
  return {
    BlkioWeight: config.weight,
    BlkioWeightDevice: config.weight_device?.map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: rates(config.device_read_bps),
    BlkioDeviceReadIOps: rates(config.device_read_iops),
    BlkioDeviceWriteBps: rates(config.device_write_bps),
    BlkioDeviceWriteIOps: rates(config.device_write_iops),
  };
}
