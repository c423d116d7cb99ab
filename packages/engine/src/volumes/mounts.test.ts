import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import { guardDaemonRoot } from './daemon-root.ts';
import { checkDriverOptions, parseMountOptions } from './driver-options.ts';
import { isMountMode } from './mount-mode.ts';
import { parseBind, parseMount, parseVolumesFrom } from './mount-request.ts';
import { collectMounts } from './plan.ts';
import type { PlannedMount } from './planned-mount.ts';
import { toRuntimeMounts } from './runtime-mounts.ts';
import { tmpfsMountOptions, tmpfsNotation } from './tmpfs-options.ts';
import { checkVolumeName } from './volume.ts';

const refuses = (work: () => unknown, text: string) =>
  assert.throws(work, (error) => isKind(error, 'invalid-argument') && error.message === text, text);

test('parseBind() reads Docker volume specifications', () => {
  const summary = (raw: string) => {
    const { type, source, destination, mode, readOnly, propagation, anonymous, copyUp, createSource } = parseBind(
      raw,
      undefined,
    );
    return { type, source, destination, mode, readOnly, propagation, anonymous, copyUp, createSource };
  };
  assert.deepEqual(summary('/host:/dst/:ro,z'), {
    type: 'bind',
    source: '/host',
    destination: '/dst',
    mode: 'ro,z',
    readOnly: true,
    propagation: 'rprivate',
    anonymous: false,
    copyUp: false,
    createSource: true,
  });
  assert.deepEqual(summary('data:/dst:nocopy'), {
    type: 'volume',
    source: 'data',
    destination: '/dst',
    mode: 'nocopy',
    readOnly: false,
    propagation: '',
    anonymous: false,
    copyUp: false,
    createSource: false,
  });
  assert.equal(summary('/dst').anonymous, true);
  assert.equal(summary('/dst').mode, 'z');
  assert.equal(summary('data:/dst').mode, 'z');
  assert.equal(summary('/a/../b:/dst:rshared').source, '/b');
  assert.equal(summary('/b:/dst:rshared').propagation, 'rshared');
});

test('parseBind() refuses in Docker words', () => {
  const cases: Readonly<Record<string, string>> = {
    '': "invalid volume specification: ''",
    ':/x': "invalid volume specification: ':/x'",
    '/a:/b:ro:x': "invalid volume specification: '/a:/b:ro:x'",
    '/a:ro': "invalid volume specification: '/a:ro'",
    '/a:/b:bad': 'invalid mode: bad',
    '/a:/b:ro,rw': 'invalid mode: ro,rw',
    '/a:/': `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
    '/a:b': `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
    '/a:/b:nocopy': `invalid volume specification: '/a:/b:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified`,
    'v:/b:rshared': `invalid volume specification: 'v:/b:rshared': invalid mount config for type "volume": field BindOptions must not be specified`,
  };
  for (const [raw, message] of Object.entries(cases)) refuses(() => parseBind(raw, undefined), message);
});

test('parseMount() reads and refuses --mount', () => {
  const volume = parseMount({
    Type: 'volume',
    Source: 'data',
    Target: '/x',
    ReadOnly: true,
    VolumeOptions: {
      NoCopy: true,
      Subpath: 'a/b',
      Labels: { k: 'v' },
      DriverConfig: { Name: 'local', Options: { o: 'x' } },
    },
  });
  assert.equal(volume.readOnly, true);
  assert.equal(volume.subpath, 'a/b');
  assert.equal(volume.copyUp, false);
  assert.deepEqual(volume.labels, { k: 'v' });
  assert.deepEqual(volume.driverOptions, { o: 'x' });
  assert.equal(
    parseMount({ Type: 'bind', Source: '/nope', Target: '/x', BindOptions: { CreateMountpoint: true } }).createSource,
    true,
  );
  refuses(
    () => parseMount({ Type: 'bind', Source: '/nope/nope', Target: '/x' }),
    'invalid mount config for type "bind": bind source path does not exist: /nope/nope',
  );
  refuses(
    () => parseMount({ Type: 'tmpfs', Source: 'a', Target: '/x' }),
    'invalid mount config for type "tmpfs": field Source must not be specified',
  );
  refuses(
    () => parseMount({ Type: 'bind', Target: '/x' }),
    'invalid mount config for type "bind": field Source must not be empty',
  );
  refuses(
    () => parseMount({ Type: 'volume' }),
    'invalid mount config for type "volume": field Target must not be empty',
  );
  refuses(() => parseMount({ Type: 'odd', Target: '/x' }), 'invalid mount config for type "odd": mount type unknown');
  refuses(
    () => parseMount({ Type: 'volume', Source: 'v', Target: '/x', VolumeOptions: { Subpath: '../up' } }),
    'invalid mount config for type "volume": subpath must be a relative path within the volume',
  );
  refuses(
    () => parseMount({ Type: 'bind', Source: '/', Target: '/x', BindOptions: { ReadOnlyNonRecursive: true } }),
    'invalid mount config for type "bind": mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive',
  );
  assert.throws(
    () => parseMount({ Type: 'cluster', Source: 'x', Target: '/x' }),
    (error) => isKind(error, 'not-implemented'),
  );
});

