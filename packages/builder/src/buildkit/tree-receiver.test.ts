import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { WharfError } from '@wharf/kit';
import { lstatNs, S } from '@wharf/linux/fsx';
import { encode, message } from '@wharf/wire/grpc/protobuf';
import fc from 'fast-check';
import { type ContextIndex, UNKNOWN_TIME } from '../sources/context-index.ts';
import { GO, PACKET, readPacket } from './diff-copy.ts';
import { TreeReceiver } from './tree-receiver.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-receiver-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const Stat = message('stat', {
  ...{
    1: ['path', 'bytes'],
    2: ['mode', 'int'],
    5: ['size', 'int'],
    6: ['modTime', 'bigint'],
    7: ['linkname', 'bytes'],
  },
});
const Sent = message('packet', { 1: ['type', 'int'], 2: ['stat', Stat], 3: ['ID', 'int'], 4: ['data', 'bytes'] });

interface Told {
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'symlink' | 'hardlink' | 'fifo' | 'socket';
  readonly text: string;
  readonly time: number;
}

const MODES = { directory: GO.DIR + 0o755, file: 0o644, symlink: GO.SYMLINK + 0o777, hardlink: 0o644 } as const;

function stat({ path, kind, text, time }: Told, firstFile: string): object {
  const mode = kind === 'fifo' ? GO.PIPE + 0o600 : kind === 'socket' ? GO.SOCKET + 0o600 : MODES[kind];
  const link = kind === 'symlink' ? text || 'x' : kind === 'hardlink' ? firstFile : '';
  const size = kind === 'file' ? text.length : 0;
  return { path: Buffer.from(path), mode, size, modTime: BigInt(time), linkname: Buffer.from(link) };
}

/** What a receiver works on. */
class Place {
  readonly root = mkdtempSync(join(scratch, 'place-'));
  readonly tree = join(this.root, 'tree');
  readonly incoming = join(this.root, 'incoming');
  readonly index: ContextIndex = new Map();

  constructor() {
    for (const path of [this.tree, this.incoming]) mkdirSync(path);
  }

  /** Plays a client to the end, or until something is refused. */
  receive(entries: readonly Told[], options: { readonly stopAfter?: number } = {}): void {
    const receiver = new TreeReceiver({
      ...{ root: this.tree, incoming: this.incoming, index: this.index, onChange: () => undefined },
      ...{ maxEntries: 50, maxBytes: 10_000 },
    });
    const firstFile = entries.find(({ kind }) => kind === 'file')?.path ?? '';
    let left = options.stopAfter ?? Number.POSITIVE_INFINITY;
    const give = (packet: object): void => {
      left -= 1;
      if (left < 0) throw new WharfError('unavailable', 'the client has left');
      receiver.take(encode(Sent, packet));
    };
    try {
      for (const entry of entries) give({ type: PACKET.STAT, stat: stat(entry, firstFile) });
      give({ type: PACKET.STAT });
      for (const ID of receiver.takeWanted()) {
        give({ type: PACKET.DATA, ID, data: Buffer.from(entries[ID]?.text ?? '') });
        give({ type: PACKET.DATA, ID });
      }
      assert.ok(receiver.takeFin());
      give({ type: PACKET.FIN });
      assert.ok(receiver.isFinished);
    } finally {
      receiver.dispose();
    }
  }

  /** Everything on the disk, as far as an index says it. */
  seen(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const visit = (name: string): void => {
      const path = join(this.tree, name);
      const status = lstatSync(path);
      found.set(name, describe(status.mode, status.isSymbolicLink() ? readlinkSync(path) : '', digestOf(path)));
      if (status.isDirectory()) for (const each of readdirSync(path)) visit(join(name, each));
    };
    for (const name of readdirSync(this.tree)) visit(name);
    return found;
  }

  /** The same as the index has it. */
  known(): ReadonlyMap<string, string> {
    const describeEntry = (name: string): string => {
      const entry = this.index.get(name);
      assert.ok(entry !== undefined);
      const isSymlink = (entry.mode & S.IFMT) === S.IFLNK;
      return describe(entry.mode, isSymlink ? entry.link : '', entry.digest);
    };
    return new Map([...this.index.keys()].map((name) => [name, describeEntry(name)]));
  }
}

function digestOf(path: string): string {
  return lstatSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
}

function describe(mode: number, link: string, digest: string): string {
  return `${mode.toString(8)} ${link} ${digest}`;
}

