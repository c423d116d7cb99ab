import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import type { Service, WatchTrigger } from '../model/service.ts';
import { isBindMounted, type MakeMatcher, mappingOf, planActions, watchRules } from './rules.ts';

/** Globs of node:path are near enough to .dockerignore's for a test. */
const makeMatcher: MakeMatcher = (root, patterns) => (path) =>
  patterns.some((pattern) => {
    const full = posix.join(root, pattern);
    return posix.matchesGlob(path, full) || posix.matchesGlob(path, posix.join(full, '**'));
  });

function rulesOf(watch: readonly WatchTrigger[], service: Partial<Service> = {}) {
  return watchRules('web', { develop: { watch }, ...service }, { makeMatcher, dockerIgnore: [] });
}

test('planActions() asks for what the triggers say, once for each service and file', () => {
  const rules = [
    ...rulesOf([
      { path: '/app/src', action: 'sync', target: '/code' },
      { path: '/app/package.json', action: 'rebuild' },
      { path: '/app/conf', action: 'sync+restart', target: '/etc/app' },
      { path: '/app/src', action: 'sync+exec', target: '/code', include: ['*.css'], exec: { command: ['make'] } },
    ]),
  ];
  const actions = planActions(rules, ['/app/src/a.js', '/app/src/b.css', '/app/conf/x', '/app/other', '/app/srcs/a']);
  assert.deepEqual(actions.rebuild, []);
  assert.deepEqual(actions.restart, ['web']);
  assert.deepEqual(actions.sync.get('web'), [
    { hostPath: '/app/src/a.js', containerPath: '/code/a.js' },
    { hostPath: '/app/src/b.css', containerPath: '/code/b.css' },
    { hostPath: '/app/conf/x', containerPath: '/etc/app/x' },
  ]);
  assert.deepEqual(
    actions.exec.get('web')?.map(({ exec }) => exec?.command),
    [['make']],
  );
  assert.deepEqual(planActions(rules, ['/app/package.json']).rebuild, ['web']);
});

test('watchRules() leave out what `ignore`, .dockerignore, editors and git have', () => {
  const trigger: WatchTrigger = { path: '/app', action: 'sync', target: '/code', ignore: ['node_modules'] };
  const rules = watchRules(
    'web',
    { develop: { watch: [trigger] }, build: { context: '/app' } },
    { makeMatcher, dockerIgnore: ['*.log'] },
  );
  const wanted = ['/app/a', '/app/node_modules/b', '/app/.git/HEAD', '/app/x.log', '/app/.a.swp', '/app/a~'].filter(
    (path) => rules.some((rule) => rule.matches(path)),
  );
  assert.deepEqual(wanted, ['/app/a']);
  assert.ok(rules[0]?.isIgnored('/app/node_modules'));
});

test('mappingOf() puts a single file at the target, or into it when it ends in a slash', () => {
  const trigger = { path: '/app/a.conf', action: 'sync' };
  assert.equal(mappingOf({ ...trigger, target: '/etc/b.conf' }, '/app/a.conf').containerPath, '/etc/b.conf');
  assert.equal(mappingOf({ ...trigger, target: '/etc/' }, '/app/a.conf').containerPath, '/etc/a.conf');
});

test('isBindMounted() tells of paths that the container sees anyway', () => {
  const service: Service = { volumes: [{ type: 'bind', source: '/app/src', target: '/code' }] };
  assert.ok(isBindMounted('/app/src/deep', service));
  assert.ok(!isBindMounted('/app', service));
});
