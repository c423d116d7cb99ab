import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultEngineConfig } from '../engine-config.ts';
import { commandOf, mergeImageConfig, withDefaultNetwork, withHostDefaults, withHostname } from './merge.ts';

const config = defaultEngineConfig({ dataRoot: '/d', execRoot: '/e' });
const defaults = { config, defaultRuntime: 'crun', cgroupVersion: '2' as const };
const image = {
  Entrypoint: ['/entry'],
  Cmd: ['default'],
  Env: ['A=image', 'B=image'],
  Labels: { a: 'image' },
  User: 'u',
};

test('mergeImageConfig() takes the command of the image when the container has none', () => {
  assert.deepEqual(commandOf(mergeImageConfig({}, image)), { path: '/entry', args: ['default'] });
});

test('mergeImageConfig() drops the command of the image under an entrypoint of its own', () => {
  assert.deepEqual(commandOf(mergeImageConfig({ Entrypoint: ['/own'] }, image)), { path: '/own', args: [] });
});

test('mergeImageConfig() resets the entrypoint of the image by an empty one', () => {
  assert.deepEqual(commandOf(mergeImageConfig({ Entrypoint: [''], Cmd: ['sh'] }, image)), { path: 'sh', args: [] });
});

test('mergeImageConfig() refuses a container without a command', () => {
  assert.throws(() => mergeImageConfig({}, {}), { kind: 'invalid-argument', message: 'no command specified' });
});

test('mergeImageConfig() lets variables and labels of the container win', () => {
  const merged = mergeImageConfig({ Env: ['A=own'], Labels: { a: 'own', b: 'own' } }, image);
  assert.deepEqual(merged.Env, ['A=own', 'B=image']);
  assert.deepEqual(merged.Labels, { a: 'own', b: 'own' });
  assert.equal(merged.User, 'u');
});

test('withHostname() is the short id where none is given', () => {
  assert.equal(withHostname({}, {}, 'a'.repeat(64)).Hostname, 'a'.repeat(12));
  assert.equal(withHostname({ Hostname: 'h' }, {}, 'a'.repeat(64)).Hostname, 'h');
});

test('withHostDefaults() fills in what the daemon decides', () => {
  const host = withHostDefaults({ Memory: 10, PidsLimit: -1, CapAdd: ['net_admin'] }, defaults);
  assert.equal(host.NetworkMode, 'bridge');
  assert.equal(host.IpcMode, 'private');
  assert.equal(host.CgroupnsMode, 'private');
  assert.equal(host.MemorySwap, 20);
  assert.equal(host.PidsLimit, null);
  assert.equal(host.Runtime, 'crun');
  assert.deepEqual(host.CapAdd, ['CAP_NET_ADMIN']);
  assert.deepEqual(host.LogConfig, { Type: 'json-file', Config: {} });
  assert.ok((host.MaskedPaths ?? []).includes('/proc/kcore'));
});

test('withHostDefaults() masks nothing for a privileged container', () => {
  const host = withHostDefaults({ Privileged: true }, defaults);
  assert.equal(host.MaskedPaths, undefined);
  assert.equal(host.CgroupnsMode, 'host');
});

test('withHostDefaults() gives the log options of the daemon to its own driver only', () => {
  const withOptions = { ...defaults, config: { ...config, logOptions: { 'max-size': '1m' } } };
  assert.deepEqual(withHostDefaults({}, withOptions).LogConfig?.Config, { 'max-size': '1m' });
  assert.deepEqual(withHostDefaults({ LogConfig: { Type: 'local' } }, withOptions).LogConfig?.Config, {});
});

test('withDefaultNetwork() renames the endpoint `default`', () => {
  const given = { EndpointsConfig: { default: { Aliases: ['a'] } } };
  assert.deepEqual(withDefaultNetwork(given, 'bridge'), { EndpointsConfig: { bridge: { Aliases: ['a'] } } });
});
