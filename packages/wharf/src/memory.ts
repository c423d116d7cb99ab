import { trimHeap } from '@wharf/linux/heap';
import { MEMORY_CHECK_MS, MEMORY_SLACK_BYTES } from './limits.ts';

/**
 * Gives memory back after a burst: the buffers of a large load or of many connections are freed one by one, and the C library would keep
 * their pages for good. Looks at how much there is every half minute and trims when it has grown by much and grows no more.
 */
export function keepMemorySmall(): void {
  let settled = process.memoryUsage.rss();
  let before = settled;
  setInterval(() => {
    const now = process.memoryUsage.rss();
    const resting = now <= before;
    before = now;
    if (now < settled) settled = now;
    if (!resting || now - settled < MEMORY_SLACK_BYTES) return;
    trimHeap();
    settled = process.memoryUsage.rss();
    before = settled;
  }, MEMORY_CHECK_MS).unref();
}
