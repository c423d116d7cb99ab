import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine } from '../../cli/parse-line.ts';
import { PROJECT_FLAGS } from './project-flags.ts';
import { appearanceOf, isTrue, type ProjectValues } from './settings.ts';

function appearance(line: readonly string[], given: { env?: NodeJS.ProcessEnv; terminal?: boolean } = {}) {
  const { values, given: names } = parseLine(PROJECT_FLAGS, line, { interspersed: false });
  const { env = {}, terminal = false } = given;
  return appearanceOf(values as unknown as ProjectValues, {
    ...{ env, isAnsiGiven: names.has('ansi'), outIsTerminal: terminal, errIsTerminal: terminal },
  });
}

test('appearanceOf() draws on a terminal, and writes lines elsewhere', () => {
  assert.deepEqual(appearance([], { terminal: true }), { progress: 'live', colouredOut: true, colouredErr: true });
  assert.deepEqual(appearance([]), { progress: 'plain', colouredOut: false, colouredErr: false });
  assert.equal(appearance(['--ansi', 'never'], { terminal: true }).progress, 'plain');
  assert.equal(appearance(['--ansi', 'always']).colouredOut, true);
});

test('appearanceOf() takes flags before variables, and NO_COLOR before both', () => {
  const env = { COMPOSE_ANSI: 'never', COMPOSE_PROGRESS: 'json' };
  assert.deepEqual(appearance([], { env, terminal: true }), {
    progress: 'json',
    colouredOut: false,
    colouredErr: false,
  });
  assert.equal(appearance(['--ansi', 'auto', '--progress', 'quiet'], { env, terminal: true }).progress, 'quiet');
  assert.equal(appearance(['--ansi', 'always'], { env: { NO_COLOR: '1' } }).colouredOut, false);
});

test('appearanceOf() refuses what excludes itself, in docker compose words', () => {
  assert.throws(
    () => appearance(['--progress', 'tty', '--ansi', 'never']),
    /can't use --progress tty while ANSI support is disabled/,
  );
  assert.throws(() => appearance(['--progress', 'plain', '--ansi', 'always']), /while ANSI support is forced/);
  assert.throws(() => appearance(['--progress', 'loud']), /unsupported --progress value "loud"/);
  assert.throws(() => appearance(['--no-ansi', '--ansi', 'never']), /cannot specify DEPRECATED/);
});

test('isTrue() reads what Go takes for true, and y', () => {
  assert.deepEqual(['1', 'TRUE', ' y ', 't', 'yes', '0', ''].map(isTrue), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
