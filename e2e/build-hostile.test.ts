import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { TarEntryInit } from '@wharf/oci/tar/entry';
import { encodeTarHeader, TAR_END, tarPadding } from '@wharf/oci/tar/write';
import { HttpClient } from '@wharf/wire/http/client';
import { must, run } from '../scripts/lib/run.ts';
import { Buildx } from './lib/buildx.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually, uniqueName } from './lib/suite.ts';

let daemon: TestDaemon;
const buildx = new Buildx(() => daemon);
before(async () => {
  daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  await buildx.prepare();
});
after(() => daemon.dispose());

/** A sleep of this process's own, to look for among all processes. */
const SLEEP = 2_000_000 + process.pid;
const isSleeping = async () => (await run(['pgrep', '-f', `sleep ${SLEEP}`])).stdout.trim() !== '';

const namesIn = (...path: readonly string[]): readonly string[] => {
  const at = join(daemon.dataRoot, ...path);
  return existsSync(at) ? readdirSync(at) : [];
};

/** Nothing of a build is left: no directory of its own, no file that is not whole, no mount. */
const isTidy = async (): Promise<boolean> => {
  const incoming = namesIn('builder', 'contexts').flatMap((name) => namesIn('builder', 'contexts', name, 'incoming'));
  const mounts = (await must(['cat', '/proc/self/mountinfo'])).includes(join(daemon.directory, 'exec', 'builds'));
  return namesIn('tmp', 'builds').length === 0 && incoming.length === 0 && !mounts;
};

/** Everything odd that a directory can hold but names. */
async function oddContext(): Promise<string> {
  const folder = buildx.context({
    Dockerfile: `FROM ${BUSYBOX}\nCOPY . /all\n`,
    'new\nline': '1',
    'dir/plain': '2',
  });
  const server = createServer().listen(join(folder, 'socket'));
  after(() => server.close());
  await must(['mkfifo', join(folder, 'fifo')]);
  await must(['mknod', join(folder, 'device'), 'c', '1', '3']);
  symlinkSync('loop', join(folder, 'loop'));
  symlinkSync('..', join(folder, 'dir', 'up'));
  symlinkSync('/etc/passwd', join(folder, 'out'));
  return folder;
}

// A client that speaks of a socket calls it an empty file, as BuildKit's clients do.
const ALL = [
  'sh',
  '-c',
  'cd /all; find . ! -name Dockerfile ! -name device ! -name socket | sort | od -An -c | tr -d " \\n"',
];

test('sockets, devices, FIFOs, loops and odd names of a context come to what they are, by a session and in an archive', async () => {
  const folder = await oddContext();
  const [first, second] = [uniqueName('odd'), uniqueName('odd')];
  const session = await buildx.run('build', '-t', first, folder);
  assert.equal(session.code, 0, session.output);
  const classic = await daemon.docker(['build', '-t', second, folder], { env: { DOCKER_BUILDKIT: '0' } });
  assert.equal(classic.code, 0, classic.output);
  const expected = ['.', './dir', './dir/plain', './dir/up', './fifo', './loop', './new', './out', 'line'];
  for (const image of [first, second]) {
    const shown = await daemon.ok('run', '--rm', image, ...ALL);
    assert.equal(shown, `${expected.join('\\n')}\\n`);
  }
});