test('parseVolumesFrom() takes an optional mode', () => {
  assert.deepEqual(parseVolumesFrom('web'), { container: 'web', readOnly: false });
  assert.deepEqual(parseVolumesFrom('web:ro'), { container: 'web', readOnly: true });
  refuses(() => parseVolumesFrom('web:nocopy'), 'invalid mode: nocopy');
  refuses(() => parseVolumesFrom(''), 'volumes-from specification cannot be an empty string');
});

test('isMountMode() takes one word of each kind', () => {
  for (const good of ['', 'ro', 'rw,Z,rslave,nocopy', 'cached']) assert.ok(isMountMode(good), good);
  for (const bad of ['ro,', 'ro,ro', 'z,Z', 'copy', 'toString']) assert.ok(!isMountMode(bad), bad);
});

test('tmpfsMountOptions() merges defaults and options, later ones winning', () => {
  assert.deepEqual(tmpfsMountOptions(''), ['noexec', 'nosuid', 'nodev', 'rprivate']);
  assert.deepEqual(tmpfsMountOptions('exec,size=1m,size=2m,mode=1777'), [
    'nosuid',
    'nodev',
    'rprivate',
    'exec',
    'size=2m',
    'mode=1777',
  ]);
  refuses(() => tmpfsMountOptions('bogus'), 'invalid tmpfs option "bogus"');
  refuses(() => tmpfsMountOptions('bogus=1'), 'invalid tmpfs option "bogus"');
  assert.equal(
    tmpfsNotation({ Mode: 0o1777, SizeBytes: 64 * 2 ** 20, Options: [['exec']] }, true),
    'ro,mode=1777,size=64m,exec',
  );
  assert.equal(tmpfsNotation({ SizeBytes: 1000 }, false), 'size=1000');
});

const inherited: PlannedMount = {
  point: {
    Type: 'volume',
    Name: 'v',
    Source: '/v/_data',
    Destination: '/shared',
    Mode: 'z',
    RW: true,
    Propagation: '',
  },
  anonymous: false,
  copyUp: true,
  createSource: false,
};

test('collectMounts() lets binds win over volumes-from, and both over image volumes', () => {
  const wanted = collectMounts({
    hostConfig: {
      VolumesFrom: ['other:ro'],
      Binds: ['data:/data'],
      Mounts: [{ Type: 'tmpfs', Target: '/t' }],
      Tmpfs: { '/img2': '' },
    },
    imageVolumes: ['/data', '/img/', '/img2', '/shared'],
    mountsOf: () => [inherited, { ...inherited, point: { ...inherited.point, Destination: '/data' } }],
  });
  const summary = wanted.map((item) =>
    item.kind === 'new' ? [item.request.type, item.request.destination] : ['from', item.mount.point.Destination],
  );
  assert.deepEqual(
    summary.map(String).sort((a, b) => (a < b ? -1 : 1)),
    ['from,/shared', 'tmpfs,/t', 'volume,/data', 'volume,/img'],
  );
  const shared = wanted.find((item) => item.kind === 'inherited');
  assert.equal(shared?.kind === 'inherited' && shared.mount.point.RW, false);
});

test("collectMounts() takes an image's relative volumes from the root", () => {
  const places = (imageVolumes: readonly string[]) =>
    collectMounts({ hostConfig: { Binds: ['x:/given'] }, imageVolumes, mountsOf: () => [] }).map((item) =>
      item.kind === 'new' ? item.request.destination : '',
    );
  assert.deepEqual(places(['c', 'a/../b/', './given', '../../up', '//two']), ['/given', '/c', '/b', '/up', '/two']);
  refuses(() => places(['.']), "invalid specification: destination can't be '/'");
});

test('collectMounts() refuses two mounts on one place', () => {
  const none = { imageVolumes: [], mountsOf: () => [] };
  refuses(() => collectMounts({ hostConfig: { Binds: ['/a:/x', '/b:/x/'] }, ...none }), 'Duplicate mount point: /x');
  refuses(
    () => collectMounts({ hostConfig: { Binds: ['/a:/x'], Tmpfs: { '/x': '' } }, ...none }),
    'Duplicate mount point: /x',
  );
  refuses(
    () => collectMounts({ hostConfig: { Binds: ['/a:/x'], Mounts: [{ Type: 'tmpfs', Target: '/x' }] }, ...none }),
    'Duplicate mount point: /x',
  );
  refuses(
    () => collectMounts({ hostConfig: { Tmpfs: { '/': '' } }, ...none }),
    "invalid specification: destination can't be '/'",
  );
});

