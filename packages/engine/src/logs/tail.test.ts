import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { criRecord, makeRecord, openLog, readText, tempDirectory } from './test-support.ts';

interface Part {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  readonly partial: boolean;
}

const part: fc.Arbitrary<Part> = fc.record({
  stream: fc.constantFrom('stdout', 'stderr'),
  text: fc.oneof(
    { weight: 20, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constant('z'.repeat(70_000)) },
  ),
  partial: fc.boolean(),
});

/** The pieces of the last `count` lines in the order they were written, found the slow way. */
function naiveTail(parts: readonly Part[], count: number): string {
  const lineOf: number[] = [];
  const open = new Map<string, number>();
  const ends: number[] = [];
  for (const [index, { stream, partial }] of parts.entries()) {
    const line = open.get(stream) ?? ends.push(-1) - 1;
    lineOf.push(line);
    ends[line] = index;
    if (partial) open.set(stream, line);
    else open.delete(stream);
  }
  const wanted = new Set(
    ends
      .map((end, line) => ({ end, line }))
      .sort((a, b) => b.end - a.end)
      .slice(0, count)
      .map(({ line }) => line),
  );
  return parts
    .filter((_, index) => wanted.has(lineOf[index] ?? -1))
    .map(({ text, partial }) => text + (partial ? '' : '\n'))
    .join('');
}

test('tail on conmon records finds the lines the slow way finds, over plain and compressed files', async (t) => {
  const root = await tempDirectory(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 40 }),
      fc.integer({ min: 0, max: 12 }),
      fc.tuple(fc.nat(40), fc.nat(40)),
      async (parts, count, cuts) => {
        const record = makeRecord({ Type: 'local', Config: {} });
        const log = openLog(root, record);
        const path = join(root, 'containers', record.id, 'log', 'container.log');
        mkdirSync(dirname(path), { recursive: true });
        const [a = 0, b = 0] = [...cuts].sort((x, y) => x - y);
        const text = (from: number, to?: number): string =>
          parts
            .slice(from, to)
            .map((p, i) => criRecord(BigInt(from + i), p.stream, p.text, p.partial))
            .join('');
        writeFileSync(`${path}.2.gz`, gzipSync(text(0, a)));
        writeFileSync(`${path}.1`, text(a, b));
        writeFileSync(path, text(b));
        assert.equal(await readText(log, { tail: count }), naiveTail(parts, count));
        await log.remove();
      },
    ),
    { numRuns: 300 },
  );
});

test('tail of a large file reads little of it', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'local', Config: {} });
  const log = openLog(root, record);
  t.after(() => log.remove());
  const path = join(root, 'containers', record.id, 'log', 'container.log');
  mkdirSync(dirname(path), { recursive: true });
  const block = criRecord(1n, 'stdout', 'x'.repeat(100)).repeat(1000);
  writeFileSync(path, block.repeat(100) + criRecord(2n, 'stdout', 'last'));
  assert.equal(await readText(log, { tail: 1 }), 'last\n');
});
