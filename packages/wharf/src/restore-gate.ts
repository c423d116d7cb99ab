import type { RunningEngine } from '@wharf/engine/engine';
import type { Route } from '@wharf/wire/http/route';

/** Requests that only read, yet mount a container's root filesystem. */
const MOUNTS_ROOTFS = /\/(archive|export|changes)$/;

/**
 * Lets requests that change something wait until what was there before the daemon is found again: a start in the middle of that would meet
 * the cleaning up after the last one. Reads (`ps`, `inspect`, `logs`, `events`) answer at once.
 */
export function gateRoutes(routes: readonly Route[], engine: Pick<RunningEngine, 'start'>): readonly Route[] {
  let restored = false;
  return routes.map((route) => {
    const reads = route.method === 'GET' || route.method === 'HEAD' || route.method === 'OPTIONS';
    if (reads && !MOUNTS_ROOTFS.test(route.pattern)) return route;
    const { handler } = route;
    return {
      ...route,
      handler: (request, response) => {
        if (restored) return handler(request, response);
        return engine.start().then(() => {
          restored = true;
          return handler(request, response);
        });
      },
    };
  });
}
