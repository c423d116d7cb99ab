import {
  type ContainerId,
  type Filters,
  matchesLabel,
  matchesLabels,
  messageOf,
  parseRfc3339,
  validateFilters,
  WharfError,
} from '@wharf/kit';
import { pruneRunning } from '@wharf/wire/docker/messages';
import { pruneCutoff } from '../networks/prune.ts';
import type { ExitFollowUps } from './exit.ts';
import { removeContainer } from './remove.ts';
import type { Room } from './room.ts';
import { sizeOf } from './size.ts';

const busy = new WeakSet<Room>();

/** Removes the containers that do not run. One at a time per daemon: throws `conflict` for a second. */
export async function pruneContainers(
  room: Room,
  filters: Filters,
  then: ExitFollowUps,
): Promise<{ readonly deleted: readonly ContainerId[]; readonly spaceReclaimedBytes: number }> {
  validateFilters(filters, ['label', 'label!', 'until']);
  const cutoff = pruneCutoff(filters, room.clock.nowNs());
  const until = cutoff === undefined ? undefined : parseRfc3339(cutoff);
  if (busy.has(room)) throw new WharfError('conflict', pruneRunning);
  busy.add(room);
  try {
    const deleted: ContainerId[] = [];
    let spaceReclaimedBytes = 0;
    for (const live of room.registry.all()) {
      const { config, createdAt } = live.record;
      if (live.isRunning || live.removing) continue;
      if (until !== undefined && (parseRfc3339(createdAt) ?? 0n) > until) continue;
      if (!matchesLabels(filters, config.Labels ?? {})) continue;
      if ((filters.get('label!') ?? []).some((label) => matchesLabel(label, config.Labels ?? {}))) continue;
      try {
        const { sizeRw } = await sizeOf(room, live);
        await removeContainer(room, live, { name: live.id, force: false, removeVolumes: false, link: false }, then);
        deleted.push(live.id);
        spaceReclaimedBytes += sizeRw;
      } catch (error) {
        room.log.warn({ container: live.id, err: messageOf(error) }, 'a container could not be pruned');
      }
    }
    room.events.publish({
      type: 'container',
      action: 'prune',
      actorId: '',
      attributes: { reclaimed: String(spaceReclaimedBytes) },
    });
    return { deleted, spaceReclaimedBytes };
  } finally {
    busy.delete(room);
  }
}
