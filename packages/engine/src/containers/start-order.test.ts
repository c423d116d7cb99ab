import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerRecord } from './container.ts';
import { prerequisitesOf, startInOrder } from './start-order.ts';

const container = (
  name: string,
  more: { dependsOn?: string; project?: string; oneOff?: string; hostConfig?: object } = {},
) =>
  ({
    id: name,
    name,
    hostConfig: more.hostConfig ?? {},
    config: {
      Labels: {
        'com.docker.compose.project': more.project ?? 'app',
        'com.docker.compose.service': name.replace(/-\d+$/, ''),
        'com.docker.compose.depends_on': more.dependsOn ?? '',
        'com.docker.compose.oneoff': more.oneOff ?? 'False',
      },
    },
    state: {},
  }) as never as ContainerRecord;

const prerequisites = (record: ContainerRecord, ...others: ContainerRecord[]) =>
  prerequisitesOf(record, [record, ...others], (name) => others.find((one) => one.name === name)?.id);

test('prerequisitesOf() reads the dependencies that docker compose wrote', () => {
  const web = container('web', { dependsOn: 'db:service_healthy:false,cache:service_started:true' });
  assert.deepEqual(prerequisites(web, container('db-1'), container('db-2'), container('cache'), container('other')), [
    { id: 'db-1', healthy: true },
    { id: 'db-2', healthy: true },
    { id: 'cache', healthy: false },
  ]);
});

test('prerequisitesOf() passes by other projects, one-off containers and the container itself', () => {
  const web = container('web', { dependsOn: 'db:service_healthy:false,web:service_started:false' });
  assert.deepEqual(prerequisites(web, container('db', { project: 'b' }), container('db-1', { oneOff: 'True' })), []);
  const job = container('web', { dependsOn: 'db:service_healthy:false', oneOff: 'True' });
  assert.deepEqual(prerequisites(job, container('db')), []);
});

test('prerequisitesOf() counts those whose namespaces are joined', () => {
  const side = container('side', { hostConfig: { NetworkMode: 'container:web', PidMode: 'container:gone' } });
  assert.deepEqual(prerequisites(side, container('web')), [{ id: 'web', healthy: false }]);
});

async function startsOf(...records: ContainerRecord[]): Promise<string[]> {
  const lives = records.map((record) => ({ id: record.id, record, isRunning: false }));
  const registry = {
    all: () => lives,
    find: (name: string) => lives.find(({ record }) => record.name === name),
    byId: (id: string) => lives.find((live) => live.id === id),
  };
  const started: string[] = [];
  await startInOrder({ registry, closing: false } as never, lives as never, async ({ id }) => {
    await Promise.resolve();
    started.push(id);
  });
  return started;
}

test('startInOrder() starts what others depend on before them, whatever the order it is given', async () => {
  const web = container('web', { dependsOn: 'api:service_started:false' });
  const api = container('api', { dependsOn: 'db:service_started:false' });
  assert.deepEqual(await startsOf(web, api, container('db')), ['db', 'api', 'web']);
});

test('startInOrder() starts all of a ring', async () => {
  const ring = ['a', 'b', 'c'].map((name, index) =>
    container(name, { dependsOn: `${'abc'[(index + 1) % 3]}:service_started:false` }),
  );
  const outside = container('d', { dependsOn: 'b:service_started:false' });
  assert.deepEqual((await startsOf(...ring, outside)).toSorted(), ['a', 'b', 'c', 'd']);
});
