import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Builder } from '@wharf/builder/build';
import { buildRoutes } from '@wharf/builder/docker-api/build';
import type { Logger } from '@wharf/kit';
import { BUILD_ROUTES } from './lazy-builder.ts';

const log: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

test('BUILD_ROUTES are the routes of the builder', () => {
  const real = buildRoutes({ builder: {} as Builder, log, version: '0' });
  assert.deepEqual(
    BUILD_ROUTES,
    real.map((route) => Object.fromEntries(Object.entries(route).filter(([name]) => name !== 'handler'))),
  );
});
