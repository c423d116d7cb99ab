import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { binaryHandlers, handlerFor, parseHandler } from './binfmt.ts';

const ARM64 = { bits: 64, order: 'little', machine: 183 } as const;
const RISCV64 = { bits: 64, order: 'little', machine: 243 } as const;
const S390X = { bits: 64, order: 'big', machine: 22 } as const;

const aarch64 = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;

test('parseHandler() reads what the kernel shows of a handler', () => {
  const handler = parseHandler('qemu-aarch64', aarch64);
  assert.ok(handler !== undefined);
  assert.equal(handler.interpreter, '/usr/libexec/qemu-binfmt/aarch64-binfmt-P');
  assert.equal(handler.isFixed, true);
  assert.equal(handlerFor([handler], ARM64), handler);
  assert.equal(handlerFor([handler], RISCV64), undefined);
  assert.equal(handlerFor([handler], S390X), undefined);
});

test('parseHandler() leaves out handlers that are off and those for file names', () => {
  assert.equal(parseHandler('x', aarch64.replace('enabled', 'disabled')), undefined);
  assert.equal(parseHandler('x', 'enabled\ninterpreter /usr/bin/python3\nflags: \nextension .pyc\n'), undefined);
});

test('a handler without a mask wants every byte; one for big-endian machines is told apart', () => {
  const s390x = 'enabled\ninterpreter /q\nflags: \noffset 0\nmagic 7f454c4602020100000000000000000000020016\n';
  const handler = parseHandler('s', s390x);
  assert.ok(handler !== undefined);
  assert.equal(handler.isFixed, false);
  assert.equal(handlerFor([handler], S390X), handler);
  assert.equal(handlerFor([handler], ARM64), undefined);
});

test('binaryHandlers() is empty where binfmt_misc is off or not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wharf-binfmt-'));
  try {
    assert.deepEqual(binaryHandlers(join(folder, 'absent')), []);
    writeFileSync(join(folder, 'qemu-aarch64'), aarch64);
    writeFileSync(join(folder, 'status'), 'disabled\n');
    assert.deepEqual(binaryHandlers(folder), []);
    writeFileSync(join(folder, 'status'), 'enabled\n');
    assert.deepEqual(
      binaryHandlers(folder).map(({ name }) => name),
      ['qemu-aarch64'],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
