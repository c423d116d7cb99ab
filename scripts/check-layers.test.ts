import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importProblems } from './check-layers.ts';

// Written apart, so that the check does not read this file's examples as its imports.
const from = (name: string) => `from '@wharf/${name}';`;

test('importProblems() lets imports point down only', () => {
  assert.deepEqual(importProblems('packages/engine/src/x.ts', `import { mount } ${from('linux/mount')}`), []);
  assert.match(
    importProblems('packages/kit/src/x.ts', `import { mount } ${from('linux/mount')}`)[0] ?? '',
    /kit may not import linux/,
  );
  assert.match(
    importProblems('packages/wire/src/x.ts', `export * ${from('store')}`)[0] ?? '',
    /wire may not import store/,
  );
  assert.match(
    importProblems('packages/oci/src/x.ts', `import * as a ${from('engine/engine')}`)[0] ?? '',
    /oci may not import engine/,
  );
});

test('importProblems() sees imports over several lines and of types', () => {
  const source = `import type {\n  A,\n  B,\n} ${from('engine/engine')}`;
  assert.equal(importProblems('packages/oci/src/x.ts', source).length, 1);
});

test('importProblems() keeps the kernel, the database and relative paths at home', () => {
  assert.match(
    importProblems('packages/engine/src/x.ts', "import koffi from 'koffi';")[0] ?? '',
    /only packages\/linux/,
  );
  assert.match(
    importProblems('packages/engine/src/x.ts', "import { DatabaseSync } from 'node:sqlite';")[0] ?? '',
    /only packages\/store/,
  );
  assert.match(
    importProblems('packages/engine/src/x.ts', "import { x } from '../../kit/src/errors.ts';")[0] ?? '',
    /leaves its package/,
  );
});
