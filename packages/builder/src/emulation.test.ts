import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type BinaryHandler, parseHandler } from '@wharf/linux/binfmt';
import { formatPlatform, parsePlatform } from '@wharf/oci/spec/platform';
import { checkRunnable, runnablePlatforms } from './emulation.ts';

const rootfs = mkdtempSync(join(tmpdir(), 'wharf-emulation-'));
after(() => rmSync(rootfs, { recursive: true }));

/** A handler for s390x, as Debian registers one. */
function handler(flags: string): readonly BinaryHandler[] {
  const text = `enabled\ninterpreter /usr/bin/qemu-s390x-static\nflags: ${flags}\noffset 0\nmagic 7f454c4602020100000000000000000000020016\nmask ffffffffffffff00fffffffffffffffffffeffff\n`;
  const parsed = parseHandler('qemu-s390x', text);
  assert.ok(parsed !== undefined);
  return [parsed];
}

const check = (platform: string, host: string, handlers: readonly BinaryHandler[] = []): void =>
  checkRunnable(parsePlatform(platform), { rootfs, handlers: () => handlers, host: parsePlatform(host) });

test('checkRunnable() lets a host run its own, its smaller siblings, and what it cannot judge', () => {
  check('linux/amd64', 'linux/amd64');
  check('linux/amd64/v3', 'linux/amd64');
  check('linux/386', 'linux/amd64');
  check('linux/arm/v6', 'linux/arm64');
  check('linux/mips64', 'linux/mips64');
  check('windows/amd64', 'linux/amd64');
});

test('checkRunnable() says what is missing for a foreign architecture', () => {
  assert.throws(
    () => check('linux/s390x', 'linux/amd64'),
    /Cannot run a command for linux\/s390x on linux\/amd64 \(exec format error\): no emulator is registered/,
  );
  check('linux/s390x', 'linux/amd64', handler('POCF'));
  assert.throws(() => check('linux/arm64', 'linux/amd64', handler('POCF')), /linux\/arm64/);
});

test('checkRunnable() takes an emulator without the flag F only where the tree has it', () => {
  assert.throws(() => check('linux/s390x', 'linux/amd64', handler('')), /without the flag F/);
  mkdirSync(join(rootfs, 'usr/bin'), { recursive: true });
  writeFileSync(join(rootfs, 'usr/bin/qemu-s390x-static'), '');
  check('linux/s390x', 'linux/amd64', handler(''));
});

test('runnablePlatforms() lists the host first, then what has an emulator of its own', () => {
  const none = runnablePlatforms([]).map(formatPlatform);
  assert.equal(none.includes('linux/s390x'), process.arch === 's390x');
  assert.deepEqual(runnablePlatforms(handler('F')).map(formatPlatform).slice(none.length), ['linux/s390x']);
  assert.deepEqual(runnablePlatforms(handler('')).map(formatPlatform), none);
});
