import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { detectLayout } from './layout.ts';
import { rememberLimits } from './limit-files.ts';

const layout = detectLayout();
const name = `wharf-limit-files-${process.pid}`;
const directory = join(layout.v1.get('pids') ?? layout.unified ?? '', name);
mkdirSync(directory);
after(() => rmdirSync(directory));

test('rememberLimits() puts back what has changed since', () => {
  const file = join(directory, 'pids.max');
  writeFileSync(file, '77');
  const restore = rememberLimits(`/${name}`, layout);
  writeFileSync(file, '33');
  restore();
  assert.equal(readFileSync(file, 'utf8').trim(), '77');
  restore();
  assert.equal(readFileSync(file, 'utf8').trim(), '77');
});
