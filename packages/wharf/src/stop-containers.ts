import type { Engine } from '@wharf/engine/engine';
import { isKind } from '@wharf/kit';

/** Stops what runs, all at once. Restart policies see it as the daemon's doing, not the user's, so `always` comes back. */
export async function stopContainers(engine: Engine, timeoutSeconds: number): Promise<void> {
  const running = engine.containers.list().filter(({ state }) => state.pid > 0);
  await Promise.all(
    running.map(async ({ id }) => {
      try {
        await engine.containers.stop(id, { timeoutSeconds });
        engine.containers.amend(id, (record) => ({ ...record, state: { ...record.state, manuallyStopped: false } }));
      } catch (error) {
        if (!isKind(error, 'not-modified') && !isKind(error, 'not-found')) throw error;
      }
    }),
  );
}
