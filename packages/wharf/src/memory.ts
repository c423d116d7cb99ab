import { flushCompileCache } from 'node:module';
import { releaseProgramPages, trimHeap } from '@wharf/linux/heap';
import { MEMORY_CHECK_MS, MEMORY_SETTLE_MS, MEMORY_SLACK_BYTES } from './limits.ts';

/**
 * Gives memory back that was needed to start, and after each burst: the buffers of a large load or of many connections are freed one by
 * one, and the C library would keep their pages for good. Looks every few seconds at how much there is, and lets go when it has grown by
 * much and grows no more.
 */
export function keepMemorySmall(): void {
  let settled = Number.POSITIVE_INFINITY;
  let before = 0;
  const settle = (isStart: boolean): void => {
    void letGo(isStart).then(() => {
      settled = process.memoryUsage.rss();
      before = settled;
    });
  };
  setTimeout(() => settle(true), MEMORY_SETTLE_MS).unref();
  setInterval(() => {
    const now = process.memoryUsage.rss();
    const resting = now <= before;
    before = now;
    if (now < settled) settled = now;
    if (resting && now - settled >= MEMORY_SLACK_BYTES) settle(false);
  }, MEMORY_CHECK_MS).unref();
}

/**
 * In steps of a few milliseconds each, so that requests get their turn in between. The pages of the program go only after the start, most
 * of which nothing needs again: after a burst they are those of what people do, and to fault them in anew costs the next build 60 to 100 ms.
 */
async function letGo(isStart: boolean): Promise<void> {
  // Node keeps what it read from the cache or is to write to it until it is told to write: twice the size of the program.
  flushCompileCache();
  await turn();
  trimHeap();
  await turn();
  if (isStart) releaseProgramPages();
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
