import type { Filters } from '@wharf/kit';
import { filterBoolean, matchesExactly, matchesLabels, matchesPattern, validateFilters } from '@wharf/kit';
import type { Volume } from '@wharf/wire/docker/types';
import type { FoundVolume } from './drivers.ts';
import type { VolumeRecord } from './volume.ts';

/** A volume in Docker's shape. */
export function toVolume(record: VolumeRecord, mountpoint: string): Volume {
  return {
    CreatedAt: record.createdAt,
    Driver: record.driver,
    Labels: record.labels,
    Mountpoint: mountpoint,
    Name: record.name,
    Options: record.options,
    Scope: 'local',
  };
}

/** A volume as its driver has it, with what our books add. */
export function foundVolume(found: FoundVolume, record: VolumeRecord | undefined): Volume {
  const createdAt = found.createdAt ?? record?.createdAt;
  return {
    ...(createdAt === undefined ? {} : { CreatedAt: createdAt }),
    Driver: found.driver,
    Labels: record?.labels ?? null,
    Mountpoint: found.mountpoint,
    Name: found.name,
    Options: record?.options ?? null,
    Scope: found.scope,
    ...(found.status === undefined ? {} : { Status: found.status }),
  } as Volume;
}

/** What `volume ls --filter` selects. Throws `invalid-argument` for unknown filters. */
export function listFilter(filters: Filters): (record: VolumeRecord, held: boolean) => boolean {
  validateFilters(filters, ['dangling', 'driver', 'label', 'name']);
  const dangling = filters.has('dangling') ? filterBoolean(filters, 'dangling', false) : undefined;
  return (record, held) =>
    (dangling === undefined || dangling === !held) &&
    matchesExactly(filters, 'driver', record.driver) &&
    matchesPattern(filters, 'name', record.name) &&
    matchesLabels(filters, record.labels ?? undefined);
}

/** What `volume prune` removes among the volumes nobody holds: the anonymous ones, or with `all` every one. */
export function pruneFilter(filters: Filters, anonymousLabel: string): (record: VolumeRecord) => boolean {
  validateFilters(filters, ['all', 'label', 'label!']);
  const all = filterBoolean(filters, 'all', false);
  return (record) => {
    const labels = record.labels ?? undefined;
    if (Object.keys(record.options ?? {}).length > 0) return false;
    if (!all && !Object.hasOwn(labels ?? {}, anonymousLabel)) return false;
    if (filters.has('label!') && matchesLabels(filters, labels, 'label!')) return false;
    return matchesLabels(filters, labels);
  };
}
