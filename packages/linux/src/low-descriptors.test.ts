import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { liftDescriptor, withLowDescriptors } from './low-descriptors.ts';

function open(): number {
  return openSync('/dev/null', 'r');
}

test('withLowDescriptors() has low numbers for a call though a thousand are taken, and again for the next', () => {
  const taken: number[] = [];
  try {
    while ((taken.at(-1) ?? 0) < 1200) taken.push(open());
    for (let round = 0; round < 3; round += 1) {
      const fd = withLowDescriptors(open);
      taken.push(fd);
      assert.ok(fd < 1024, `got ${fd}`);
    }
    // Nobody else had any of them.
    const outside = open();
    taken.push(outside);
    assert.ok(outside >= 1024, `got ${outside}`);
  } finally {
    for (const fd of taken) closeSync(fd);
  }
});

test('liftDescriptor() moves what is to be kept out of the way, once there are many', () => {
  const taken: number[] = [];
  try {
    const few = open();
    taken.push(few);
    assert.equal(liftDescriptor(few), few);
    while ((taken.at(-1) ?? 0) < 300) taken.push(open());
    const before = open();
    const lifted = liftDescriptor(before);
    taken.push(lifted);
    assert.ok(lifted >= 1024, `got ${lifted}`);
    const next = open();
    taken.push(next);
    assert.equal(next, before);
  } finally {
    for (const fd of taken) closeSync(fd);
  }
});
