import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopeAnnotations, scopeProperties } from './systemd-scope.ts';

test('scopeProperties() turns limits into what systemd calls them', () => {
  const resources = {
    memory: { limit: 100, swap: 150, reservation: 50 },
    cpu: { quota: 50_000, period: 200_000 },
    pids: { limit: 7 },
  };
  const properties = { MemoryMax: 100, MemorySwapMax: 50, MemoryLow: 50, TasksMax: 7, CPUQuotaPerSecUSec: 250_000 };
  assert.deepEqual(scopeProperties(resources), properties);
  assert.equal(scopeProperties({ memory: { limit: 100, swap: -1 } })['MemorySwapMax'], undefined);
});

test('scopeAnnotations() leaves out what has no limit', () => {
  assert.deepEqual(scopeAnnotations({ pids: { limit: 7 } }), {
    'org.systemd.property.MemoryLow': 'uint64 0',
    'org.systemd.property.TasksMax': 'uint64 7',
  });
});
