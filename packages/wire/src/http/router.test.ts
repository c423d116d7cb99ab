import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFilters, SearchQuery } from './query.ts';
import type { Route } from './route.ts';
import { parseTarget, Router } from './router.ts';

const route = (method: Route['method'], pattern: string, since?: number): Route => ({
  method,
  pattern,
  handler() {},
  ...(since === undefined ? {} : { since }),
});

const router = new Router([
  route('GET', '/containers/json'),
  route('GET', '/containers/{id}/json'),
  route('GET', '/images/json'),
  route('GET', '/images/get'),
  route('GET', '/images/{name:.*}/json'),
  route('GET', '/images/{name:.*}/get'),
  route('DELETE', '/images/{name:.*}'),
  route('GET', '/late', 44),
]);

const found = (method: string, path: string, minor = 56): unknown => {
  const match = router.find(method, path, minor);
  return match && [match.route.pattern, match.params];
};

test('Router.find() takes the first row that matches method and path', () => {
  assert.deepEqual(found('GET', '/containers/json'), ['/containers/json', {}]);
  assert.deepEqual(found('GET', '/containers/abc/json'), ['/containers/{id}/json', { id: 'abc' }]);
  assert.deepEqual(found('GET', '/images/json/json'), ['/images/{name:.*}/json', { name: 'json' }]);
  assert.deepEqual(found('GET', '/images/r:5000/a/b:c@sha256:1/get'), [
    '/images/{name:.*}/get',
    { name: 'r:5000/a/b:c@sha256:1' },
  ]);
  assert.deepEqual(found('DELETE', '/images/a/json'), ['/images/{name:.*}', { name: 'a/json' }]);
  for (const path of [
    '/containers/a/b/json',
    '/containers//json',
    '/containers/json/',
    '/',
    '/imagesjson',
    '/late/x',
  ]) {
    assert.equal(found('GET', path), undefined, path);
  }
  assert.equal(found('HEAD', '/containers/json'), undefined);
});

test('Router.find() hides rows newer than the version', () => {
  assert.equal(found('GET', '/late', 43), undefined);
  assert.deepEqual(found('GET', '/late', 44), ['/late', {}]);
});

test('parseTarget() takes version, path and query apart', () => {
  assert.deepEqual(parseTarget('/v1.44/images/a%2Fb/json?x=%2F'), {
    path: '/images/a/b/json',
    version: '1.44',
    query: 'x=%2F',
  });
  assert.deepEqual(parseTarget('http://docker/_ping'), { path: '/_ping', version: undefined, query: '' });
  assert.equal(parseTarget('/v1.44/a/../b')?.redirect, '/v1.44/b');
  assert.equal(parseTarget('/../../etc/passwd')?.redirect, '/etc/passwd');
  assert.equal(parseTarget('//a//b/?q=1')?.redirect, '/a/b/?q=1');
  assert.equal(parseTarget('/containers/%2e%2e/json')?.redirect, '/json');
  for (const bad of ['*', 'a', '/%zz', '/a%00b', 'ftp://x/']) assert.equal(parseTarget(bad), undefined);
});

test('parseTarget() takes any text, and its path never climbs', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const target = parseTarget(`/${text}`);
      return target === undefined || !/\/\.\.?(\/|$)/.test(target.path);
    }),
  );
});

test('Query.bool() reads as Docker does', () => {
  const query = new SearchQuery('a&b=0&c=No&d=FALSE&e=none&f=1&g=x&h=%20');
  for (const name of ['a', 'b', 'c', 'd', 'e', 'h', 'absent']) assert.equal(query.bool(name), false, name);
  for (const name of ['f', 'g']) assert.equal(query.bool(name), true, name);
  assert.equal(query.bool('absent', true), true);
  assert.equal(query.bool('b', true), false);
});

test('Query.int() takes integers only', () => {
  const query = new SearchQuery('a=-5&b=&c=1.5&d=1e3&e=99999999999999999999');
  assert.equal(query.int('a'), -5);
  assert.equal(query.int('b'), undefined);
  assert.equal(query.int('absent'), undefined);
  for (const name of ['c', 'd', 'e']) assert.throws(() => query.int(name), { kind: 'invalid-argument' });
});

test('parseFilters() reads both of Docker notations', () => {
  assert.deepEqual(
    [...parseFilters('{"label":["a","b","a"],"x":{"y":true,"z":false},"n":null}')],
    [
      ['label', ['a', 'b']],
      ['x', ['y', 'z']],
      ['n', []],
    ],
  );
  assert.equal(parseFilters('null').size, 0);
  assert.equal(new SearchQuery('').filters().size, 0);
  for (const bad of ['{', '[]', '"a"', '{"a":"b"}', '{"a":[1]}', '{"a":{"b":"c"}}']) {
    assert.throws(() => parseFilters(bad), { kind: 'invalid-argument', message: 'invalid filter' });
  }
});
