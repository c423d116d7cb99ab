import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WharfError } from '@wharf/kit';
import fc from 'fast-check';
import tarStream from 'tar-stream';
import { checksums } from './block.ts';
import { toBytes, toText } from './bytes.ts';
import type { TarEntry, TarEntryInit } from './entry.ts';
import { TarParser } from './parser.ts';
import { formatPaxRecord, formatPaxTime, parsePaxRecords, paxTimeNs } from './pax.ts';
import { readTar } from './read.ts';
import { encodeTarHeader, TAR_END, tarPadding } from './write.ts';

interface Read {
  readonly entry: TarEntry;
  readonly content: Buffer;
}

/** Parses a whole archive, cut into chunks of `chunkBytes`. */
function parse(archive: Buffer, chunkBytes = archive.length || 1): Read[] {
  const found: { entry: TarEntry; content: Buffer }[] = [];
  const parser = new TarParser({
    entry: (entry) => found.push({ entry, content: Buffer.alloc(Math.min(entry.sizeBytes, 1 << 24)) }),
    data: (chunk, position) => chunk.copy(found.at(-1)?.content ?? chunk, position),
    end: () => {},
  });
  for (let at = 0; at < archive.length; at += chunkBytes) parser.push(archive.subarray(at, at + chunkBytes));
  parser.finish();
  return found;
}

function write(...members: readonly (TarEntryInit & { readonly content?: string })[]): Buffer {
  const parts = members.flatMap(({ content = '', ...entry }) => {
    const body = Buffer.from(content);
    const sizeBytes = entry.sizeBytes ?? body.length;
    return [encodeTarHeader({ ...entry, sizeBytes }), body, tarPadding(sizeBytes)];
  });
  return Buffer.concat([...parts, TAR_END]);
}

