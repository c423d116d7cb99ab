import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDaemonJson } from './daemon-json.ts';

const parse = (builder: unknown) => parseDaemonJson(JSON.stringify({ builder }));

test('parseDaemonJson() reads what builds may be allowed, as dockerd has it', () => {
  const values = parse({ entitlements: { 'network-host': false, 'security-insecure': true } });
  assert.equal(values.get('builder-network-host'), false);
  assert.equal(values.get('builder-security-insecure'), true);
  assert.equal(parse({}).has('builder-network-host'), false);
  assert.equal(parse({ Entitlements: { 'network-host': false } }).get('builder-network-host'), false);
});

test('parseDaemonJson() takes the switches of dockerd, which change nothing here', () => {
  assert.equal(parseDaemonJson('{"features": {"buildkit": true, "containerd-snapshotter": false}}').size, 0);
  assert.throws(() => parseDaemonJson('{"features": ["buildkit"]}'), /"features": must be an object of true and false/);
});

test('parseDaemonJson() refuses entitlements that it does not know, and values that are none', () => {
  assert.throws(() => parse({ entitlements: { 'security-all': true } }), /builder\.entitlements\.security-all/);
  assert.throws(() => parse({ entitlements: { 'network-host': 'yes' } }), /must be true or false/);
  assert.throws(() => parse('all'), /"builder": must be an object/);
});
