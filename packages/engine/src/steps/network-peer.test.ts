import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerRecord } from '../containers/container.ts';
import { networkPeer } from './network-peer.ts';

const MODES = new Map([
  ['own', 'bridge'],
  ['sharing', 'container:own'],
  ['host', 'host'],
  ['onHost', 'container:host'],
  ['stopped', 'bridge'],
]);

function find(name: string) {
  const state = { status: name === 'stopped' ? 'exited' : 'running' } as ContainerRecord['state'];
  return { id: name as ContainerRecord['id'], name, state, hostConfig: { NetworkMode: MODES.get(name) ?? '' } };
}

test('networkPeer() finds whose network it is in the end', () => {
  assert.equal(networkPeer('container:own', find), 'own');
  assert.equal(networkPeer('container:sharing', find), 'own');
  for (const other of ['default', 'host', 'none', 'front']) assert.equal(networkPeer(other, find), undefined);
});

test('networkPeer() refuses a container that does not run, and the network of the host under another name', () => {
  assert.throws(() => networkPeer('container:stopped', find), /non running container: container stopped is exited/);
  for (const name of ['host', 'onHost']) {
    assert.throws(() => networkPeer(`container:${name}`, find), /it is the host's; ask for --network host/);
  }
});
