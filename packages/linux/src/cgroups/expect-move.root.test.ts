import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { MoveExpectation } from './expect-move.ts';

test('MoveExpectation.expect() leaves this process where it is, and begins again once its time is over', async () => {
  const before = readFileSync('/proc/self/cgroup', 'utf8');
  let nowMs = 0;
  const moves = new MoveExpectation({ nowMs: () => nowMs });
  moves.expect();
  moves.expect();
  nowMs = 1_000_000;
  await moves.settled();
  moves.expect();
  nowMs = 2_000_000;
  await moves.settled();
  assert.equal(readFileSync('/proc/self/cgroup', 'utf8'), before);
});
