import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine } from '../../cli/parse-line.ts';
import { UP_FLAGS, type UpValues, upMode } from './up-flags.ts';

function mode(...line: readonly string[]) {
  return upMode(parseLine(UP_FLAGS, line, { interspersed: true }).values as unknown as UpValues);
}

test('upMode() settles what flags imply', () => {
  assert.deepEqual(mode(), { isDetached: false, onExit: 'ignore' });
  assert.deepEqual(mode('--wait'), { isDetached: true, onExit: 'ignore' });
  assert.deepEqual(mode('--exit-code-from', 'web'), { isDetached: false, onExit: 'stop' });
  assert.deepEqual(mode('--exit-code-from', 'web', '--abort-on-container-failure'), {
    ...{ isDetached: false, onExit: 'stop-on-failure' },
  });
});

test('upMode() refuses flags that exclude each other', () => {
  const wrong: Readonly<Record<string, RegExp>> = {
    '-d --abort-on-container-exit': /^WharfError: --detach cannot be combined/,
    '-d --watch': /--detach cannot be combined/,
    '--wait --watch': /--wait cannot be combined with --abort-on-container-exit, --abort-on-container-failure/,
    '--wait --attach web': /--wait cannot be combined with --abort-on-container-exit, --attach or/,
    '--abort-on-container-exit --abort-on-container-failure': /cannot be combined with --abort-on-container-exit/,
    '-V --no-recreate': /--no-recreate and --renew-anon-volumes are incompatible/,
    '--always-recreate-deps --no-recreate': /--always-recreate-deps and --no-recreate are incompatible/,
    '--no-build --watch': /--no-build and --watch are incompatible/,
    '--attach web --attach-dependencies': /cannot combine --attach and --attach-dependencies/,
  };
  for (const [line, words] of Object.entries(wrong)) {
    assert.throws(
      () => mode(...line.split(' ')),
      { message: new RegExp(words.source.replace('^WharfError: ', '^')) },
      line,
    );
  }
});
