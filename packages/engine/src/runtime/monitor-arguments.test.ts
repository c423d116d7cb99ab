import assert from 'node:assert/strict';
import test from 'node:test';
import type { MonitorRequest } from './monitor.ts';
import { monitorArguments } from './monitor-arguments.ts';
import type { OciRuntime } from './runtime.ts';

const runtime = { name: 'crun', path: '/usr/bin/crun', globalArguments: ['--root=/e/crun'] } as unknown as OciRuntime;
const request: MonitorRequest = {
  monitorPath: '/usr/bin/conmon',
  runtime,
  containerId: 'id',
  name: 'name',
  directory: '/e/containers/id',
  log: { driver: 'k8s-file', path: '/d/log' },
  terminal: false,
  stdin: false,
  leaveStdinOpen: true,
};

test('monitorArguments() names bundle, log and runtime', () => {
  const list = monitorArguments({ ...request, exitDirectory: '/e/exits' });
  const after = (flag: string) => list[list.indexOf(flag) + 1];
  assert.equal(after('--bundle'), '/e/containers/id');
  assert.equal(after('--log-path'), 'k8s-file:/d/log');
  assert.equal(after('--exit-dir'), '/e/exits');
  assert.ok(list.includes('--runtime-arg=--root=/e/crun'));
  assert.ok(!list.includes('--stdin') && !list.includes('--leave-stdin-open') && !list.includes('--terminal'));
});

test('monitorArguments() leaves stdin open only where there is one', () => {
  assert.ok(monitorArguments({ ...request, stdin: true }).includes('--leave-stdin-open'));
  assert.ok(!monitorArguments({ ...request, stdin: true, leaveStdinOpen: false }).includes('--leave-stdin-open'));
});

test('monitorArguments() of an attached exec waits for its client', () => {
  const list = monitorArguments({ ...request, log: { driver: 'none' }, exec: { processPath: '/p', attach: true } });
  assert.ok(list.includes('--exec') && list.includes('--exec-attach'));
  assert.equal(list[list.indexOf('--exec-process-spec') + 1], '/p');
  assert.equal(list[list.indexOf('--log-path') + 1], 'none');
});
