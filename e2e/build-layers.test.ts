import assert from 'node:assert/strict';
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { must, run } from '../scripts/lib/run.ts';
import { Buildx } from './lib/buildx.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const buildx = new Buildx(daemon);
before(() => buildx.prepare());

test('COPY --link makes a layer of its own: another base leaves it cached, and it hides what is below', async () => {
  const tag = uniqueName('link');
  const files = (base: string) => ({
    Dockerfile: [
      `FROM ${BUSYBOX}`,
      `RUN mkdir -m 700 /made && echo ${base} >/made/base && ln -s /nowhere /way && chmod 711 /`,
      'COPY --link dir /made/',
      'COPY --link dir/file /way/file',
      'RUN cat /made/base /made/file /way/file',
    ].join('\n'),
    'dir/file': 'linked\n',
  });
  const first = await buildx.build(files('one'), '-t', tag);
  assert.match(first, /one\n[^\n]* linked\n[^\n]* linked/);
  const second = await buildx.build(files('two'), '-t', tag);
  assert.match(second, /\[3\/5\] COPY --link dir \/made\/\n#\d+ CACHED/);
  assert.match(second, /\[4\/5\] COPY --link dir\/file \/way\/file\n#\d+ CACHED/);
  assert.match(second, /two\n[^\n]* linked\n[^\n]* linked/);
  const shown = ['stat', '-c', '%a %F', '/', '/made', '/way'];
  assert.equal(await daemon().ok('run', '--rm', tag, ...shown), '711 directory\n755 directory\n755 directory');
  const layers = await daemon().ok('inspect', '-f', '{{json .RootFS.Layers}}', tag);
  const archive = join(buildx.folder, 'linked.tar');
  await daemon().ok('save', '-o', archive, tag);
  await daemon().ok('rmi', tag);
  await daemon().ok('builder', 'prune', '-af');
  await daemon().ok('load', '-i', archive);
  assert.equal(await daemon().ok('inspect', '-f', '{{json .RootFS.Layers}}', tag), layers);
});

test('a file that is copied several times is several files, whatever layers have them', async () => {
  const copies = ['COPY a /x', 'COPY a /y', 'COPY --link a /z', 'COPY --link a /w', 'COPY a /z2', 'COPY . /all/'];
  const lines = [...copies, 'COPY --link . /again/', 'COPY --link . /again/'];
  const files = { Dockerfile: `FROM scratch\n${lines.join('\n')}\n`, a: uniqueName(), b: uniqueName() };
  const folder = buildx.context(files);
  linkSync(join(folder, 'b'), join(folder, 'c'));
  const out = buildx.place();
  const build = (...options: readonly string[]) => buildx.run('build', '--progress=plain', ...options, folder);
  const check = () => {
    const names = ['x', 'y', 'z', 'w', 'z2', 'all/a', 'all/b', 'again/a', 'again/b'];
    const found = names.map((name) => statSync(join(out, name)));
    assert.equal(new Set(found.map(({ ino }) => ino)).size, names.length);
    // What is one file in the context stays one.
    const [b, c] = [statSync(join(out, 'all/b')), statSync(join(out, 'all/c'))];
    assert.deepEqual([b.ino, b.nlink], [c.ino, 2]);
    assert.equal(statSync(join(out, 'x')).nlink, 1);
    assert.equal(readFileSync(join(out, 'z'), 'utf8'), files.a);
    rmSync(out, { recursive: true });
  };
  const first = await build('-o', out);
  assert.equal(first.code, 0, first.output);
  check();
  // Once more, when the files of the context are in layers already.
  writeFileSync(join(folder, 'Dockerfile'), `FROM scratch\nCOPY b /other\n${lines.join('\n')}\n`);
  assert.equal((await build('-o', out)).code, 0);
  check();
  const tag = uniqueName('several');
  assert.equal((await build('-t', tag)).code, 0);
  const container = await daemon().ok('create', tag, 'none');
  const archive = join(buildx.folder, 'several.tar');
  await daemon().ok('export', '-o', archive, container);
  const links = (await must(['tar', '-tvf', archive])).split('\n').filter((line) => line.startsWith('h'));
  assert.deepEqual(
    links.map((line) => line.replace(/^.* (\S+) link to (\S+)$/, '$1 $2')),
    ['again/c again/b', 'all/c all/b'],
  );
});

test('what df and du say of the cache is what is on the disk, also of files that several have', async () => {
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY . /data\n`, small: uniqueName() });
  writeFileSync(join(folder, 'large'), Buffer.alloc(20_000_000, uniqueName()));
  const tags = [uniqueName('usage'), uniqueName('usage')];
  for (const tag of tags) {
    writeFileSync(join(folder, 'small'), uniqueName());
    assert.equal((await buildx.run('build', '-t', tag, folder)).code, 0);
  }
  const root = (await daemon().ok('info', '-f', '{{.DockerRootDir}}')).trim();
  const measured = async (...paths: readonly string[]) => {
    await must(['sync', '-f', root]);
    const lines = (await must(['du', '-sxcB1', ...paths.map((path) => join(root, path))])).trim().split('\n');
    return Number.parseInt(lines.at(-1) ?? '', 10);
  };
  const usage = async () => {
    const text = await daemon().ok('system', 'df', '--format', '{{json .}}');
    const sizes = text.split('\n').map((line) => JSON.parse(line) as { readonly Type: string; readonly Size: string });
    return (type: string) => bytesOf(sizes.find(({ Type }) => Type === type)?.Size ?? '');
  };
  const said = await usage();
  const isNear = (left: number, right: number) => Math.abs(left - right) < 1_500_000;
  // Two images and a context, and one large file on the disk.
  assert.ok(said('Images') < 30_000_000, `${said('Images')}`);
  const all = await measured('snapshots', 'content', 'builder');
  assert.ok(isNear(said('Images') + said('Build Cache'), all), `${said('Images')} + ${said('Build Cache')} != ${all}`);
  assert.match(
    (await buildx.run('du', '--verbose', '--filter', 'type=source.local')).output,
    /local source for context/,
  );
  const pruned = await buildx.run('prune', '-f', '--filter', 'type=source.local');
  assert.equal(pruned.code, 0, pruned.output);
  assert.doesNotMatch((await buildx.run('du', '--verbose')).output, /local source/);
});

/** In bytes. What goes while du looks is no error. */
async function diskUsage(directory: string): Promise<number> {
  const { stdout } = await run(['du', '-sxB1', directory]);
  return Number.parseInt(stdout, 10);
}

test('what a prune says it gave back is free', async () => {
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY . /data\nRUN true\n` });
  writeFileSync(join(folder, 'large'), Buffer.alloc(20_000_000, uniqueName()));
  const environment = { env: { DOCKER_BUILDKIT: '0' } };
  const tag = uniqueName('pruned');
  assert.equal((await daemon().docker(['build', '-t', tag, folder], environment)).code, 0);
  await daemon().ok('rmi', tag);
  const root = await daemon().ok('info', '-f', '{{.DockerRootDir}}');
  const measured = () => diskUsage(join(root, 'snapshots'));
  const before = await measured();
  const kept = await daemon().docker(['builder', 'prune', '-f', '--filter', 'until=24h'], environment);
  assert.match(kept.output, /Total.*: +0B/);
  const { output } = await daemon().docker(['builder', 'prune', '-f'], environment);
  assert.ok(bytesOf(/Total.*: +([\d.]+[kMG]?B)/.exec(output)?.[1] ?? '') > 20_000_000, output);
  await eventually('the space is given back', async () => before - (await measured()) > 20_000_000);
});