test('collectMounts() keeps read-only shallow for old clients', () => {
  const hostConfig = {
    Binds: ['/a:/a:ro', '/b:/b'],
    Mounts: [{ Type: 'bind', Source: '/', Target: '/c', ReadOnly: true }],
  };
  const shallow = (shallowReadOnly: boolean) =>
    collectMounts({ hostConfig, imageVolumes: [], mountsOf: () => [], shallowReadOnly }).map(
      (wanted) => wanted.kind === 'new' && wanted.request.bind?.ReadOnlyNonRecursive === true,
    );
  assert.deepEqual(shallow(true), [true, false, true]);
  assert.deepEqual(shallow(false), [false, false, false]);
});

test('toRuntimeMounts() orders parents before children and keeps read-only recursive', () => {
  const mount = (Destination: string, over: Partial<PlannedMount> = {}): PlannedMount => ({
    ...inherited,
    ...over,
    point: { ...inherited.point, Destination, ...over.point },
  });
  const mounts = toRuntimeMounts(
    [
      { mount: mount('/a/b/c'), source: '/1' },
      {
        mount: mount('/a', { point: { ...inherited.point, Destination: '/a', RW: false, Propagation: 'rshared' } }),
        source: '/2',
      },
      {
        mount: mount('/ro', {
          bind: { NonRecursive: true, ReadOnlyNonRecursive: true },
          point: { ...inherited.point, Destination: '/ro', RW: false },
        }),
        source: '/3',
        restrictions: ['ro', 'nodev'],
      },
      {
        mount: mount('/t', {
          tmpfs: { SizeBytes: 1024 },
          point: { ...inherited.point, Type: 'tmpfs', Destination: '/t' },
        }),
        source: '',
      },
    ],
    { Tmpfs: { '/a/run': 'exec' } },
  );
  assert.deepEqual(mounts, [
    { destination: '/a', type: 'bind', source: '/2', options: ['rbind', 'rro', 'rshared'] },
    { destination: '/ro', type: 'bind', source: '/3', options: ['bind', 'ro', 'nodev', 'private'] },
    {
      destination: '/t',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['noexec', 'nosuid', 'nodev', 'rprivate', 'size=1k'],
    },
    { destination: '/a/run', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'rprivate', 'exec'] },
    { destination: '/a/b/c', type: 'bind', source: '/1', options: ['rbind', 'rprivate'] },
  ]);
});

test('checkVolumeName() and checkDriverOptions() refuse in Docker words', () => {
  checkVolumeName('my_vol.1-x');
  refuses(
    () => checkVolumeName('./rel'),
    'create ./rel: "./rel" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  );
  refuses(
    () => checkVolumeName('x'),
    'create x: volume name is too short, names should be at least two alphanumeric characters',
  );
  refuses(() => checkDriverOptions({ bogus: '1' }), 'invalid option: "bogus"');
  refuses(() => checkDriverOptions({ o: 'size=1m', type: 'tmpfs' }), 'missing required option: "device"');
  checkDriverOptions({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m' });
});

test('parseMountOptions() parts flags from data', () => {
  const none = { flags: 0, propagation: 0, data: '', loop: false };
  assert.deepEqual(parseMountOptions('ro,size=1m,nosuid,uid=1'), { ...none, flags: 3, data: 'size=1m,uid=1' });
  assert.deepEqual(parseMountOptions('bind,rw,rshared'), { ...none, flags: 4096, propagation: (1 << 20) | 16384 });
  assert.deepEqual(parseMountOptions('loop'), { ...none, loop: true });
});

test('guardDaemonRoot() gives binds of the data root a propagation that lets mounts go', () => {
  const guarded = (spec: string) => guardDaemonRoot(parseBind(spec, undefined), '/var/lib/wharf').propagation;
  for (const source of ['/', '/var/lib', '/var/lib/wharf', '/var/lib/wharf/containers']) {
    assert.equal(guarded(`${source}:/x`), 'rslave', source);
    assert.equal(guarded(`${source}:/x:rshared`), 'rshared', source);
    refuses(
      () => guarded(`${source}:/x:rprivate`),
      `invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: "/var/lib/wharf", bind mount source: "${source}", propagation: "rprivate"`,
    );
  }
  assert.equal(guarded('/var/lib/wharf2:/x'), 'rprivate');
  assert.equal(guarded('/etc:/x:private'), 'private');
});

test('parseMount() reads mounts of images', () => {
  const request = parseMount({ Type: 'image', Source: 'app:1', Target: '/x/', ImageOptions: { Subpath: 'a/../b' } });
  assert.deepEqual(
    [request.type, request.source, request.destination, request.readOnly, request.subpath, request.propagation],
    ['image', 'app:1', '/x', true, 'a/../b', 'rprivate'],
  );
  refuses(
    () => parseMount({ Type: 'image', Target: '/x' }),
    'invalid mount config for type "image": field Source must not be empty',
  );
  refuses(
    () => parseMount({ Type: 'image', Source: 'app', Target: '/x', ImageOptions: { Subpath: '../b' } }),
    'invalid mount config for type "image": subpath must be a relative path within the volume',
  );
});
