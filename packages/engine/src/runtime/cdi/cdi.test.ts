import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Spec } from '../oci-spec/spec.ts';
import { injectDevices } from './inject.ts';
import { readCdiDevices } from './registry.ts';
import { parseSpecification } from './specification.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-cdi-unit-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function directory(name: string, files: Readonly<Record<string, unknown>>): string {
  const path = join(scratch, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(path, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path;
}

const specification = (kind: string, name: string, containerEdits: object, common: object = {}) => ({
  cdiVersion: '0.6.0',
  kind,
  containerEdits: common,
  devices: [{ name, containerEdits }],
});

const empty: Spec = {
  ociVersion: '1.0.2',
  process: {
    terminal: false,
    user: { uid: 0, gid: 0, additionalGids: [] },
    args: ['true'],
    env: ['PATH=/bin', 'A=old'],
    cwd: '/',
    capabilities: { bounding: [] },
    noNewPrivileges: false,
  },
  root: { path: 'rootfs', readonly: false },
  mounts: [],
  linux: {
    namespaces: [],
    cgroupsPath: '/x',
    resources: { devices: [] },
    devices: [],
    maskedPaths: [],
    readonlyPaths: [],
  },
};

test('injectDevices() applies what is common once and each device', () => {
  const edits = {
    env: ['A=new'],
    deviceNodes: [{ path: '/dev/x', hostPath: '/dev/null', permissions: 'r' }],
    mounts: [{ hostPath: '/h', containerPath: '/c' }],
    hooks: [{ hookName: 'createContainer', path: '/bin/hook', args: ['hook'] }],
    additionalGids: [7],
  };
  const folder = directory('edits', { 'a.json': specification('v.com/class', 'one', edits, { env: ['ALL=1'] }) });
  const spec = injectDevices(empty, [{ Driver: 'cdi', DeviceIDs: ['v.com/class=one', 'v.com/class=one'] }], [folder]);
  assert.deepEqual(spec.process.env, ['PATH=/bin', 'ALL=1', 'A=new']);
  assert.deepEqual(spec.process.user.additionalGids, [7]);
  assert.deepEqual(spec.linux.resources.devices, [{ allow: true, type: 'c', major: 1, minor: 3, access: 'r' }]);
  assert.deepEqual(spec.linux.devices, [{ path: '/dev/x', type: 'c', major: 1, minor: 3, uid: 0, gid: 0 }]);
  assert.deepEqual(spec.mounts, [{ destination: '/c', source: '/h', type: 'bind', options: ['rbind'] }]);
  assert.deepEqual(spec.hooks, { createContainer: [{ path: '/bin/hook', args: ['hook'] }] });
});

test('injectDevices() finds the devices that --gpus means', () => {
  const folder = directory('gpus', { 'n.json': specification('nvidia.com/gpu', 'all', { env: ['GPU=all'] }) });
  const all = injectDevices(empty, [{ Driver: '', Count: -1, Capabilities: [['gpu']] }], [folder]);
  assert.ok(all.process.env.includes('GPU=all'));
  assert.throws(() => injectDevices(empty, [{ Count: 1, Capabilities: [['gpu']] }], [folder]), {
    message: 'CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=0',
  });
});

test('injectDevices() refuses what no driver serves', () => {
  assert.throws(() => injectDevices(empty, [{ Driver: '', Count: -1, Capabilities: [['gpu', 'x'], ['y']] }], []), {
    kind: 'invalid-argument',
    message: 'could not select device driver "" with capabilities: [[gpu x] [y]]',
  });
  assert.throws(() => injectDevices(empty, [{ Driver: 'cdi', DeviceIDs: ['v.com/c=d'] }], []), /could not select/);
});

test('readCdiDevices() lets later directories win and says what it cannot use', () => {
  const first = directory('first', {
    'a.json': specification('v.com/c', 'd', { env: ['FROM=first'] }),
    'b.yaml': 'kind: x',
    'c.json': '{',
  });
  const second = directory('second', { 'a.json': specification('v.com/c', 'd', { env: ['FROM=second'] }) });
  const { devices, problems } = readCdiDevices([first, second, join(scratch, 'none')]);
  assert.deepEqual(devices.get('v.com/c=d')?.edits, { env: ['FROM=second'] });
  assert.equal(problems.length, 2);
});

test('readCdiDevices() reads YAML as the tools mean it that write it', () => {
  const text = `cdiVersion: 0.6.0
kind: v.com/c
containerEdits: &common
  env: ["A=1"]
devices:
- name: d
  containerEdits:
    <<: *common
    deviceNodes:
    - {path: /dev/x, hostPath: /dev/null, fileMode: 0660, permissions: rw}
`;
  const { devices, problems } = readCdiDevices([directory('yaml', { 'a.yaml': text, 'b.yml': 'a: [' })]);
  const node = { path: '/dev/x', hostPath: '/dev/null', fileMode: 0o660, permissions: 'rw' };
  assert.deepEqual(devices.get('v.com/c=d')?.edits, { env: ['A=1'], deviceNodes: [node] });
  assert.match(problems.join(), /b\.yml/);
  assert.equal(problems.length, 1);
});

test('readCdiDevices() gives a device that two files name to neither', () => {
  const file = specification('v.com/c', 'd', {});
  const { devices, problems } = readCdiDevices([directory('twice', { 'a.json': file, 'b.json': file })]);
  assert.equal(devices.size, 0);
  assert.match(problems.join(), /conflicting device "v.com\/c=d"/);
});

test('parseSpecification() refuses what is none', () => {
  for (const [value, message] of [
    [{ kind: 'v.com/c', devices: [{ name: 'd' }] }, /unknown cdiVersion/],
    [{ cdiVersion: '0.6.0', kind: 'c', devices: [{ name: 'd' }] }, /invalid kind/],
    [{ cdiVersion: '0.6.0', kind: 'v.com/c', devices: [] }, /no devices/],
    [specification('v.com/c', '-', {}), /invalid device name/],
    [specification('v.com/c', 'd', { env: ['=x'] }), /invalid environment variable/],
    [specification('v.com/c', 'd', { deviceNodes: [{ path: 'dev' }] }), /absolute path/],
    [specification('v.com/c', 'd', { hooks: [{ hookName: 'never', path: '/x' }] }), /hookName/],
    [specification('v.com/c', 'd', { mounts: 'x' }), /mounts is not a list/],
  ] as const) {
    assert.throws(() => parseSpecification(value), message);
  }
});
