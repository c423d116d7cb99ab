import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runtimeEntry } from './runtime-entry.ts';

test('runtimeEntry() takes programs by path, and by the shims that stand for one', () => {
  const crun = { path: '/usr/bin/crun', runtimeArgs: ['--debug'] };
  assert.deepEqual(runtimeEntry('mine', crun), crun);
  const shim = { runtimeType: 'io.containerd.runc.v2', options: { BinaryName: '/opt/runc' } };
  assert.deepEqual(runtimeEntry('mine', shim), { path: '/opt/runc', runtimeArgs: [] });
  assert.deepEqual(runtimeEntry('gvisor', { runtimeType: 'io.containerd.runsc.v1' }), {
    path: 'runsc',
    runtimeArgs: [],
  });
});

test("runtimeEntry() refuses in dockerd's words", () => {
  const cases: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['x', {}, /^runtime x: either a runtimeType or a path must be configured$/],
    [
      'x',
      { path: '/x', runtimeType: 'y' },
      /^runtime x: cannot configure both path and runtimeType for the same runtime$/,
    ],
    ['x', { path: '/x', options: { a: 1 } }, /^runtime x: options cannot be used with a path runtime$/],
    [
      'x',
      { runtimeType: 'io.containerd.runc.v2', runtimeArgs: ['a'] },
      /args cannot be used with a runtimeType runtime/,
    ],
    ['runc', { path: '/x' }, /^runtime name 'runc' is reserved$/],
    ['kata', { runtimeType: 'io.containerd.kata.v2' }, /is a containerd shim/],
    [
      'x',
      { runtimeType: 'io.containerd.runsc.v1', options: { ConfigPath: '/c' } },
      /option ConfigPath of io\.containerd\.runsc\.v1/,
    ],
  ];
  for (const [name, entry, message] of cases) {
    assert.throws(() => runtimeEntry(name, entry), { kind: 'invalid-argument', message });
  }
});
