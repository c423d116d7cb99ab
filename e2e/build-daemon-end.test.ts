import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { Buildx } from './lib/buildx.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

let host = '';
const buildx = new Buildx(() => ({ host }));
before(() => buildx.prepare());

async function started(): Promise<TestDaemon> {
  const daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  host = daemon.host;
  return daemon;
}

/** Trees of steps that are mounted now. */
const mountedSteps = ({ directory }: TestDaemon) =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${directory}/exec/builds/`) && line.includes('/rootfs ')).length;

test('a daemon that ends takes the steps of its builds along: nothing runs on, nothing stays mounted', async () => {
  // Disposing of it fails where something is left.
  await using daemon = await started();
  const folder = buildx.context({ Dockerfile: `FROM ${BUSYBOX}\nARG BY\nRUN sleep 1000 # $BY\n` });
  const classic = daemon.docker(['build', '--build-arg', 'BY=classic', folder], { env: { DOCKER_BUILDKIT: '0' } });
  const building = buildx.run('build', '--build-arg', 'BY=buildx', folder);
  await eventually('both are running', () => Promise.resolve(mountedSteps(daemon) === 2));
  await daemon.stop();
  assert.equal(mountedSteps(daemon), 0);
  for (const { code } of [await classic, await building]) assert.notEqual(code, 0);
});

test('a build that failed has left nothing when the daemon ends right after it', async () => {
  for (let round = 0; round < 3; round++) {
    await using daemon = await started();
    const folder = buildx.context({
      Dockerfile: `FROM ${BUSYBOX}\nRUN --mount=type=tmpfs,target=/t touch /left && false\n`,
    });
    assert.notEqual((await buildx.run('build', folder)).code, 0);
    await daemon.stop();
    assert.equal(mountedSteps(daemon), 0);
  }
});
