import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import fc from 'fast-check';
import type { Store } from './store.ts';

/** What every Store must do. `open` gives a fresh, empty store per call; the suite closes it. */
export function storeTests(name: string, open: () => Store): void {
  const check = (what: string, work: (store: Store) => Promise<void> | void): void =>
    void test(`${name} ${what}`, async () => {
      const store = open();
      try {
        await work(store);
      } finally {
        store.close();
      }
    });

  check('get() sees a put at once and committed() resolves', async (store) => {
    const table = store.table<{ n: number }>('things');
    assert.equal(table.get('a'), undefined);
    table.put('a', { n: 1 });
    assert.deepEqual(table.get('a'), { n: 1 });
    await store.committed();
    assert.deepEqual(table.get('a'), { n: 1 });
  });

  check('put() returns growing revisions that entry() and list() show', (store) => {
    const table = store.table<number>('things');
    const first = table.put('a', 1);
    const second = table.put('b', 2);
    assert.ok(second > first);
    assert.deepEqual(table.entry('a'), { key: 'a', value: 1, revision: first });
    const third = table.put('a', 3);
    assert.deepEqual(
      table.list().map((entry) => entry.revision),
      [third, second],
    );
  });

  check('put() with ifRevision refuses a stale revision as conflict', (store) => {
    const table = store.table<string>('things');
    const revision = table.put('a', 'one', { ifRevision: 0 });
    assert.throws(
      () => table.put('a', 'two', { ifRevision: 0 }),
      (error) => isKind(error, 'conflict'),
    );
    assert.throws(
      () => table.put('a', 'two', { ifRevision: revision + 7 }),
      (error) => isKind(error, 'conflict'),
    );
    assert.throws(
      () => table.delete('a', { ifRevision: revision + 7 }),
      (error) => isKind(error, 'conflict'),
    );
    table.put('a', 'two', { ifRevision: revision });
    assert.equal(table.get('a'), 'two');
  });

  check('put() refuses values that are no JSON and bad keys', (store) => {
    const table = store.table<unknown>('things');
    for (const bad of [1n, undefined, { deep: 1n }]) {
      assert.throws(
        () => table.put('a', bad),
        (error) => isKind(error, 'invalid-argument'),
      );
    }
    for (const key of ['', 'x\0y', 'x'.repeat(2000)]) {
      assert.throws(
        () => table.put(key, 1),
        (error) => isKind(error, 'invalid-argument'),
      );
    }
    assert.deepEqual(table.list(), []);
  });

  check('list() gives the keys of a prefix in order, and tables are apart', (store) => {
    const table = store.table<number>('things');
    for (const key of ['b/2', 'a/1', 'b/1', 'c']) table.put(key, 1);
    store.table<number>('others').put('b/3', 1);
    const keys = (prefix?: string) => table.list(prefix).map((entry) => entry.key);
    assert.deepEqual(keys(), ['a/1', 'b/1', 'b/2', 'c']);
    assert.deepEqual(keys('b/'), ['b/1', 'b/2']);
    assert.equal(table.delete('b/1'), true);
    assert.equal(table.delete('b/1'), false);
    assert.deepEqual(keys('b/'), ['b/2']);
  });

  check('range() pages through a prefix in order while keys come and go', (store) => {
    const table = store.table<number>('things');
    for (let i = 0; i < 3000; i += 1) table.put(`a:${String((i * 7919) % 3000).padStart(4, '0')}`, i);
    table.put('b:1', 1);
    const keys = (after?: string, limit = 2) =>
      table.range({ prefix: 'a:', limit, ...(after === undefined ? {} : { after }) }).map(({ key }) => key);
    assert.deepEqual(keys(), ['a:0000', 'a:0001']);
    assert.deepEqual(keys('a:0001'), ['a:0002', 'a:0003']);
    assert.deepEqual(keys('a:2998'), ['a:2999']);
    assert.deepEqual(keys('a:2998x'), ['a:2999']);
    assert.deepEqual(keys('z'), []);
    assert.deepEqual(keys(undefined, 0), []);
    for (let i = 0; i < 3000; i += 2) table.delete(`a:${String(i).padStart(4, '0')}`);
    assert.equal(table.range({ prefix: 'a:' }).length, 1500);
    assert.deepEqual(keys('a:0001'), ['a:0003', 'a:0005']);
    assert.throws(() =>
      store.transaction(() => {
        table.delete('a:0003');
        table.put('a:0004', 1);
        throw new Error('no');
      }),
    );
    assert.deepEqual(keys('a:0001'), ['a:0003', 'a:0005']);
    assert.equal(table.size, 1501);
  });

  check('log() numbers records without gaps, also after a failed transaction and trim()', async (store) => {
    const log = store.log<string>('events');
    assert.equal(log.last, 0);
    assert.deepEqual([log.append('a'), log.append('b')], [1, 2]);
    await store.committed();
    assert.throws(() =>
      store.transaction(() => {
        log.append('never');
        throw new Error('no');
      }),
    );
    assert.equal(log.append('c'), 3);
    const values = (options?: { after?: number; limit?: number }) => log.read(options).map(({ value }) => value);
    assert.deepEqual(values(), ['a', 'b', 'c']);
    assert.deepEqual(values({ after: 1, limit: 1 }), ['b']);
    log.trim(2);
    assert.deepEqual(values(), ['c']);
    await store.committed();
    log.trim(3);
    assert.deepEqual(values(), []);
    await store.committed();
    assert.equal(log.append('d'), 4);
    assert.deepEqual(log.read(), [{ number: 4, value: 'd' }]);
  });

  check('transaction() undoes everything when its work throws', async (store) => {
    const table = store.table<number>('things');
    table.put('kept', 1);
    table.put('changed', 1);
    await store.committed();
    const failing = () =>
      store.transaction(() => {
        table.put('changed', 2);
        table.put('new', 1);
        table.delete('kept');
        store.transaction(() => table.put('inner', 1));
        throw new Error('no');
      });
    assert.throws(failing, /no/);
    assert.deepEqual(
      table.list().map(({ key, value }) => [key, value]),
      [
        ['changed', 1],
        ['kept', 1],
      ],
    );
    assert.equal(
      store.transaction(() => table.put('new', 5)),
      table.entry('new')?.revision,
    );
    await store.committed();
  });

  check('transaction() refuses asynchronous work', (store) => {
    assert.throws(() => store.transaction(async () => {}), /synchronous/);
  });

  check('behaves as a map whatever the order of operations', async (store) => {
    let run = 0;
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), key: fc.constantFrom('a', 'b', 'c'), value: fc.jsonValue() }),
      fc.record({ kind: fc.constant('delete' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('commit' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 30 }), async (operations) => {
        run += 1;
        const table = store.table<unknown>(`model-${run}`);
        const model = new Map<string, unknown>();
        for (const step of operations) {
          if (step.kind === 'put') {
            table.put(step.key, step.value);
            model.set(step.key, step.value);
          } else if (step.kind === 'delete') assert.equal(table.delete(step.key), model.delete(step.key));
          else await store.committed();
        }
        const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(
          table.list().map(({ key, value }) => [key, value]),
          expected,
        );
      }),
      { numRuns: 50 },
    );
  });
}
