import assert from 'node:assert/strict';
import test from 'node:test';
import { decideRestart, type RestartFacts, startsWithDaemon } from './restart-policy.ts';

const facts = (given: Partial<RestartFacts>): RestartFacts => ({
  policy: { name: 'always', maximumRetries: 0 },
  exitCode: 0,
  manuallyStopped: false,
  restartCount: 0,
  ranMs: 10,
  lastDelayMs: 0,
  ...given,
});

test('decideRestart() doubles the delay from 100 ms up to a minute', () => {
  const delays: number[] = [];
  for (let lastDelayMs = 0; delays.length < 12; ) {
    const decision = decideRestart(facts({ lastDelayMs }));
    assert.ok(decision.restart);
    delays.push(decision.delayMs);
    lastDelayMs = decision.delayMs;
  }
  assert.deepEqual(delays.slice(0, 4), [100, 200, 400, 800]);
  assert.equal(delays.at(-1), 60_000);
});

test('decideRestart() begins anew after a run of ten seconds', () => {
  assert.deepEqual(decideRestart(facts({ lastDelayMs: 6400, ranMs: 10_000 })), { restart: true, delayMs: 100 });
});

test('decideRestart() leaves what the user stopped alone', () => {
  for (const name of ['always', 'unless-stopped', 'on-failure']) {
    const decision = decideRestart(facts({ policy: { name, maximumRetries: 0 }, manuallyStopped: true, exitCode: 1 }));
    assert.equal(decision.restart, false);
  }
});

test('decideRestart() with on-failure counts failures only, up to the maximum', () => {
  const policy = { name: 'on-failure', maximumRetries: 2 };
  assert.equal(decideRestart(facts({ policy, exitCode: 0 })).restart, false);
  assert.equal(decideRestart(facts({ policy, exitCode: 1, restartCount: 1 })).restart, true);
  assert.equal(decideRestart(facts({ policy, exitCode: 1, restartCount: 2 })).restart, false);
  assert.equal(
    decideRestart(facts({ policy: { name: 'on-failure', maximumRetries: 0 }, exitCode: 1, restartCount: 99 })).restart,
    true,
  );
});

test('decideRestart() does nothing without a policy', () => {
  for (const name of ['', 'no']) {
    assert.equal(decideRestart(facts({ policy: { name, maximumRetries: 0 }, exitCode: 1 })).restart, false);
  }
});

test('startsWithDaemon() starts always, and unless-stopped unless stopped', () => {
  const down = { exitCode: 0, restartCount: 0 };
  assert.equal(
    startsWithDaemon({ ...down, policy: { name: 'always', maximumRetries: 0 }, manuallyStopped: true }),
    true,
  );
  assert.equal(
    startsWithDaemon({ ...down, policy: { name: 'unless-stopped', maximumRetries: 0 }, manuallyStopped: true }),
    false,
  );
  assert.equal(
    startsWithDaemon({ ...down, policy: { name: 'unless-stopped', maximumRetries: 0 }, manuallyStopped: false }),
    true,
  );
});
