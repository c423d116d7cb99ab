import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import { openStore } from './index.ts';

test('committed() reports a full disk, loses nothing, and succeeds once there is room', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-store-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', root]);
  try {
    const path = join(root, 'wharf.db');
    const store = openStore({ path });
    const table = store.table<string>('t');
    table.put('before', 'x');
    await store.committed();
    writeFileSync(join(root, 'ballast'), Buffer.alloc(3_000_000));
    table.put('big', 'y'.repeat(2_000_000));
    await assert.rejects(store.committed(), (error) => isKind(error, 'resource-exhausted'));
    assert.equal(table.get('big')?.length, 2_000_000);
    rmSync(join(root, 'ballast'));
    table.put('after', 'z');
    await store.committed();
    store.close();
    const again = openStore({ path });
    const keys = again
      .table<string>('t')
      .list()
      .map(({ key }) => key);
    assert.deepEqual(keys, ['after', 'before', 'big']);
    again.close();
  } finally {
    execFileSync('umount', ['-l', root]);
    rmSync(root, { recursive: true, force: true });
  }
});

test('openStore() opens on a full disk by giving up its reserve, time and again', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-store-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', root]);
  try {
    const path = join(root, 'wharf.db');
    const first = openStore({ path });
    first.table<string>('t').put('kept', 'x');
    await first.committed();
    first.close();
    for (let time = 1; time <= 3; time++) {
      fill(join(root, `ballast-${time}`));
      const store = openStore({ path });
      assert.equal(store.table<string>('t').get('kept'), 'x');
      store.close();
    }
  } finally {
    execFileSync('umount', ['-l', root]);
    rmSync(root, { recursive: true, force: true });
  }
});

/** Takes all the room there is. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch {
    // No space left on device.
  } finally {
    closeSync(fd);
  }
}
