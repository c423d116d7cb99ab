import { messageOf, WharfError } from '@wharf/kit';
import { containerNotRunning } from '@wharf/wire/docker/messages';
import type { LiveContainer } from './live.ts';
import { locked, publish, type Room, runtimeOf } from './room.ts';

/** Freezes all processes of a running container. */
export async function pauseContainer(room: Room, live: LiveContainer): Promise<void> {
  await locked(room, live, async () => {
    const { status } = live.record.state;
    if (status === 'restarting') {
      throw new WharfError('conflict', `Container ${live.id} is restarting, wait until the container is running`);
    }
    if (live.run === undefined) throw new WharfError('conflict', containerNotRunning(live.id));
    if (status === 'paused') throw new WharfError('conflict', `container ${live.id} is already paused`);
    try {
      await runtimeOf(room, live.record).pause(live.id);
    } catch (error) {
      throw new WharfError('internal', `cannot pause container ${live.id}: ${messageOf(error)}`, { cause: error });
    }
    room.registry.saveState(live, { status: 'paused' });
    room.health.stop(live.id);
    publish(room, live.record, 'pause');
  });
}

/** Thaws a paused container. */
export async function unpauseContainer(room: Room, live: LiveContainer): Promise<void> {
  await locked(room, live, async () => {
    if (live.record.state.status !== 'paused') {
      throw new WharfError('conflict', `Container ${live.id} is not paused`);
    }
    try {
      await runtimeOf(room, live.record).resume(live.id);
    } catch (error) {
      throw new WharfError('internal', `cannot unpause container ${live.id}: ${messageOf(error)}`, { cause: error });
    }
    room.registry.saveState(live, { status: 'running' });
    room.health.resume(live.record);
    publish(room, live.record, 'unpause');
  });
}
