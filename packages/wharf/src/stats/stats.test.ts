import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRows } from '../term/rows.ts';
import { styleOf } from '../term/style.ts';
import { liveTable, type Watched } from './live-table.ts';
import { type StatsDocument, sampleOf } from './sample.ts';
import { type StatsRow, statsFormat, statsRows } from './stats-rows.ts';

const document: StatsDocument = {
  name: '/web',
  id: 'ab'.repeat(32),
  cpu_stats: { cpu_usage: { total_usage: 600_000_000 }, system_cpu_usage: 14_000_000_000, online_cpus: 4 },
  precpu_stats: { cpu_usage: { total_usage: 100_000_000 }, system_cpu_usage: 10_000_000_000 },
  memory_stats: { usage: 104_857_600, limit: 209_715_200, stats: { inactive_file: 52_428_800 } },
  pids_stats: { current: 3 },
  networks: { eth0: { rx_bytes: 1000, tx_bytes: 10 }, eth1: { rx_bytes: 234, tx_bytes: 5 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'read', value: 4096 },
      { op: 'Write', value: 1 },
      { op: '', value: 9 },
    ],
  },
};

test('sampleOf() reckons as docker does', () => {
  assert.deepEqual(sampleOf(document), {
    ...{ id: 'ab'.repeat(32), name: 'web', cpuPercent: 50, memoryBytes: 52_428_800, memoryLimitBytes: 209_715_200 },
    ...{ memoryPercent: 25, receivedBytes: 1234, sentBytes: 15, readBytes: 4096, writtenBytes: 1, processes: 3 },
  });
  const old = { usage: 100, stats: { total_inactive_file: 40, inactive_file: 10 } };
  assert.equal(sampleOf({ memory_stats: old }).memoryBytes, 60);
  assert.equal(sampleOf({ memory_stats: { usage: 5, stats: { inactive_file: 10 } } }).memoryBytes, 5);
  assert.equal(sampleOf({}).cpuPercent, 0);
});

const row: StatsRow = { container: 'web', sample: sampleOf(document), isStale: false };

test("docker's table shows samples, and what came too late as unknown", async () => {
  const rows = [row, { ...row, isStale: true }, { container: 'x', sample: undefined, isStale: true }];
  const [header, ...lines] = (await formatRows(statsRows(true), rows, statsFormat('table'))).split('\n');
  assert.equal(
    header,
    'CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O        BLOCK I/O    PIDS',
  );
  assert.equal(
    lines[0],
    'abababababab   web       50.00%    50MiB / 200MiB      25.00%    1.23kB / 15B   4.1kB / 1B   3',
  );
  assert.equal(
    lines[1],
    'abababababab   web       --        -- / --             --        --             --           --',
  );
  assert.match(lines[2] ?? '', /^ {15}-- {8}-- /);
});

const plain = styleOf({ isTerminal: false });

function watched(name: string, cpu: readonly number[]): Watched {
  return {
    cpu: [...cpu],
    memory: [1, 2],
    row: () => ({ ...row, sample: { ...sampleOf(document), name } }),
  };
}

test('the live table fits the terminal, with a bar for each sample', () => {
  const feeds = [watched('web', [0, 25, 50]), watched('database', [100])];
  const at = (columns: number, rows = 24) => liveTable(feeds, { size: { columns, rows }, style: plain });
  const [header = '', first = ''] = at(120);
  assert.match(header, /^NAME +CPU % +MEMORY +NET I\/O +BLOCK I\/O +PIDS$/);
  assert.match(first, /^web +50\.00% +▁▅█ +▅█ 50MiB \/ 200MiB +1\.23kB \/ 15B +4\.1kB \/ 1B +3$/);
  for (let columns = 40; columns < 140; columns += 1) {
    for (const line of at(columns)) assert.ok(line.length <= columns, `${columns}: ${line}`);
  }
  assert.deepEqual(at(120, 4).slice(-1), [
    'database    50.00%                         █                         ▅█ 50MiB / 200MiB  1.23kB / 15B  4.1kB / 1B  3',
  ]);
  assert.deepEqual(at(120, 3).slice(-1), ['… and 2 more']);
  assert.deepEqual(liveTable([], { size: { columns: 80, rows: 24 }, style: plain }).slice(1), [
    'No container is running.',
  ]);
});
