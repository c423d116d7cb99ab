import type { RunningEngine } from '@wharf/engine/engine';
import { isKind, messageOf, WharfError, withDeadline } from '@wharf/kit';
import type { Route } from '@wharf/wire/http/route';

/** Requests that only read, yet mount a container's root filesystem. */
const MOUNTS_ROOTFS = /\/(archive|export|changes)$/;

/** What one container is doing: known for certain when it was found again. The list does not wait. */
const TELLS_STATE = /\/containers\/[:{][^/]+\/json$/;
const STATE_DEADLINE_MS = 3_000;

/** A client is told to come again rather than left waiting. */
const GATE_DEADLINE_MS = 60_000;

/**
 * Lets requests that change something wait until what was there before the daemon is found again: a start in the middle of that would meet
 * the cleaning up after the last one. Reads (`ps`, `logs`, `events`) answer at once, `inspect` of a container after three seconds with what is
 * known then. Who has waited for `deadlineMs` gets `unavailable`.
 */
export function gateRoutes(
  routes: readonly Route[],
  engine: Pick<RunningEngine, 'start'>,
  deadlineMs = GATE_DEADLINE_MS,
): readonly Route[] {
  let restored = false;
  return routes.map((route) => {
    const reads = route.method === 'GET' || route.method === 'HEAD' || route.method === 'OPTIONS';
    const { handler } = route;
    if (reads && TELLS_STATE.test(route.pattern)) {
      return {
        ...route,
        handler: (request, response) =>
          restored ? handler(request, response) : found(engine).then(() => handler(request, response)),
      };
    }
    if (reads && !MOUNTS_ROOTFS.test(route.pattern)) return route;
    return {
      ...route,
      handler: (request, response) => {
        if (restored) return handler(request, response);
        return restore(engine, deadlineMs).then(() => {
          restored = true;
          return handler(request, response);
        });
      },
    };
  });
}

/** Resolves when everything is found again, or was waited for long enough. */
async function found(engine: Pick<RunningEngine, 'start'>): Promise<void> {
  try {
    await withDeadline({ ms: STATE_DEADLINE_MS, what: 'Finding what was there before the daemon' }, () =>
      engine.start(),
    );
  } catch {
    // What is in the books is told then; who starts the engine hears of the failure.
  }
}

async function restore(engine: Pick<RunningEngine, 'start'>, deadlineMs: number): Promise<void> {
  try {
    await withDeadline({ ms: deadlineMs, what: 'Finding what was there before the daemon' }, () => engine.start());
  } catch (cause) {
    if (!isKind(cause, 'deadline-exceeded')) throw cause;
    throw new WharfError('unavailable', `The daemon is still busy with what was there before it: ${messageOf(cause)}`, {
      cause,
      hint: 'try again in a moment; docker ps and docker logs answer meanwhile',
    });
  }
}
