import { messageOf, WharfError } from '@wharf/kit';
import type { LiveContainer } from './live.ts';
import { locked, publish, type Room } from './room.ts';

/** Gives a container another name; the old one is free at once. */
export async function renameContainer(room: Room, live: LiveContainer, given: string): Promise<void> {
  const wanted = given.trim();
  if (wanted === '') {
    throw new WharfError('invalid-argument', 'Neither old nor new names may be empty');
  }
  await locked(room, live, async () => {
    const before = live.record.name;
    if (before === wanted.replace(/^\//, '')) {
      throw new WharfError('invalid-argument', 'Renaming a container with the same name as its current name');
    }
    const name = reserve(room, live, wanted.startsWith('/') ? wanted : `/${wanted}`);
    room.registry.save(live, { ...live.record, name });
    room.registry.releaseName(before, live.id);
    try {
      await room.networks.rename(live.record);
      await room.store.committed();
    } catch (error) {
      room.registry.reserveName(before, live.id);
      room.registry.releaseName(name, live.id);
      room.registry.save(live, { ...live.record, name: before });
      throw error;
    }
    publish(room, live.record, 'rename', { oldName: `/${before}` });
  });
}

function reserve(room: Room, live: LiveContainer, name: string): string {
  try {
    return room.registry.reserveName(name, live.id);
  } catch (error) {
    if (!(error instanceof WharfError)) throw error;
    throw new WharfError(error.kind, `Error when allocating new name: ${messageOf(error)}`, { cause: error });
  }
}
