import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestDaemon } from './lib/daemon.ts';
import { freePort } from './lib/free-port.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';

test("the daemon's own registry takes its images without moving a blob, and tells nobody what the daemon has", async () => {
  const port = await freePort();
  const name = `localhost:${port}`;
  await using daemon = await TestDaemon.start({ arguments: ['--registry-listen', `127.0.0.1:${port}`] });
  await loadBusybox(daemon.host);
  const blobs = (place: string) => join(daemon.dataRoot, place, 'blobs/sha256');
  const digests = readdirSync(blobs('content'));
  const get = async (path: string, method = 'GET', headers = {}): Promise<number> =>
    (await fetch(`http://${name}/v2/${path}`, { method, headers })).status;

  // What the daemon has and nobody has pushed is not there, whoever asks and whatever for.
  for (const hex of digests) {
    assert.equal(await get(`guess/x/blobs/sha256:${hex}`, 'HEAD'), 404);
    assert.equal(await get(`guess/x/blobs/sha256:${hex}`, 'HEAD', { 'x-wharf-local': 'x'.repeat(43) }), 404);
    assert.equal(await get(`guess/x/blobs/uploads/?mount=sha256:${hex}&from=guess/y`, 'POST'), 202);
  }

  await daemon.ok('tag', BUSYBOX, `${name}/team/app:1`);
  const pushed = await daemon.ok('push', `${name}/team/app:1`);
  assert.match(pushed, /Layer already exists/);
  assert.doesNotMatch(pushed, /Pushed/);
  const own = readdirSync(blobs('registry'));
  assert.ok(own.length >= 3);
  const shared = own.filter((hex) => digests.includes(hex) && statSync(join(blobs('registry'), hex)).nlink === 2);
  assert.ok(shared.length >= 2, 'config and layer are links to the daemon’s own');

  // Each side counts its own names: the daemon may lose the image, and gets it back from its registry.
  await daemon.ok('rmi', '-f', BUSYBOX, `${name}/team/app:1`);
  await daemon.crash();
  await daemon.ok('pull', `${name}/team/app:1`);
  assert.equal(await daemon.ok('run', '--rm', `${name}/team/app:1`, 'echo', 'back'), 'back');
});