test('names that are not UTF-8 are kept in archives; a session says what its client makes of them', async () => {
  const bytes = 'b\xff\xfe';
  const file = encodeTarHeader({ name: bytes, type: 'file', mode: 0o644, sizeBytes: 0 });
  const answer = await classic([
    dockerfile(`FROM ${BUSYBOX}\nCOPY . /all\nRUN printf %s /all/b* | od -An -tx1\n`),
    file,
  ]);
  assert.match(answer, /2f 62 ff fe/);
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY . /all\nRUN printf %s /all/b* | od -An -tx1\n` });
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(bytes, 'latin1')]), '');
  const session = await buildx.run('build', '--progress=plain', '--no-cache', folder);
  assert.match(session.output, session.code === 0 ? /2f 62 ff fe/ : /UTF-8/);
});

/** One entry of an archive, with what follows it. */
function entry(init: TarEntryInit, content = ''): Buffer {
  const header = encodeTarHeader({ mode: 0o644, sizeBytes: content.length, ...init });
  return Buffer.concat([header, Buffer.from(content), tarPadding(content.length)]);
}

const dockerfile = (text: string): Buffer => entry({ name: 'Dockerfile', type: 'file' }, text);

/** Sends an archive as a build context; returns all that the daemon says. */
async function classic(parts: readonly Buffer[], end = TAR_END): Promise<string> {
  const body = Buffer.concat([...parts, end]);
  const { text } = await new HttpClient(daemon.host).request({
    ...{ path: '/v1.43/build?nocache=1', method: 'POST', body },
    headers: { 'content-type': 'application/x-tar' },
  });
  return text;
}

test('a hostile archive leads nowhere, and ends in words', async () => {
  const outside = `${daemon.directory}/planted`;
  const copy = dockerfile(`FROM ${BUSYBOX}\nCOPY . /all\nRUN find /all -type f\n`);
  const attacks: readonly (readonly [Buffer[], Buffer?])[] = [
    [[entry({ name: `../../../../../..${outside}`, type: 'file' }, 'x')]],
    [[entry({ name: outside, type: 'file' }, 'x')]],
    [
      [
        entry({ name: 'way', type: 'symlink', linkName: daemon.directory }),
        entry({ name: 'way/planted', type: 'file' }, 'x'),
      ],
    ],
    [[entry({ name: 'hard', type: 'link', linkName: '/etc/passwd' })]],
    [[entry({ name: 'hard', type: 'link', linkName: '../../../../../../etc/passwd' })]],
    [[encodeTarHeader({ name: 'huge', type: 'file', mode: 0o644, sizeBytes: 2 ** 50 })], Buffer.alloc(0)],
    [[Buffer.alloc(3000, 0x41)], Buffer.alloc(0)],
  ];
  for (const [parts, end] of attacks) {
    const answer = await classic([copy, ...parts], end);
    assert.doesNotMatch(answer, /internal error|root:x:0/);
    assert.ok(!existsSync(outside));
  }
  const torn = gzipSync(Buffer.concat([copy, TAR_END])).subarray(0, 60);
  assert.match(await classic([torn], Buffer.alloc(0)), /"message"/);
  await eventually('nothing of the builds is left', isTidy);
});

test('a client that dies while it sends its context leaves nothing half, and the next build goes on from there', async () => {
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY . /all\n`, a: 'small' });
  writeFileSync(join(folder, 'z'), '');
  truncateSync(join(folder, 'z'), 4 * 1024 ** 3);
  const before = namesIn('builder', 'contexts');
  const child = spawn(buildx.path, ['build', folder], {
    stdio: 'ignore',
    env: { ...process.env, ...buildx.environment },
  });
  const fresh = () => namesIn('builder', 'contexts').filter((name) => !before.includes(name));
  await eventually('the large file is on its way', async () =>
    fresh().some((name) => namesIn('builder', 'contexts', name, 'incoming').length > 0),
  );
  child.kill('SIGKILL');
  await eventually('nothing of the build is left', isTidy);
  const [name = ''] = fresh();
  assert.deepEqual(
    namesIn('builder', 'contexts', name, 'tree').filter((each) => each === 'z'),
    [],
  );
  truncateSync(join(folder, 'z'), 10);
  const again = await buildx.run('build', folder);
  assert.equal(again.code, 0, again.output);
});