const sorted = (map: ReadonlyMap<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

const told = fc
  .record({
    path: fc.constantFrom('a', 'b', 'c', 'a/b', 'a/c', 'b/a', 'a/b/c', 'b/a/d', '..', 'a/../b', ''),
    kind: fc.constantFrom<Told['kind'][]>(
      'directory',
      'directory',
      'file',
      'file',
      'symlink',
      'hardlink',
      'fifo',
      'socket',
    ),
    length: fc.nat(5),
    time: fc.integer({ min: 1, max: 3 }),
  })
  // Size and time stand for the content, as in every client of this protocol: what has both the same is not sent again.
  .map(({ length, ...entry }): Told => ({ ...entry, text: 'xyz'.charAt(entry.time - 1).repeat(length) }));
/** As clients send them, directories before what is in them; now and then in no order. */
const listing = fc.oneof(
  fc.array(told, { maxLength: 12 }),
  fc
    .uniqueArray(told, { maxLength: 12, selector: ({ path }) => path })
    .map((entries) => entries.toSorted((left, right) => (left.path < right.path ? -1 : 1))),
);

/** A listing as an honest client makes it: what lies in no directory, and names that lead anywhere, are left out. */
const honest = listing.map((entries) => {
  const directories = new Set(['']);
  let hasFile = false;
  const kept = new Map<string, Told>();
  for (const entry of entries.toSorted((left, right) => (left.path < right.path ? -1 : 1))) {
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')));
    const isOdd = entry.path === '' || entry.path.includes('..') || !directories.has(parent);
    if (isOdd || kept.has(entry.path) || (entry.kind === 'hardlink' && !hasFile)) continue;
    if (entry.kind === 'directory') directories.add(entry.path);
    if (entry.kind === 'file') hasFile = true;
    kept.set(entry.path, entry);
  }
  return [...kept.values()];
});

test('TreeReceiver: the index says what is in the tree, however often, how far and in what order a client sends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.oneof(listing, honest), fc.option(fc.nat(20), { nil: undefined })), { maxLength: 4 }),
      (rounds) => {
        const place = new Place();
        for (const [entries, stopAfter] of rounds) {
          try {
            place.receive(entries, stopAfter === undefined ? {} : { stopAfter });
          } catch (error) {
            assert.ok(error instanceof WharfError, String(error));
          }
          assert.deepEqual(sorted(place.known()), sorted(place.seen()));
          assert.deepEqual(readdirSync(place.incoming), []);
        }
        rmSync(place.root, { recursive: true });
      },
    ),
    { numRuns: 300 },
  );
});

test('TreeReceiver comes to the same from any earlier state as from none', () => {
  fc.assert(
    fc.property(fc.oneof(listing, honest), honest, (before, now) => {
      const [fresh, used] = [new Place(), new Place()];
      fresh.receive(now);
      try {
        used.receive(before);
      } catch {
        // What it left is a state, too.
      }
      used.receive(now);
      assert.deepEqual(sorted(used.seen()), sorted(fresh.seen()));
      for (const [name, entry] of used.index) {
        assert.equal(entry.mtimeNs, fresh.index.get(name)?.mtimeNs, name);
        if ((entry.mode & S.IFMT) === S.IFDIR) assert.equal(lstatNs(join(used.tree, name)).mtimeNs, entry.mtimeNs);
      }
      for (const place of [fresh, used]) rmSync(place.root, { recursive: true });
    }),
    { numRuns: 300 },
  );
});

test('TreeReceiver asks again for a file that changed while its client read it', () => {
  const place = new Place();
  const receiver = new TreeReceiver({
    ...{ root: place.tree, incoming: place.incoming, index: place.index, onChange: () => undefined },
    ...{ maxEntries: 5, maxBytes: 100 },
  });
  const entry: Told = { path: 'a', kind: 'file', text: 'longer', time: 1 };
  receiver.take(encode(Sent, { type: PACKET.STAT, stat: stat(entry, '') }));
  receiver.take(encode(Sent, { type: PACKET.DATA, ID: 0, data: Buffer.from('cut') }));
  receiver.take(encode(Sent, { type: PACKET.DATA, ID: 0 }));
  assert.equal(place.index.get('a')?.mtimeNs, UNKNOWN_TIME);
  place.receive([entry]);
  assert.equal(readFileSync(join(place.tree, 'a'), 'utf8'), 'longer');
});

test('TreeReceiver has bounds for entries and bytes', () => {
  const many = Array.from({ length: 51 }, (_, index): Told => ({ path: `f${index}`, kind: 'file', text: '', time: 1 }));
  assert.throws(() => new Place().receive(many), { kind: 'resource-exhausted' });
  const large: Told = { path: 'a', kind: 'file', text: 'x'.repeat(10_001), time: 1 };
  assert.throws(() => new Place().receive([large]), { kind: 'resource-exhausted' });
});

// Packets that were trouble once: a number cut off, a length beyond the end, a group, a negative size, a time before 1970.
const CORPUS = ['08', '12ff01', '0b', '12022aff', '120b28ffffffffffffffffff01', '120b30ffffffffffffffffff01', '2203'];

test('readPacket() ends with a packet or a WharfError, whatever it is given', () => {
  const read = (bytes: Uint8Array): void => {
    try {
      readPacket(bytes);
    } catch (error) {
      assert.ok(error instanceof WharfError, String(error));
    }
  };
  for (const hex of CORPUS) read(Buffer.from(hex, 'hex'));
  assert.equal(readPacket(Buffer.from('120b30ffffffffffffffffff01', 'hex')).stat?.mtimeNs, -1n);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), read));
});
