import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemClock } from './clock.ts';
import { isDigest, parseDigest, splitDigest } from './digest.ts';
import { hasErrno, isKind, messageOf, WharfError } from './errors.ts';
import {
  filterBoolean,
  matchesExactly,
  matchesLabel,
  matchesLabels,
  matchesPattern,
  matchesPrefix,
  validateFilters,
} from './filters.ts';
import { newId, shortId } from './ids.ts';
import { randomName } from './names.ts';
import { redact, redactFields } from './redact.ts';

const filters = (map: Record<string, readonly string[]>) => new Map(Object.entries(map));

test('validateFilters() names the unknown key', () => {
  validateFilters(filters({ label: ['a'] }), ['label']);
  assert.throws(
    () => validateFilters(filters({ odd: [] }), ['label']),
    (error) => isKind(error, 'invalid-argument') && error.message === "invalid filter 'odd'",
  );
});

test('matches…() let absent keys pass and take any value of a key', () => {
  const some = filters({ name: ['web', 'db'], id: ['abc'] });
  assert.ok(
    matchesExactly(some, 'absent', 'x') && matchesExactly(some, 'name', 'db') && !matchesExactly(some, 'name', 'd'),
  );
  assert.ok(matchesPrefix(some, 'id', 'abcdef') && !matchesPrefix(some, 'id', 'xabc'));
  assert.ok(matchesPattern(some, 'name', 'my-web-1') && !matchesPattern(some, 'name', 'other'));
  assert.ok(matchesPattern(filters({ name: ['^/?web$'] }), 'name', 'web'));
  assert.ok(!matchesPattern(filters({ name: ['['] }), 'name', 'web'));
});

test('matchesPattern() is not held up by a pattern that backtracks', () => {
  const start = performance.now();
  for (const pattern of ['(a+)+$', '(a*)*$', 'a*a*a*a*a*a*b', '(a|a)+$'.repeat(5)]) {
    matchesPattern(filters({ name: [pattern] }), 'name', `${'a'.repeat(60)}!`);
  }
  assert.ok(performance.now() - start < 2_000);
});

test('matchesLabels() needs every label', () => {
  const labels = { a: '1', b: '' };
  assert.ok(matchesLabels(filters({ label: ['a', 'a=1', 'b='] }), labels));
  assert.ok(!matchesLabels(filters({ label: ['a', 'c'] }), labels));
  assert.ok(!matchesLabel('toString', labels) && !matchesLabel('a', undefined));
  assert.ok(matchesLabel('a=1', labels) && !matchesLabel('a=2', labels));
});

test('filterBoolean() takes true, false, 1 and 0 alone', () => {
  assert.equal(filterBoolean(filters({}), 'dangling', true), true);
  assert.equal(filterBoolean(filters({ dangling: ['1', 'true'] }), 'dangling', false), true);
  assert.equal(filterBoolean(filters({ dangling: ['0'] }), 'dangling', true), false);
  for (const bad of [['maybe'], ['true', 'false'], ['toString']]) {
    assert.throws(
      () => filterBoolean(filters({ dangling: bad }), 'dangling', true),
      (error) => isKind(error, 'invalid-argument') && error.message === `invalid filter 'dangling=[${bad.join(' ')}]'`,
    );
  }
});

test('redact() hides passwords of URLs and tokens, and nothing else', () => {
  assert.equal(redact('https://me:secret@host/x'), 'https://me:xxxxx@host/x');
  assert.equal(redact('a://u:p@x b://v:q@y'), 'a://u:xxxxx@x b://v:xxxxx@y');
  assert.equal(redact('https://host:5000/me@x'), 'https://host:5000/me@x');
  assert.equal(redact('Authorization: Bearer abcdef.ghi'), 'Authorization: Bearer xxxxx');
  const long = 'x://'.repeat(50_000);
  assert.equal(redact(long), long);
  assert.deepEqual(
    redactFields({ password: 'x', nested: [{ identitytoken: 'y', url: 'a://b:c@d' }], n: 1, auth: '' }),
    {
      password: 'xxxxx',
      nested: [{ identitytoken: 'xxxxx', url: 'a://b:xxxxx@d' }],
      n: 1,
      auth: '',
    },
  );
});

test('randomName() is a pair of words, with a digit from the second attempt on', () => {
  for (let i = 0; i < 50; i += 1) assert.match(randomName(), /^[a-z]+_[a-z]+$/);
  assert.match(randomName(1), /^[a-z]+_[a-z]+\d$/);
  assert.equal(
    randomName(0, () => 0),
    'able_amundsen',
  );
});

test('newId() is 64 hex digits whose short form is no number', () => {
  for (let i = 0; i < 100; i += 1) assert.match(newId(), /^(?!\d{12})[0-9a-f]{64}$/);
  assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab');
});

test('digests are checked and split', () => {
  const digest = parseDigest(`sha256:${'0'.repeat(64)}`);
  assert.deepEqual(splitDigest(digest), { algorithm: 'sha256', hex: '0'.repeat(64) });
  assert.ok(!isDigest(`sha256:${'0'.repeat(63)}`) && !isDigest('sha256:'));
  assert.throws(
    () => parseDigest('x'),
    (error) => isKind(error, 'invalid-argument'),
  );
});

test('WharfError keeps kind, cause and hint', () => {
  const cause = Object.assign(new Error('no'), { code: 'ENOENT' });
  const error = new WharfError('not-found', 'Cannot', { cause, hint: 'do', code: 'x' });
  assert.ok(isKind(error, 'not-found') && !isKind(cause, 'not-found'));
  assert.deepEqual([error.cause, error.hint, error.code], [cause, 'do', 'x']);
  assert.ok(hasErrno(cause, 'EEXIST', 'ENOENT') && !hasErrno(error, 'ENOENT') && !hasErrno(null, 'ENOENT'));
  assert.deepEqual([messageOf(cause), messageOf('text')], ['no', 'text']);
});

test('SystemClock never gives the same time twice, and its sleep can be aborted', async () => {
  const clock = new SystemClock();
  let last = 0n;
  for (let i = 0; i < 10_000; i += 1) {
    const now = clock.nowNs();
    assert.ok(now > last);
    last = now;
  }
  const controller = new AbortController();
  const sleeping = clock.sleep(60_000, { signal: controller.signal });
  controller.abort(new Error('awake'));
  await assert.rejects(sleeping, /awake/);
});
