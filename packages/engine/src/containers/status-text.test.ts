import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ZERO_TIME } from '@wharf/kit';
import type { ContainerState } from './container.ts';
import { humanDuration, statusText } from './status-text.ts';

const HOUR = 3600;
const nowNs = 1_767_225_600_000_000_000n; // 2026-01-01T00:00:00Z

function state(change: Partial<ContainerState>): ContainerState {
  return {
    ...{ status: 'running', pid: 1, monitorPid: 1, exitCode: 0, error: '', oomKilled: false, restartCount: 0 },
    ...{ startedAt: '2025-12-31T23:57:00Z', finishedAt: ZERO_TIME, manuallyStopped: false, hasBeenStarted: true },
    ...change,
  } as ContainerState;
}

describe('humanDuration()', () => {
  it("speaks as Docker's clients do", () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, 'Less than a second'],
      [1, '1 second'],
      [59, '59 seconds'],
      [61, 'About a minute'],
      [180, '3 minutes'],
      [HOUR, 'About an hour'],
      [47 * HOUR, '47 hours'],
      [72 * HOUR, '3 days'],
      [15 * 24 * HOUR, '2 weeks'],
      [70 * 24 * HOUR, '2 months'],
      [800 * 24 * HOUR, '2 years'],
    ];
    for (const [seconds, text] of cases) assert.equal(humanDuration(BigInt(seconds) * 1_000_000_000n), text);
  });
});

describe('statusText()', () => {
  it('names the state, its age and health', () => {
    assert.equal(statusText(state({}), nowNs), 'Up 3 minutes');
    const health = { status: 'starting', failingStreak: 0, log: [] } as const;
    assert.equal(statusText(state({ health }), nowNs), 'Up 3 minutes (health: starting)');
    assert.equal(statusText(state({ health: { ...health, status: 'unhealthy' } }), nowNs), 'Up 3 minutes (unhealthy)');
    assert.equal(statusText(state({ status: 'paused' }), nowNs), 'Up 3 minutes (Paused)');
    const finishedAt = '2025-12-31T23:59:55Z';
    assert.equal(
      statusText(state({ status: 'exited', exitCode: 137, finishedAt }), nowNs),
      'Exited (137) 5 seconds ago',
    );
    assert.equal(
      statusText(state({ status: 'restarting', exitCode: 1, finishedAt }), nowNs),
      'Restarting (1) 5 seconds ago',
    );
    assert.equal(statusText(state({ status: 'exited', startedAt: ZERO_TIME }), nowNs), 'Created');
    assert.equal(statusText(state({ status: 'created' }), nowNs), 'Created');
  });
});
