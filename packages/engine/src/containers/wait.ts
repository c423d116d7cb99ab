import type { WaitCondition, WaitResult } from './container-service.ts';
import type { LiveContainer } from './live.ts';

/** `docker wait`. The place in line is taken before this returns. */
export function waitForContainer(
  live: LiveContainer,
  condition: WaitCondition,
  signal: AbortSignal,
): { readonly result: Promise<WaitResult> } {
  if (condition === 'not-running' && !live.isRunning) {
    return { result: Promise.resolve({ exitCode: live.record.state.exitCode }) };
  }
  if (live.gone) return { result: Promise.resolve({ exitCode: live.record.state.exitCode }) };
  const result = live.waiters.add({ removedOnly: condition === 'removed', signal });
  // A caller that leaves before it awaits must not bring the daemon down.
  result.catch(() => undefined);
  return { result };
}
