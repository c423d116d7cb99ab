import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { DiffId, Digest } from '@wharf/kit';
import { isKind, WharfError } from '@wharf/kit';
import { lgetxattr, llistxattr, lstatNs } from '@wharf/linux/fsx';
import fc from 'fast-check';
import { checksums } from '../tar/block.ts';
import { buildTar, type TarMemberInit } from '../tar/build.ts';
import { layerPool } from '../workers/pool.ts';
import { type ApplyLayerOptions, applyLayer } from './apply.ts';
import { NEEDS_PARENT } from './node-maker.ts';

let top = '';
let target = '';
let outside = '';

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'wharf-apply-'));
  target = join(top, 'target');
  outside = join(top, 'outside');
  mkdirSync(target);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'untouched');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));
after(() => layerPool.close());

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function apply(
  members: readonly TarMemberInit[] | Buffer,
  mode: ApplyLayerOptions['mode'] = 'base',
  extra: Partial<ApplyLayerOptions> = {},
) {
  const archive = Buffer.isBuffer(members) ? members : buildTar(members);
  return applyLayer({ source: { stream: Readable.from([archive]) }, target, mode, ...extra });
}

const at = (name: string): string => join(target, name);
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

describe('applyLayer()', () => {
  it('restores owner, mode, times, xattrs, links and devices', async () => {
    const mtimeNs = 1_600_000_000_123_456_789n;
    await apply([
      { name: './', type: 'directory', mode: 0o711, mtimeNs },
      { name: 'dir/', type: 'directory', mode: 0o2750, uid: 5, gid: 6, mtimeNs },
      {
        name: 'dir/suid',
        type: 'file',
        mode: 0o4755,
        uid: 1000,
        gid: 1001,
        mtimeNs,
        content: 'x',
        xattrs: new Map([['security.capability', capability]]),
      },
      { name: 'dir/hard', type: 'link', linkName: 'dir/suid' },
      { name: 'sym', type: 'symlink', linkName: '/abs/olute', uid: 7, gid: 8, mtimeNs },
      { name: 'null', type: 'char', mode: 0o666, deviceMajor: 1, deviceMinor: 3, mtimeNs },
      { name: 'fifo', type: 'fifo', mode: 0o620 },
      { name: 'bad\xff\xfename', type: 'file', content: 'bytes', mtimeNs, uid: 3 },
      { name: 'implied/parent/file', type: 'file', content: 'y' },
    ]);
    const suid = lstatNs(at('dir/suid'));
    assert.equal(suid.mode & 0o7777, 0o4755);
    assert.deepEqual([suid.uid, suid.gid, suid.mtimeNs, suid.nlink], [1000, 1001, mtimeNs, 2]);
    assert.deepEqual(lgetxattr(at('dir/suid'), 'security.capability'), capability);
    const dir = lstatNs(at('dir'));
    assert.deepEqual([dir.mode & 0o7777, dir.uid, dir.gid, dir.mtimeNs], [0o2750, 5, 6, mtimeNs]);
    assert.equal(lstatNs(target).mode & 0o7777, 0o711);
    assert.equal(lstatNs(target).mtimeNs, mtimeNs);
    assert.equal(lstatNs(at('dir/hard')).ino, suid.ino);
    assert.equal(readlinkSync(at('sym')), '/abs/olute');
    assert.deepEqual([lstatNs(at('sym')).uid, lstatNs(at('sym')).mtimeNs], [7, mtimeNs]);
    const device = lstatNs(at('null'));
    assert.deepEqual([device.rdevMajor, device.rdevMinor, device.mode & 0o7777], [1, 3, 0o666]);
    assert.ok(lstatSync(at('fifo')).isFIFO());
    assert.equal(readFileSync(Buffer.from(at('bad\xff\xfename'), 'latin1'), 'utf8'), 'bytes');
    assert.equal(lstatNs(Buffer.from(at('bad\xff\xfename'), 'latin1')).uid, 3);
    assert.equal(statSync(at('implied/parent')).mode & 0o7777, 0o755);
  });

  it('reads gzip, zstd, bzip2, xz and plain archives, and says both digests', async () => {
    const archive = buildTar([{ name: 'file', type: 'file', content: 'x'.repeat(300_000) }]);
    const forms: Record<string, Buffer> = {
      plain: archive,
      gzip: gzipSync(archive),
      zstd: zstdCompressSync(archive),
      bzip2: execFileSync('bzip2', ['-c'], { input: archive }),
      xz: execFileSync('xz', ['-c'], { input: archive }),
    };
    for (const [name, blob] of Object.entries(forms)) {
      rmSync(at('file'), { force: true });
      const path = join(top, name);
      writeFileSync(path, blob);
      const expectedDigest = sha256(blob) as Digest;
      const applied = await applyLayer({ source: { path }, target, mode: 'base', expectedDigest });
      assert.equal(statSync(at('file')).size, 300_000, name);
      assert.equal(applied.diffId, sha256(archive), name);
      assert.equal(applied.digest, expectedDigest, name);
      assert.equal(applied.blobBytes, blob.length, name);
    }
  });

  it('refuses wrong digests, cut off and broken blobs as data-loss', async () => {
    const archive = buildTar([{ name: 'file', type: 'file', content: 'x'.repeat(300_000) }]);
    const wrong = sha256(Buffer.from('else'));
    await assert.rejects(apply(archive, 'base', { expectedDiffId: wrong as DiffId }), /its diff id is/);
    await assert.rejects(apply(gzipSync(archive), 'base', { expectedDigest: wrong as Digest }), /its digest is/);
    const zipped = gzipSync(archive);
    const zstd = zstdCompressSync(archive);
    const xz = execFileSync('xz', ['-c'], { input: archive });
    for (const broken of [
      archive.subarray(0, 5000),
      zipped.subarray(0, zipped.length - 20),
      zstd.subarray(0, zstd.length - 9),
      xz.subarray(0, xz.length - 20),
      Buffer.from('not a tar archive'.repeat(60)),
    ]) {
      await assert.rejects(apply(broken), (error) => isKind(error, 'data-loss'));
    }
    // The thread is fine for the next one.
    await apply(archive);
  });

  it('lets the last of several entries of one name win', async () => {
    await apply([
      { name: 'a', type: 'file', content: 'first' },
      { name: 'a', type: 'file', content: 'second' },
      { name: 'b', type: 'directory' },
      { name: 'b/in', type: 'file', content: 'x' },
      { name: 'b', type: 'file', content: 'now a file' },
      { name: 'c', type: 'symlink', linkName: 'a' },
      { name: 'c', type: 'file', content: 'own' },
      { name: 'd', type: 'file' },
      { name: 'd', type: 'directory', mode: 0o700 },
      { name: 'd/in', type: 'file', content: 'y' },
      { name: 'e', type: 'link', linkName: 'a' },
      { name: 'e', type: 'file', content: 'not through the link' },
      { name: 'a', type: 'link', linkName: './a' },
    ]);
    assert.equal(readFileSync(at('a'), 'utf8'), 'second');
    assert.equal(readFileSync(at('b'), 'utf8'), 'now a file');
    assert.equal(readFileSync(at('c'), 'utf8'), 'own');
    assert.equal(readFileSync(at('d/in'), 'utf8'), 'y');
    assert.equal(readFileSync(at('e'), 'utf8'), 'not through the link');
  });

  it('writes nothing outside its target, however the archive tries', async () => {
    const hostile: TarMemberInit[][] = [
      [{ name: '../outside/new', type: 'file', content: 'x' }],
      [{ name: `${'../'.repeat(20)}${outside.slice(1)}/new`, type: 'file', content: 'x' }],
      [{ name: `${outside}/new`, type: 'file', content: 'x' }],
      [
        { name: 'l', type: 'symlink', linkName: outside },
        { name: 'l/new', type: 'file', content: 'x' },
      ],
      [
        { name: 'l', type: 'symlink', linkName: '../outside' },
        { name: 'l/new', type: 'file', content: 'x' },
      ],
      [
        { name: 'l', type: 'symlink', linkName: `${outside}/secret` },
        { name: 'l', type: 'file', content: 'x' },
      ],
      [
        { name: 'h', type: 'link', linkName: `${outside}/secret` },
        { name: 'h', type: 'file', content: 'x' },
      ],
      [{ name: 'h', type: 'link', linkName: '../outside/secret' }],
      [
        { name: 'l', type: 'symlink', linkName: '..' },
        { name: 'h', type: 'link', linkName: 'l/outside/secret' },
      ],
      [
        { name: 'l', type: 'symlink', linkName: '../outside' },
        { name: 'l/.wh.secret', type: 'file' },
      ],
      [
        { name: 'l', type: 'symlink', linkName: '../outside' },
        { name: 'l/.wh..wh..opq', type: 'file' },
      ],
      [{ name: '.wh...', type: 'file' }],
      [{ name: '../.wh.outside', type: 'file' }],
      [{ name: 'x/../../outside/.wh.secret', type: 'file' }],
      [
        { name: 'l', type: 'symlink', linkName: '/proc/self/cwd' },
        { name: 'l/new', type: 'file', content: 'x' },
      ],
    ];
    for (const [index, members] of hostile.entries()) {
      for (const mode of ['base', 'upper', 'merged'] as const) {
        rmSync(target, { recursive: true });
        mkdirSync(target);
        try {
          await apply(members, mode);
        } catch (error) {
          assert.ok(error instanceof WharfError, `${index}: ${error}`);
        }
        assert.deepEqual(readdirSync(top).sort(), ['outside', 'target'], `case ${index}`);
        assert.deepEqual(readdirSync(outside), ['secret'], `case ${index}`);
        assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'untouched', `case ${index}`);
        assert.equal(lstatSync(join(outside, 'secret')).nlink, 1, `case ${index}`);
      }
    }
  });

  it('keeps attributes that steer overlayfs out', async () => {
    await apply([
      {
        name: 'd',
        type: 'directory',
        xattrs: new Map([
          ['trusted.overlay.redirect', Buffer.from('/etc')],
          ['user.ok', Buffer.from('1')],
        ]),
      },
    ]);
    assert.deepEqual(
      llistxattr(at('d')).filter((name) => !name.startsWith('security.')),
      ['user.ok'],
    );
  });

  it('turns whiteouts into those of overlayfs, in whichever order they come', async () => {
    await apply(
      [
        { name: '.wh.gone', type: 'file' },
        { name: 'dir', type: 'directory' },
        { name: 'dir/.wh..wh..opq', type: 'file' },
        { name: 'dir/kept', type: 'file' },
        { name: '.wh.again', type: 'file' },
        { name: 'again', type: 'directory' },
        { name: 'own', type: 'directory' },
        { name: '.wh.own', type: 'file' },
        { name: 'file', type: 'file' },
        { name: '.wh.file', type: 'file' },
        { name: '.wh..wh.plnk', type: 'directory' },
      ],
      'upper',
    );
    const gone = lstatNs(at('gone'));
    assert.deepEqual([gone.mode & 0o170000, gone.rdevMajor, gone.rdevMinor], [0o020000, 0, 0]);
    for (const name of ['dir', 'again', 'own'])
      assert.equal(`${lgetxattr(at(name), 'trusted.overlay.opaque')}`, 'y', name);
    assert.ok(existsSync(at('dir/kept')));
    assert.ok(lstatSync(at('file')).isFile());
    assert.ok(!existsSync(at('.wh..wh.plnk')));
  });

  it('deletes for whiteouts where the layers below are in the target', async () => {
    await apply([
      { name: 'dir/old', type: 'file' },
      { name: 'dir/sub/older', type: 'file' },
      { name: 'gone/deep/file', type: 'file' },
      { name: 'stays', type: 'file' },
    ]);
    await apply(
      [
        { name: 'dir/new', type: 'file' },
        { name: 'dir/sub/new', type: 'file' },
        { name: 'dir/sub', type: 'directory' },
        { name: 'dir/.wh..wh..opq', type: 'file' },
        { name: '.wh.gone', type: 'file' },
      ],
      'merged',
    );
    assert.deepEqual(readdirSync(target).sort(), ['dir', 'stays']);
    assert.deepEqual(readdirSync(at('dir')).sort(), ['new', 'sub']);
    assert.deepEqual(readdirSync(at('dir/sub')), ['new']);
  });

  it('says so when a layer cannot be unpacked apart from those below', async () => {
    const leaning: TarMemberInit[][] = [
      [{ name: 'no/parent', type: 'file' }],
      [{ name: 'hard', type: 'link', linkName: 'in/lower' }],
      [{ name: 'no/.wh.parent', type: 'file' }],
      [{ name: 'no/.wh..wh..opq', type: 'file' }],
      [{ name: '.wh..wh..opq', type: 'file' }],
    ];
    for (const members of leaning) {
      await assert.rejects(
        apply(members, 'upper'),
        (error) => error instanceof WharfError && error.code === NEEDS_PARENT,
      );
    }
  });

  it('makes a directory that a dangling symlink on the way leads to', async () => {
    await apply([
      { name: 'bin', type: 'symlink', linkName: 'usr/bin' },
      { name: 'bin/tool', type: 'file', content: 'x' },
    ]);
    assert.equal(readFileSync(at('usr/bin/tool'), 'utf8'), 'x');
  });

  it('restores sparse files with their holes', async () => {
    const path = join(top, 'sparse');
    execFileSync('sh', [
      '-c',
      `truncate -s 8M ${path} && printf end | dd of=${path} bs=1 seek=5000000 conv=notrunc status=none`,
    ]);
    await apply(execFileSync('tar', ['-C', top, '-S', '--format=posix', '-cf', '-', 'sparse'], { maxBuffer: 1 << 25 }));
    assert.ok(readFileSync(at('sparse')).equals(readFileSync(path)));
    assert.ok(lstatSync(at('sparse')).blocks < 1000);
  });

  it('stops when its signal is aborted', async () => {
    const abort = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      const archive = buildTar([{ name: 'f', type: 'file', content: 'x' }]).subarray(0, 1024);
      for (let i = 0; ; i++) {
        if (i === 100) abort.abort(new WharfError('aborted', 'enough'));
        yield archive;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await assert.rejects(
      applyLayer({ source: { stream: endless() }, target, mode: 'base', signal: abort.signal }),
      /enough/,
    );
  });

  it('tells a full disk apart', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', target]);
    try {
      const archive = buildTar([{ name: 'big', type: 'file', content: Buffer.alloc(2 << 20) }]);
      await assert.rejects(
        apply(archive),
        (error) => isKind(error, 'resource-exhausted') && /no space left/.test(error.message),
      );
      // Half a file would look like a whole one.
      assert.deepEqual(readdirSync(target), []);
    } finally {
      execFileSync('umount', [target]);
    }
  });

  it('never fails on mutated archives with anything but a WharfError, nor writes outside', async () => {
    const archive = buildTar([
      { name: 'a/', type: 'directory', mode: 0o755 },
      { name: 'a/file', type: 'file', content: 'x'.repeat(700), xattrs: new Map([['user.a', Buffer.from('b')]]) },
      { name: 'l', type: 'symlink', linkName: '../outside' },
      { name: 'a/hard', type: 'link', linkName: 'a/file' },
      { name: '.wh.gone', type: 'file' },
      { name: `${'d/'.repeat(80)}f`, type: 'file', content: 'y', mtimeNs: 1_234_567_890_123n },
    ]);
    const mutation = fc.record({
      at: fc.nat(archive.length - 1),
      byte: fc.constantFrom(0, 0x2e, 0x2f, 0x31, 0x37, 0xff),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (list) => {
        const copy = Buffer.from(archive);
        for (const { at: index, byte } of list) {
          copy[index] = byte;
          const block = copy.subarray(index - (index % 512), index - (index % 512) + 512);
          if (block.toString('latin1', 257, 262) === 'ustar') {
            block.write(`${checksums(block).unsigned.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
          }
        }
        rmSync(target, { recursive: true });
        mkdirSync(target);
        await apply(copy).catch((error: unknown) => assert.ok(error instanceof WharfError, String(error)));
        assert.deepEqual(readdirSync(outside), ['secret']);
      }),
      { numRuns: 150 },
    );
  });

  it('unpacks several layers at once', async () => {
    const archive = buildTar([{ name: 'file', type: 'file', content: 'x'.repeat(100_000) }]);
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const each = at(String(index));
        mkdirSync(each);
        await applyLayer({ source: { stream: Readable.from([archive]) }, target: each, mode: 'base' });
        assert.equal(statSync(join(each, 'file')).size, 100_000);
      }),
    );
  });
});
