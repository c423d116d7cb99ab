import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { unusedArgs } from './unused-args.ts';

test('unusedArgs() finds what no ARG asks for', () => {
  const file = parseDockerfile('ARG above\nFROM scratch\nARG one two=2\nFROM scratch\nARG last\n');
  const given = ['zeta', 'above', 'one', 'two', 'last', 'alpha', 'http_proxy', 'BUILDKIT_X', 'TARGETOS'];
  assert.deepEqual(unusedArgs(given, file, undefined), ['alpha', 'zeta']);
  const inherited = { stages: [{ buildArgs: [['zeta', '']] }] } as unknown as Parameters<typeof unusedArgs>[2];
  assert.deepEqual(unusedArgs(['zeta'], file, inherited), []);
});
