import { setImmediate } from 'node:timers/promises';
import { UPKEEP_SLICE_MS } from '../limits.ts';

/** Lets requests in between pieces of long work: await it in the loop; it only waits when the slice is used up. */
export function slices(): () => Promise<void> | undefined {
  let begun = performance.now();
  return () => {
    if (performance.now() - begun < UPKEEP_SLICE_MS) return undefined;
    return setImmediate().then(() => {
      begun = performance.now();
    });
  };
}
