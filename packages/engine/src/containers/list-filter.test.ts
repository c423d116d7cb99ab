import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ContainerId, type Digest, WharfError, ZERO_TIME } from '@wharf/kit';
import type { ContainerRecord, ContainerState } from './container.ts';
import { selectContainers } from './list-filter.ts';

const state: ContainerState = {
  ...{ status: 'running', pid: 7, monitorPid: 6, exitCode: 0, error: '', oomKilled: false },
  ...{ startedAt: '2026-01-01T00:00:00Z', finishedAt: ZERO_TIME, restartCount: 0 },
  ...{ manuallyStopped: false, hasBeenStarted: true },
} as ContainerState;

function record(name: string, change: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    ...{ id: name.padEnd(64, '0') as ContainerId, name, createdAt: '2026-01-01T00:00:00Z', path: 'sh', args: [] },
    ...{ config: { Image: 'busybox' }, hostConfig: {}, imageId: 'sha256:aa' as Digest, manifestDigest: '' as const },
    ...{ platform: { os: 'linux', architecture: 'amd64' }, chainId: '' as const, snapshotKey: name, mounts: [] },
    ...{ endpoints: [], ports: {}, state },
    ...change,
  };
}

const records = [
  record('newest', { state: { ...state, status: 'exited', exitCode: 3 }, config: { Labels: { app: 'web' } } }),
  record('middle', {
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
    config: { Labels: { app: 'web', tier: 'front' } },
  }),
  record('oldest', { state: { ...state, health: { status: 'healthy', failingStreak: 0, log: [] } } }),
];

function facts() {
  return {
    records,
    find(name: string): ContainerRecord {
      const found = records.find((item) => item.name === name);
      if (!found) throw new WharfError('not-found', `No such container: ${name}`);
      return found;
    },
    ancestors: async (reference: string) => (reference === 'busybox' ? ['sha256:aa' as Digest] : []),
  };
}

async function names(
  filters: Record<string, string[]>,
  options: { all?: boolean; limit?: number } = {},
): Promise<string[]> {
  const query = { filters: new Map(Object.entries(filters)), all: options.all ?? false, limit: options.limit };
  return (await selectContainers(query, facts())).map(({ name }) => name);
}

describe('selectContainers()', () => {
  it('shows what is up unless told otherwise', async () => {
    assert.deepEqual(await names({}), ['middle', 'oldest']);
    assert.deepEqual(await names({}, { all: true }), ['newest', 'middle', 'oldest']);
    assert.deepEqual(await names({}, { limit: 1 }), ['newest']);
  });

  it('takes values of one key as alternatives and keys together', async () => {
    assert.deepEqual(await names({ name: ['mid', 'old'] }), ['middle', 'oldest']);
    assert.deepEqual(await names({ name: ['mid', 'old'], health: ['healthy'] }), ['oldest']);
    assert.deepEqual(await names({ label: ['app=web', 'tier'] }, { all: true }), ['middle']);
  });

  it('reads before and since by age', async () => {
    assert.deepEqual(await names({ before: ['middle'] }, { all: true }), ['oldest']);
    assert.deepEqual(await names({ since: ['middle'] }, { all: true }), ['newest']);
    await assert.rejects(names({ since: ['nobody'] }), /No such container: nobody/);
  });

  it('finds exit codes, states, images and ports', async () => {
    assert.deepEqual(await names({ exited: ['3'] }, { all: true }), ['newest']);
    assert.deepEqual(await names({ status: ['exited'] }), ['newest']);
    assert.deepEqual(await names({ ancestor: ['busybox'] }), ['middle', 'oldest']);
    assert.deepEqual(await names({ ancestor: ['other'] }), []);
    assert.deepEqual(await names({ publish: ['8000-8100'] }), ['middle']);
    assert.deepEqual(await names({ expose: ['80/tcp'] }), ['middle']);
  });

  it('refuses unknown filters and impossible values', async () => {
    await assert.rejects(names({ colour: ['red'] }), /invalid filter 'colour'/);
    for (const [key, value] of Object.entries({ status: 'up', health: 'fine', exited: 'x', publish: '90-80' })) {
      await assert.rejects(names({ [key]: [value] }), new RegExp(`invalid filter '${key}=${value}'`), key);
    }
  });
});
