import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; for scripts that poll another program. */
export function delay(ms: number): Promise<void> {
  return sleep(ms);
}

/**
 * Asks `probe` again and again until it returns something other than `undefined`, and returns that.
 * Throws after `timeoutMs`, naming `what`.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 10_000, everyMs = 20 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(everyMs);
  }
}
