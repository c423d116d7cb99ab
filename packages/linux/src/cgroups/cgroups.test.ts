import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountInfo } from '../mountinfo.ts';
import { directoriesOf, layoutOf } from './layout.ts';
import { parseFlat, parseIoStat, parseLimit, parseV1Blkio } from './parse.ts';

const V1 = `25 20 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs ro
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
`;
const UNIFIED = '29 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n';
const none = (): string[] => [];

test('layoutOf() tells v1, hybrid and v2 apart', () => {
  assert.equal(layoutOf(parseMountInfo(V1), none).kind, 'v1');
  const hybrid = layoutOf(parseMountInfo(V1 + UNIFIED), () => ['hugetlb']);
  assert.equal(hybrid.kind, 'hybrid');
  assert.deepEqual(hybrid.unifiedControllers, ['hugetlb']);
  const v2 = layoutOf(parseMountInfo('29 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n'), () => [
    'cpu',
  ]);
  assert.equal(v2.kind, 'v2');
  assert.equal(v2.unified, '/sys/fs/cgroup');
});

test('directoriesOf() maps each controller to its hierarchy', () => {
  const layout = layoutOf(parseMountInfo(V1 + UNIFIED), none);
  const directories = directoriesOf('4:cpu,cpuacct:/a\n3:memory:/b\n1:name=systemd:/c\n0::/d\n', layout);
  assert.equal(directories.get('cpuacct'), '/sys/fs/cgroup/cpu,cpuacct/a');
  assert.equal(directories.get('memory'), '/sys/fs/cgroup/memory/b');
  assert.equal(directories.get(''), '/sys/fs/cgroup/unified/d');
});

test('parseFlat() keeps counters beyond 2^53 exact', () => {
  assert.deepEqual(parseFlat('cache 12\nhierarchical_memory_limit 9223372036854771712\n'), {
    cache: 12,
    hierarchical_memory_limit: 9223372036854771712n,
  });
});

test('parseLimit() reads both ways of saying no limit', () => {
  assert.equal(parseLimit('max\n'), undefined);
  assert.equal(parseLimit('9223372036854771712\n'), undefined);
  assert.equal(parseLimit('4096\n'), 4096);
});

test('parseV1Blkio() and parseIoStat() agree on what was read', () => {
  assert.deepEqual(parseV1Blkio('8:0 Read 4096\n8:0 Write 0\nTotal 4096\n'), [
    { major: 8, minor: 0, op: 'Read', value: 4096 },
    { major: 8, minor: 0, op: 'Write', value: 0 },
  ]);
  assert.deepEqual(parseIoStat('8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n').bytes, [
    { major: 8, minor: 0, op: 'read', value: 4096 },
    { major: 8, minor: 0, op: 'write', value: 0 },
  ]);
});
