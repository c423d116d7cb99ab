import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { withLowDescriptors } from './low-descriptors.ts';

function open(): number {
  return openSync('/dev/null', 'r');
}

test('withLowDescriptors() has low numbers for a call though a thousand are taken, and again for the next', () => {
  const taken: number[] = [];
  try {
    while ((taken.at(-1) ?? 0) < 1200) taken.push(open());
    for (let round = 0; round < 3; round += 1) {
      const fd = withLowDescriptors(open);
      assert.ok(fd < 1024, `got ${fd}`);
      // What the call keeps open is one less for the next.
      if (round > 0) closeSync(fd);
      else taken.push(fd);
    }
    const outside = open();
    taken.push(outside);
    assert.ok(outside >= 1024);
  } finally {
    for (const fd of taken) closeSync(fd);
  }
});
