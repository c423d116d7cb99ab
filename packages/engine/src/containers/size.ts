import type { LiveContainer } from './live.ts';
import type { Room } from './room.ts';

/** What a container has written, and that with its image. */
export async function sizeOf(
  room: Room,
  live: LiveContainer,
): Promise<{ readonly sizeRw: number; readonly sizeRootFs: number }> {
  const { sizeBytes: sizeRw } = await room.snapshots.usage(live.record.snapshotKey);
  let sizeRootFs = sizeRw;
  for (let key: string = live.record.chainId; key !== ''; ) {
    sizeRootFs += (await layerSize(room, key)) ?? 0;
    key = room.snapshots.stat(key)?.parent ?? '';
  }
  return { sizeRw, sizeRootFs };
}

// Committed layers never change, so each is counted once.
const committed = new WeakMap<object, Map<string, number>>();

async function layerSize(room: Room, key: string): Promise<number | undefined> {
  const known = committed.get(room.snapshots) ?? new Map<string, number>();
  committed.set(room.snapshots, known);
  const before = known.get(key);
  if (before !== undefined || room.snapshots.stat(key) === undefined) return before;
  const { sizeBytes } = await room.snapshots.usage(key);
  known.set(key, sizeBytes);
  return sizeBytes;
}