test('a prune leaves what a build stands on, and gives all of it back as soon as that has ended', async () => {
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY . /data\nRUN sleep 1000\n` });
  writeFileSync(join(folder, 'large'), Buffer.alloc(20_000_000, uniqueName()));
  const root = await daemon().ok('info', '-f', '{{.DockerRootDir}}');
  const measured = () => diskUsage(join(root, 'snapshots'));
  const inUse = async () => (await buildx.run('du', '--verbose', '--filter', 'inuse=true')).stdout;
  assert.equal((await buildx.run('prune', '-f')).code, 0);
  const empty = await measured();
  const building = buildx.start(daemon().host, 'build', folder);
  await eventually('a step is in use', async () => (await inUse()).includes('COPY . /data'));
  assert.equal((await buildx.run('prune', '-f')).code, 0);
  assert.match(await inUse(), /COPY \. \/data/);
  assert.ok((await measured()) - empty > 20_000_000);
  building.kill('SIGKILL');
  await eventually('nothing of it is in use', async () => !(await inUse()).includes('COPY . /data'));
  // One that goes to its end, too, whose results the client could look into.
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${BUSYBOX}\nCOPY . /data\nRUN true\n`);
  assert.equal((await buildx.run('build', '--output=type=cacheonly', folder)).code, 0);
  await eventually('nothing of that is in use', async () => !(await inUse()).includes('COPY . /data'));
  assert.equal((await buildx.run('prune', '-f')).code, 0);
  await eventually('the space is given back', async () => (await measured()) - empty < 1_000_000);
});

test('the cache is kept within its bounds, and what was used last stays', async () => {
  const gc = JSON.stringify({ defaultMaxUsedSpace: '30MB', defaultReservedSpace: '1MB' });
  await using small = await TestDaemon.start({ arguments: ['--builder-gc', gc] });
  await loadBusybox(small.host);
  const write = (name: string) => `RUN dd if=/dev/urandom of=/${name} bs=1M count=12`;
  const text = `FROM ${BUSYBOX}\n${['a', 'b', 'c', 'd'].map(write).join('\n')}\n`;
  // No image is made, so that nothing is shared.
  const folder = buildx.context({ Dockerfile: `${text}RUN false\n` });
  assert.notEqual((await buildx.runAgainst(small.host, 'build', folder)).code, 0);
  const sizeOf = async () => bytesOf(/Build Cache +\d+ +\d+ +(\S+)/.exec(await small.ok('system', 'df'))?.[1] ?? '');
  await eventually('it is within its bounds', async () => (await sizeOf()) <= 30 * 1024 ** 2);
  assert.ok((await sizeOf()) > 10_000_000);
  writeFileSync(join(folder, 'Dockerfile'), text);
  const again = await buildx.runAgainst(small.host, 'build', '--progress=plain', folder);
  assert.match(again.output, /of=\/b [^\n]*\n#\d+ CACHED/);
  assert.doesNotMatch(again.output, /of=\/d [^\n]*\n#\d+ CACHED/);
});

function bytesOf(text: string): number {
  const match = /^([\d.]+)(B|kB|MB|GB)/.exec(text);
  return Number(match?.[1]) * ({ B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[match?.[2] ?? 'B'] ?? 1);
}