test('a crash in the middle of a build leaves nothing, and what had ended is taken from the cache', async () => {
  const text = `FROM ${BUSYBOX}\nCOPY . /all\nRUN echo ${uniqueName()} >/kept\n`;
  const files = { '.dockerignore': 'Dockerfile\n', file: uniqueName() };
  const folder = buildx.context({ ...files, Dockerfile: `${text}RUN sleep ${SLEEP}\n` });
  const ending = buildx.run('build', folder);
  await eventually('the step runs', isSleeping);
  await daemon.crash();
  assert.notEqual((await ending).code, 0);
  await eventually('the step has ended', async () => !(await isSleeping()));
  await eventually('nothing of the build is left', isTidy);
  writeFileSync(join(folder, 'Dockerfile'), `${text}RUN cat /all/file\n`);
  const again = await buildx.run('build', '--progress=plain', folder);
  assert.equal(again.code, 0, again.output);
  assert.match(again.output, /RUN echo [^\n]*\n#\d+ CACHED/);
});

test('equal steps of two builds run once, also when the client that was first leaves', async () => {
  const mark = uniqueName('once');
  const mount = `--mount=type=cache,id=${mark},target=/c`;
  const files = {
    Dockerfile: `FROM ${BUSYBOX}\nRUN ${mount} echo ${mark} >>/c/log; until [ -e /c/go ]; do sleep 0.1; done; echo done\n`,
  };
  const folder = buildx.context(files);
  const start = (...options: readonly string[]) => {
    const child = spawn(buildx.path, ['build', '--progress=plain', ...options, folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...buildx.environment },
    });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => {
      output += String(chunk);
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    return { child, ended, output: () => output };
  };
  const isAt = (build: ReturnType<typeof start>) => async () => /\[2\/2\] RUN/.test(build.output());
  const [first, second] = [start(), start()];
  for (const each of [first, second]) await eventually('the step has begun', isAt(each));
  first.child.kill('SIGKILL');
  await first.ended;
  await buildx.build({ Dockerfile: `FROM ${BUSYBOX}\nRUN ${mount} touch /c/go\n` }, '--no-cache');
  assert.equal(await second.ended, 0, second.output());
  assert.match(second.output(), /done/);
  const log = await buildx.build({ Dockerfile: `FROM ${BUSYBOX}\nRUN ${mount} wc -l /c/log\n` }, '--no-cache');
  assert.match(log, /1 \/c\/log/);
});

test('cache mounts are shared, locked and private as they say', async () => {
  const id = uniqueName('sharing');
  const meeting = `--mount=type=cache,id=${id}-meet,target=/m`;
  const both = (mount: string, script: (own: string, other: string) => string) =>
    Promise.all(
      [['a', 'b'] as const, ['b', 'a'] as const].map(([own, other]) =>
        buildx.build({ Dockerfile: `FROM ${BUSYBOX}\nRUN ${mount} ${script(own, other)}\n` }, '--no-cache'),
      ),
    );
  const meet = (at: string, own: string, other: string) =>
    `touch ${at}/${own}; until [ -e ${at}/${other} ]; do sleep 0.1; done`;
  await both(`--mount=type=cache,id=${id}-shared,target=/c`, (own, other) => meet('/c', own, other));
  await both(`--mount=type=cache,id=${id}-locked,target=/c,sharing=locked`, (own) =>
    [`mkdir /c/held || exit 1`, `sleep 0.3`, `echo ${own} >>/c/log`, `rmdir /c/held`].join(' && '),
  );
  await both(
    `${meeting} --mount=type=cache,id=${id}-private,target=/c,sharing=private`,
    (own, other) => `[ -z "$(ls /c)" ] && touch /c/${own} && ${meet('/m', own, other)}`,
  );
});

test('a full disk ends a build in words, gives its space back, and keeps the cache', async () => {
  const small = new TestDaemon({});
  mkdirSync(small.dataRoot);
  await must(['mount', '-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', small.dataRoot]);
  try {
    await small.start();
    await loadBusybox(small.host);
    const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo kept >/kept\nCOPY . /all\n` });
    writeFileSync(join(folder, 'big'), '');
    truncateSync(join(folder, 'big'), 200 * 1024 ** 2);
    const full = await buildx.runAgainst(small.host, 'build', folder);
    assert.notEqual(full.code, 0);
    assert.match(full.output, /no space left on device/);
    rmSync(join(folder, 'big'));
    const isRoomy = async () => {
      const { bavail, bsize } = statfsSync(small.dataRoot);
      return bavail * bsize > 60 * 1024 ** 2;
    };
    await eventually('the context has given its space back', isRoomy);
    const written = { Dockerfile: `FROM ${BUSYBOX}\nRUN echo kept >/kept\nRUN dd if=/dev/zero of=/big bs=1M\n` };
    const step = await buildx.runAgainst(small.host, 'build', buildx.context(written));
    assert.match(step.output, /No space left on device|no space left on device/);
    await eventually('the step has given its space back', isRoomy);
    const again = await buildx.runAgainst(small.host, 'build', '--progress=plain', folder);
    assert.equal(again.code, 0, again.output);
    assert.match(again.output, /RUN echo kept [^\n]*\n#\d+ CACHED/);
    await small.stop();
    await must(['umount', small.dataRoot]);
  } finally {
    await run(['umount', '-ql', small.dataRoot]);
    await small.dispose();
  }
});
