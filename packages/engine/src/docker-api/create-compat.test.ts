import assert from 'node:assert/strict';
import test from 'node:test';
import type { HostConfig } from '@wharf/wire/docker/types';
import { createForVersion, updateForVersion } from './create-compat.ts';

const at = (minor: number) => ({ atLeast: (wanted: number) => minor >= wanted });
const host = (hostConfig: HostConfig, minor: number) =>
  createForVersion({ config: { Image: 'i' }, hostConfig, networkingConfig: undefined }, at(minor), '1').hostConfig;

test('createForVersion() keeps the old defaults of IPC and cgroup namespaces', () => {
  assert.equal(host({}, 39).IpcMode, 'shareable');
  assert.equal(host({}, 40).IpcMode, undefined);
  assert.equal(host({}, 40).CgroupnsMode, 'host');
  assert.equal(host({}, 41).CgroupnsMode, undefined);
});

test('createForVersion() ignores what came later', () => {
  assert.deepEqual(host({ ConsoleSize: [3, 4] }, 41).ConsoleSize, [0, 0]);
  assert.equal(host({ Annotations: { a: 'b' } }, 42).Annotations, null);
  assert.equal(host({ AutoRemove: true }, 24).AutoRemove, false);
  assert.equal(host({ AutoRemove: true }, 25).AutoRemove, true);
  const networkingConfig = { EndpointsConfig: { a: { MacAddress: '02:42:00:00:00:01', Aliases: ['b'] } } };
  const parts = { config: { Image: 'i' }, hostConfig: {}, networkingConfig };
  assert.deepEqual(createForVersion(parts, at(43), '2').networkingConfig, {
    EndpointsConfig: { a: { Aliases: ['b'] } },
  });
});

test('createForVersion() refuses options of another mount type since 1.42', () => {
  const Mounts = [{ Type: 'bind', Target: '/x', VolumeOptions: {} }];
  assert.throws(() => host({ Mounts }, 42), /VolumeOptions must not be specified on mount type "bind"/);
  assert.equal(host({ Mounts }, 41).Mounts?.[0]?.VolumeOptions, undefined);
});

test('createForVersion() refuses several endpoints before 1.44', () => {
  const networkingConfig = { EndpointsConfig: { a: {}, b: {} } };
  const parts = { config: { Image: 'i' }, hostConfig: {}, networkingConfig };
  assert.throws(() => createForVersion(parts, at(43), '2'), /multiple network endpoints: a, b/);
  assert.equal(createForVersion(parts, at(44), '2').networkingConfig, networkingConfig);
});

test('createForVersion() moves the MAC address to the main network', () => {
  const parts = { config: { MacAddress: '02:42:00:00:00:01' }, hostConfig: {}, networkingConfig: undefined };
  const moved = createForVersion(parts, at(43), '2').networkingConfig;
  assert.equal(moved?.EndpointsConfig?.['bridge']?.MacAddress, '02:42:00:00:00:01');
  assert.throws(() => createForVersion(parts, at(52), '2'), /container-wide MAC address no longer supported/);
});

test('createForVersion() refuses a request that says nothing of the container', () => {
  const parts = { config: {}, hostConfig: { AutoRemove: true }, networkingConfig: undefined };
  assert.throws(() => createForVersion(parts, at(50), '2'), /config cannot be empty in order to create a container/);
});

test('updateForVersion() ignores the limit of processes before 1.40', () => {
  assert.deepEqual(updateForVersion({ PidsLimit: 5, Memory: 7 }, at(39)), { Memory: 7 });
  assert.deepEqual(updateForVersion({ PidsLimit: 5 }, at(40)), { PidsLimit: 5 });
});

test('createForVersion() leaves a writable bind without options for read-only ones before 1.44', () => {
  const Mounts = [{ Type: 'bind', Source: '/a', Target: '/x', BindOptions: { Propagation: 'rslave' } }];
  assert.notEqual(host({ Mounts }, 43).Mounts?.[0]?.BindOptions?.ReadOnlyNonRecursive, true);
});
