import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../model/service.ts';
import { type ImageOptions, planImages } from './images.ts';
import type { ObservedImage } from './observed.ts';
import { project } from './test-support.ts';

const here: ObservedImage = { id: 'sha256:a', volumes: [], taggedAtMs: 0, platform: 'linux/arm64/v8' };

const plan = (service: Service, images: Record<string, ObservedImage> = {}, options: Partial<ImageOptions> = {}) => {
  const { pull, build } = planImages(project({ web: service }), images, { nowMs: 10_000_000, ...options });
  return [...pull.map(({ image }) => `pull ${image}`), ...build.map(({ image }) => `build ${image}`)];
};

test('planImages() pulls and builds by policy, as docker compose does', () => {
  const build = { context: '/app' };
  const table: readonly (readonly [Service, Record<string, ObservedImage>, Partial<ImageOptions>, string[]])[] = [
    [{ image: 'a' }, {}, {}, ['pull a']],
    [{ image: 'a' }, { a: here }, {}, []],
    [{ image: 'a', pull_policy: 'always' }, { a: here }, {}, ['pull a']],
    [{ image: 'a', pull_policy: 'never' }, {}, {}, []],
    [{ image: 'a', pull_policy: 'never' }, {}, { pull: 'always' }, ['pull a']],
    [{ image: 'a', pull_policy: 'every_2h' }, { a: here }, {}, ['pull a']],
    [{ image: 'a', pull_policy: 'every_3h' }, { a: here }, {}, []],
    [{ image: 'a', pull_policy: 'daily' }, { a: here }, {}, []],
    [{ image: 'a', platform: 'linux/amd64' }, { a: here }, {}, ['pull a']],
    [{ image: 'a', platform: 'linux/arm64' }, { a: here }, {}, []],
    [{ image: 'a', build }, {}, {}, ['pull a', 'build a']],
    [{ image: 'a', build }, { a: here }, {}, []],
    [{ image: 'a', build }, { a: here }, { build: true }, ['build a']],
    [{ image: 'a', build, pull_policy: 'build' }, { a: here }, {}, ['build a']],
    [{ image: 'a', build }, {}, { build: false }, ['pull a']],
    [{ image: 'a', volumes: [{ type: 'image', source: 'b', target: '/b' }] }, { a: here }, {}, ['pull b']],
  ];
  for (const [service, images, options, expected] of table) {
    assert.deepEqual(plan(service, images, options), expected, JSON.stringify([service, options]));
  }
});

test('planImages() names the image of a service that has none after it, and builds what its contexts name before it', () => {
  const { image: _image, ...web } = project({
    web: { build: { context: '/', additional_contexts: { base: 'service:base' } } },
  }).services['web'] as Service;
  const app = { ...project({}), services: { web, base: { build: { context: '/base' } } } };
  const { pull, build } = planImages(app, { 'app-base': here }, { nowMs: 0 });
  assert.deepEqual(pull, []);
  assert.deepEqual(
    build.map(({ image, reason }) => `${image}: ${reason}`),
    ['app-base: the image of web is made from it', 'app-web: it is not here'],
  );
});
