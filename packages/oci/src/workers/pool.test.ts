import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { isKind, WharfError } from '@wharf/kit';
import { WorkerPool } from './pool.ts';

const module = import.meta.resolve('./test-jobs.ts');
const pool = new WorkerPool({ name: 'test', size: 2 });
after(() => pool.close());

async function* pieces(count: number, bytes: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(bytes, i);
}

describe('WorkerPool', () => {
  it('run() streams input and output and returns the result', async () => {
    const received: Buffer[] = [];
    const notes: unknown[] = [];
    const result = await pool.run<null, number>({
      module,
      job: 'echoJob',
      params: null,
      input: pieces(100, 100_000),
      output: async (chunk) => {
        received.push(Buffer.from(chunk));
        await tick();
      },
      note: (note) => notes.push(note),
    });
    assert.equal(result, 10_000_000);
    const all = Buffer.concat(received);
    assert.equal(all.length, 10_000_000);
    for (const index of [0, 50, 99]) assert.equal(all[index * 100_000 + 5], index + 1);
    assert.deepEqual(notes, ['done']);
  });

  it('run() gives a job the memory of its output back where the caller says so', async () => {
    const first: number[] = [];
    const pieces = await pool.run<{ chunks: number }, number>({
      ...{ module, job: 'thriftyJob', params: { chunks: 100 }, outputGivesBack: true },
      output: async (chunk) => {
        await tick();
        assert.ok(chunk.length === 200_000 && chunk[0] === chunk[199_999], 'nothing is overwritten on the way');
        first.push(chunk[0] ?? 0);
      },
    });
    assert.deepEqual(
      first,
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    assert.ok(pieces < 20, `${pieces} pieces of memory for 100 chunks`);
  });

  it('run() gives errors back as they were thrown', async () => {
    const fail = (kind: string) => pool.run({ module, job: 'failJob', params: { kind } });
    await assert.rejects(fail('wharf'), (error) => {
      assert.ok(error instanceof WharfError);
      assert.deepEqual(
        [error.kind, error.message, error.code, error.details],
        ['conflict', 'Cannot do it: no', 'no', { a: 1 }],
      );
      return true;
    });
    await assert.rejects(fail('system'), { code: 'EPERM' });
    await assert.rejects(pool.run({ module, job: 'nothing', params: null }), /There is no job/);
  });

  it('run() survives a thread that ends', async () => {
    await assert.rejects(pool.run({ module, job: 'failJob', params: { kind: 'exit' } }), /thread has ended/);
    assert.equal(await pool.run({ module, job: 'echoJob', params: null, input: pieces(1, 10) }), 10);
  });

  it('run() ends a job whose caller aborts, or whose output fails', async () => {
    const abort = new AbortController();
    let chunks = 0;
    const aborted = pool.run({
      module,
      job: 'endlessJob',
      params: null,
      output: () => {
        if (++chunks === 5) abort.abort(new WharfError('aborted', 'left'));
      },
      signal: abort.signal,
    });
    await assert.rejects(aborted, /left/);
    const broken = pool.run({
      module,
      job: 'endlessJob',
      params: null,
      output: () => {
        throw new Error('no more');
      },
    });
    await assert.rejects(broken, /no more/);
    await assert.rejects(pool.run({ module, job: 'endlessJob', params: null, signal: abort.signal }), /left/);
  });

  it('run() passes a failing input on to the job', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(10);
      throw new WharfError('unavailable', 'cut');
    }
    await assert.rejects(pool.run({ module, job: 'echoJob', params: null, input: failing() }), (error) =>
      isKind(error, 'unavailable'),
    );
  });

  it('run() keeps the rest of one input from the next job', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(300_000, 'a');
      await gate;
      yield Buffer.alloc(300_000, 'b');
    }
    const single = new WorkerPool({ name: 'single', size: 1 });
    try {
      await single.run({ module, job: 'impatientJob', params: null, input: slow() });
      const next = single.run({ module, job: 'echoJob', params: null, input: pieces(3, 10) });
      open();
      assert.equal(await next, 30);
    } finally {
      await single.close();
    }
  });

  it('run() makes further jobs wait for a thread', async () => {
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        pool.run<null, number>({ module, job: 'echoJob', params: null, input: pieces(index, 10) }),
      ),
    );
    assert.deepEqual(results, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });
});
