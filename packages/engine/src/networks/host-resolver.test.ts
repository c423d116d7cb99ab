import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nullLogger } from '@wharf/kit';
import { HostResolver } from './host-resolver.ts';

/** A resolv.conf of the test's own, followed; `change` waits until a change has been told. */
function followed(): {
  readonly root: string;
  readonly path: string;
  readonly resolver: HostResolver;
  change(work: () => void): Promise<readonly string[]>;
} & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'wharf-resolver-'));
  const path = join(root, 'resolv.conf');
  let told: (servers: readonly string[]) => void = () => {};
  const resolver = new HostResolver({ log: nullLogger, path, onChange: (servers) => told(servers) });
  return {
    root,
    path,
    resolver,
    change(work) {
      const { promise, resolve } = Promise.withResolvers<readonly string[]>();
      told = resolve;
      work();
      return promise;
    },
    [Symbol.dispose]() {
      resolver.close();
      rmSync(root, { recursive: true });
    },
  };
}

test('HostResolver follows a file that is written, replaced, and made a link that turns', {
  timeout: 10_000,
}, async () => {
  using following = followed();
  const { root, path, resolver, change } = following;
  const write = (to: string, server: string): void => writeFileSync(to, `nameserver ${server}\n`);
  // The watches are not references: something must keep the test's process.
  const awake = setInterval(() => {}, 1000);
  try {
    write(path, '10.0.0.1');
    assert.deepEqual(resolver.servers(), ['10.0.0.1']);
    assert.deepEqual(await change(() => write(path, '10.0.0.2')), ['10.0.0.2']);
    const replaced = await change(() => {
      write(join(root, 'new'), '10.0.0.3');
      renameSync(join(root, 'new'), path);
    });
    assert.deepEqual(replaced, ['10.0.0.3']);
    mkdirSync(join(root, 'run'));
    const target = join(root, 'run', 'stub');
    const linked = await change(() => {
      write(target, '10.0.0.4');
      symlinkSync(target, join(root, 'link'));
      renameSync(join(root, 'link'), path);
    });
    assert.deepEqual(linked, ['10.0.0.4']);
    assert.deepEqual(await change(() => write(target, '10.0.0.5')), ['10.0.0.5']);
    const back = await change(() => {
      rmSync(path);
      write(path, '10.0.0.6');
    });
    assert.deepEqual(back, ['10.0.0.6']);
  } finally {
    clearInterval(awake);
  }
});