function resum(block: Buffer): Buffer {
  block.write(`${checksums(block).unsigned.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}

function isDataLoss(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof WharfError && error.kind === 'data-loss' && pattern.test(error.message);
}

const xattrs = new Map([
  ['security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')],
  ['user.empty', Buffer.alloc(0)],
]);

const members: (TarEntryInit & { content?: string })[] = [
  { name: 'dir', type: 'directory', mode: 0o1777, mtimeNs: 1_700_000_000_123_456_789n },
  { name: 'dir/file', type: 'file', mode: 0o4755, uid: 1000, gid: 3_000_000, content: 'hello', xattrs },
  { name: 'dir/link', type: 'link', linkName: 'dir/file' },
  { name: 'sym', type: 'symlink', linkName: 'x'.repeat(300), mode: 0o777 },
  { name: `${'long/'.repeat(60)}end`, type: 'file', content: 'a'.repeat(513) },
  { name: `${'p'.repeat(120)}/${'n'.repeat(99)}`, type: 'file', content: 'prefix' },
  { name: toBytes('grüße/日本'), type: 'file', userName: toBytes('jürgen'), content: 'x' },
  { name: 'bad\xff\xfe', type: 'file', content: 'y' },
  { name: 'dev', type: 'char', deviceMajor: 1, deviceMinor: 3, mtimeNs: -1_500_000_000n },
  { name: 'blk', type: 'block', deviceMajor: 259, deviceMinor: 70_000 },
  { name: 'pipe', type: 'fifo', mode: 0o600 },
];

describe('encodeTarHeader()', () => {
  it('is read back by TarParser, whatever the size of the chunks', () => {
    const archive = write(...members);
    for (const size of [1, 7, 511, 512, 513, 4096, archive.length]) {
      const read = parse(archive, size);
      assert.equal(read.length, members.length);
      for (const [index, want] of members.entries()) {
        const { entry, content } = read[index] ?? assert.fail('an entry is missing');
        assert.equal(entry.name.replace(/\/$/, ''), want.name);
        assert.equal(entry.type, want.type);
        assert.equal(entry.mode, want.mode ?? 0);
        assert.equal(entry.uid, want.uid ?? 0);
        assert.equal(entry.gid, want.gid ?? 0);
        assert.equal(entry.mtimeNs, want.mtimeNs ?? 0n);
        assert.equal(entry.linkName, want.linkName ?? '');
        assert.equal(entry.deviceMajor, want.deviceMajor ?? 0);
        assert.equal(entry.deviceMinor, want.deviceMinor ?? 0);
        assert.equal(content.toString(), want.content ?? '');
        assert.deepEqual([...entry.xattrs], [...(want.xattrs ?? [])]);
      }
    }
  });

  it('is read back by tar-stream', async () => {
    const seen: string[] = [];
    const extract = tarStream.extract();
    extract.on('entry', (header, stream, next) => {
      seen.push(`${header.name} ${header.type} ${header.size} ${header.linkname ?? ''}`);
      stream.on('end', next).resume();
    });
    const done = new Promise<void>((resolve, reject) => extract.on('finish', () => resolve()).on('error', reject));
    extract.end(write(...members.filter(({ name }) => !name.startsWith('bad'))));
    await done;
    assert.equal(seen.length, members.length - 1);
    assert.ok(seen.includes('grüße/日本 file 1 '));
    assert.ok(seen.includes(`sym symlink 0 ${'x'.repeat(300)}`));
  });

  it('is read by GNU tar', () => {
    const listing = execFileSync('tar', ['-tvf', '-', '--full-time', '--numeric-owner', '--quoting-style=literal'], {
      input: write(...members),
      env: { ...process.env, TZ: 'UTC' },
    }).toString('latin1');
    assert.match(listing, /-rwsr-xr-x 1000\/3000000 +5 .* dir\/file/);
    assert.match(listing, /hrw?.*dir\/link link to dir\/file|h--------- .*dir\/link link to dir\/file/);
    assert.match(listing, /2023-11-14 22:13:20\.123456789 dir\//);
    assert.match(listing, /bad\xff\xfe/);
    assert.match(listing, /259,70000/);
  });

  it('says in the size record what eleven octal digits cannot', () => {
    const size = 9 * 2 ** 30;
    const [header] = [encodeTarHeader({ name: 'big', type: 'file', sizeBytes: size })];
    let seen = 0;
    new TarParser({ entry: (entry) => (seen = entry.sizeBytes), data() {}, end() {} }).push(header);
    assert.equal(seen, size);
  });
});

describe('TarParser', () => {
  it('reads what GNU tar writes in every format', () => {
    const dir = mkdtempSync(join(tmpdir(), 'wharf-tar-'));
    try {
      const long = 'n'.repeat(90);
      writeFileSync(join(dir, long), 'content');
      for (const format of ['v7', 'oldgnu', 'gnu', 'ustar', 'posix']) {
        const read = parse(execFileSync('tar', ['-C', dir, `--format=${format}`, '-cf', '-', `./${long}`]), 1000);
        assert.deepEqual(
          read.map(({ entry, content }) => [entry.name, entry.type, content.toString()]),
          [[`./${long}`, 'file', 'content']],
          format,
        );
      }
      execFileSync('sh', [
        '-c',
        'mkdir -p "$0" && ln -s "$1" "$0/s" && echo hi > "$0/f"',
        join(dir, `${long}/`.repeat(2)).replace(long, `${long}d`),
        't'.repeat(150),
      ]);
      for (const format of ['gnu', 'posix']) {
        const read = parse(execFileSync('tar', ['-C', dir, `--format=${format}`, '-cf', '-', '.']), 333);
        assert.ok(
          read.some(({ entry }) => entry.linkName === 't'.repeat(150)),
          format,
        );
        assert.ok(
          read.some(({ entry, content }) => entry.name.endsWith('/f') && `${content}` === 'hi\n'),
          format,
        );
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('reads every sparse format of GNU tar', () => {
    const dir = mkdtempSync(join(tmpdir(), 'wharf-tar-'));
    try {
      const path = join(dir, 'sparse');
      const content = Buffer.alloc(1 << 20);
      // Forty islands, so that the old format needs extension blocks.
      for (let i = 0; i < 40; i++) content.write(`island ${i}`, i * 24_576);
      writeFileSync(path, '');
      truncateSync(path, content.length);
      execFileSync('sh', [
        '-c',
        'for i in $(seq 0 39); do printf "island $i" | dd of="$0" bs=1 seek=$((i*24576)) conv=notrunc status=none; done',
        path,
      ]);
      for (const version of ['oldgnu', '0.0', '0.1', '1.0']) {
        const format = version === 'oldgnu' ? ['--format=gnu'] : ['--format=posix', `--sparse-version=${version}`];
        const archive = execFileSync('tar', ['-C', dir, '-S', ...format, '-cf', '-', 'sparse'], { maxBuffer: 1 << 25 });
        const [member] = parse(archive, 700);
        assert.equal(member?.entry.name, 'sparse', version);
        assert.equal(member.entry.sizeBytes, content.length, version);
        assert.ok((member.entry.extents?.length ?? 0) > 30, version);
        assert.ok(member.content.equals(content), version);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('lays PAX records over the header, and global ones over all that follow', () => {
    const pax = (flag: string, records: string): Buffer => {
      const header = encodeTarHeader({ name: 'pax', type: 'file', sizeBytes: records.length });
      header[156] = flag.charCodeAt(0);
      return Buffer.concat([resum(header), Buffer.from(records), tarPadding(records.length)]);
    };
    const record = formatPaxRecord;
    const archive = Buffer.concat([
      pax('g', record('uname', 'everybody') + record('comment', 'abc')),
      pax('x', record('path', 'renamed') + record('LIBARCHIVE.xattr.user.a%3Db', 'aGk=') + record('uid', '77')),
      encodeTarHeader({ name: 'one', type: 'file' }),
      pax('x', record('uname', '')),
      encodeTarHeader({ name: 'two', type: 'file', userName: 'me' }),
      TAR_END,
    ]);
    const [one, two] = parse(archive);
    assert.equal(one?.entry.name, 'renamed');
    assert.equal(one.entry.uid, 77);
    assert.equal(one.entry.userName, 'everybody');
    assert.deepEqual([...one.entry.xattrs], [['user.a=b', Buffer.from('hi')]]);
    assert.equal(two?.entry.name, 'two');
    assert.equal(two.entry.userName, 'everybody');
  });

  it('reads base-256 numbers, also negative ones', () => {
    const block = encodeTarHeader({ name: 'n', type: 'file' });
    block.fill(0xff, 136, 148);
    block.fill(0, 108, 116);
    block.writeUInt8(0x80, 108);
    block.writeUInt32BE(0x7fffffff, 112);
    const [read] = parse(Buffer.concat([resum(block), TAR_END]));
    assert.equal(read?.entry.mtimeNs, -1_000_000_000n);
    assert.equal(read.entry.uid, 0x7fffffff);
  });

  it('takes a name ending in a slash without a type for a directory', () => {
    const block = encodeTarHeader({ name: 'old/', type: 'directory' });
    block[156] = 0;
    const [read] = parse(Buffer.concat([resum(block), TAR_END]));
    assert.equal(read?.entry.type, 'directory');
  });

  it('swallows what follows the end marker, and accepts a missing one', () => {
    const archive = write({ name: 'a', type: 'file', content: 'x' });
    assert.equal(parse(Buffer.concat([archive, Buffer.from('garbage')])).length, 1);
    assert.equal(parse(archive.subarray(0, 1024)).length, 1);
    // Cut off in the padding, as docker's CLI leaves it.
    assert.equal(parse(archive.subarray(0, 513)).length, 1);
    assert.equal(parse(Buffer.alloc(0)).length, 0);
  });

  it('refuses an archive that is cut off, saying where', () => {
    const archive = write({ name: 'some/file', type: 'file', content: 'x'.repeat(2000) });
    assert.throws(() => parse(archive.subarray(0, 300)), isDataLoss(/cut off in the middle of a header/));
    assert.throws(() => parse(archive.subarray(0, 1700)), isDataLoss(/at byte 1700: .* middle of "some\/file"/));
    const long = write({ name: 'x'.repeat(300), type: 'file' });
    assert.throws(() => parse(long.subarray(0, 1024)), isDataLoss(/cut off/));
    // The second block of zeros may be missing, but not a part of it.
    assert.throws(() => parse(archive.subarray(0, -1)), isDataLoss(/cut off in the middle of its end marker/));
    assert.doesNotThrow(() => parse(archive.subarray(0, -512)));
  });

  it('refuses broken headers, records and maps', () => {
    const archive = write({ name: 'a', type: 'file', content: 'x' });
    archive[0] = 0x62;
    assert.throws(() => parse(archive), isDataLoss(/wrong checksum/));
    const body = '99 path=short\n';
    const header = encodeTarHeader({ name: 'pax', type: 'file', sizeBytes: body.length });
    header[156] = 0x78;
    const broken = Buffer.concat([resum(header), Buffer.from(body), tarPadding(body.length), TAR_END]);
    assert.throws(() => parse(broken), isDataLoss(/PAX record does not end/));
    const huge = encodeTarHeader({ name: 'pax', type: 'file', sizeBytes: 1 << 30 });
    huge[156] = 0x78;
    assert.throws(() => parse(resum(huge)), isDataLoss(/too long/));
    assert.throws(() => parse(Buffer.alloc(2048, 'not a tar archive')), isDataLoss(/checksum/));
  });

  it('never fails on mutated archives with anything but data-loss', () => {
    const archive = write(...members);
    const mutation = fc.record({ at: fc.nat(archive.length - 1), byte: fc.nat(255), fix: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 2000 }),
        (list, size) => {
          const copy = Buffer.from(archive);
          for (const { at, byte, fix } of list) {
            copy[at] = byte;
            const block = copy.subarray(at - (at % 512), at - (at % 512) + 512);
            if (fix && block.length === 512 && block.toString('latin1', 257, 262) === 'ustar') resum(block);
          }
          try {
            parse(copy, size);
          } catch (error) {
            assert.ok(error instanceof WharfError && error.kind === 'data-loss', String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never fails on random bytes with anything but data-loss', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
        try {
          parse(Buffer.from(bytes), 100);
        } catch (error) {
          assert.ok(error instanceof WharfError && error.kind === 'data-loss', String(error));
        }
      }),
    );
  });
});

describe('readTar()', () => {
  it('yields entries with their content, and skips what is not read', async () => {
    async function* source(): AsyncGenerator<Buffer> {
      const archive = write(
        { name: 'a', type: 'file', content: 'first' },
        { name: 'b', type: 'file', content: 'second' },
      );
      for (let at = 0; at < archive.length; at += 100) yield archive.subarray(at, at + 100);
    }
    const names: string[] = [];
    let second = '';
    for await (const { entry, content } of readTar(source())) {
      names.push(entry.name);
      if (entry.name === 'b') for await (const chunk of content) second += chunk.toString();
    }
    assert.deepEqual(names, ['a', 'b']);
    assert.equal(second, 'second');
  });
});

describe('PAX helpers', () => {
  it('formatPaxRecord() counts its own digits', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,20}$/), fc.integer({ min: 0, max: 1200 }), (key, length) => {
        const value = 'v'.repeat(length);
        assert.deepEqual(parsePaxRecords(formatPaxRecord(key, value), 0), [[key, value]]);
      }),
    );
  });

  it('paxTimeNs() takes back what formatPaxTime() gives', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (ns) => paxTimeNs(formatPaxTime(ns)) === ns),
    );
  });

  it('toText() and toBytes() are inverse for text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => toText(toBytes(text)) === text.toWellFormed()));
  });
});
