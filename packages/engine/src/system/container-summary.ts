import { parseRfc3339 } from '@wharf/kit';
import type { ContainerSummary } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { statusText } from '../containers/status-text.ts';

/** The row that `system df` shows of a container. */
export function toUsageSummary(
  record: ContainerRecord,
  size: { readonly sizeRw: number; readonly sizeRootFs: number },
  nowNs: bigint,
): ContainerSummary {
  const { config, hostConfig, state } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: config.Image ?? '',
    ImageID: record.imageId,
    Command: [record.path, ...record.args].join(' '),
    Created: Number((parseRfc3339(record.createdAt) ?? 0n) / 1_000_000_000n),
    Ports: [],
    SizeRw: size.sizeRw,
    SizeRootFs: size.sizeRootFs,
    Labels: config.Labels ?? {},
    State: state.status,
    Status: statusText(state, nowNs),
    HostConfig: { NetworkMode: hostConfig.NetworkMode },
    NetworkSettings: {
      Networks: Object.fromEntries(record.endpoints.map((item) => [item.networkName, item.settings])),
    },
    Mounts: record.mounts,
  };
}
