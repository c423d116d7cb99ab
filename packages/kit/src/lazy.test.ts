import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lazily, lazyService, loadLazyModules } from './lazy.ts';

interface Counter {
  next(step: number): Promise<number>;
  fail(): Promise<never>;
}

class Steps implements Counter {
  #value = 0;

  async next(step: number): Promise<number> {
    this.#value += step;
    return this.#value;
  }

  async fail(): Promise<never> {
    throw new Error('as asked');
  }
}

test('lazyService() opens its service with the first call, once for calls at one time', async () => {
  let opened = 0;
  const service = lazyService<Counter>(async () => {
    opened += 1;
    return new Steps();
  });
  // Whoever awaits the service itself gets it, and opens nothing.
  assert.equal(await Promise.resolve(service), service);
  assert.equal(opened, 0);
  assert.deepEqual(await Promise.all([service.next(1), service.next(2)]), [1, 3]);
  await assert.rejects(service.fail(), /as asked/);
  assert.equal(await service.next(1), 4);
  assert.equal(opened, 1);
});

test('lazyService() opens again after a failure to open', async () => {
  let tries = 0;
  const service = lazyService<Counter>(async () => {
    tries += 1;
    if (tries === 1) throw new Error('not yet');
    return new Steps();
  });
  await assert.rejects(service.next(1), /not yet/);
  assert.equal(await service.next(5), 5);
});

test('loadLazyModules() loads what was noted, what that notes, and passes over what cannot be loaded', async () => {
  const loaded: string[] = [];
  lazily(async () => {
    loaded.push('outer');
    lazily(async () => loaded.push('inner'));
  });
  lazily(() => Promise.reject(new Error('broken')));
  await loadLazyModules();
  assert.deepEqual(loaded, ['outer', 'inner']);
});
