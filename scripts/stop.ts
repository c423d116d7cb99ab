import { existsSync, rmSync } from 'node:fs';
import { until } from './lib/delay.ts';
import { daemonPid, request, startDaemon } from './lib/local-daemon.ts';
import { DEMO_NAME, QUICKSTART } from './lib/quickstart-settings.ts';
import { run } from './lib/run.ts';

const STOP_TIMEOUT_MS = 30_000;

/**
 * Takes the demo container away and stops the daemon that `npm start` started. With `--all` every container is stopped and removed first,
 * and the daemon's state is deleted.
 */
async function stop(everything: boolean): Promise<void> {
  // Without a daemon nobody knows which processes and mounts are containers'.
  if (everything && existsSync(QUICKSTART.dataRoot)) await startDaemon();
  const pid = daemonPid();
  if (pid === undefined) {
    console.log('No wharf daemon runs.');
  } else {
    await removeContainers(everything);
    process.kill(pid, 'SIGTERM');
    await until(`the daemon (process ${pid}) ends`, () => (daemonPid() === undefined ? true : undefined), {
      timeoutMs: STOP_TIMEOUT_MS,
    });
    console.log('The wharf daemon has stopped.');
  }
  if (!everything) return;
  for (const path of [QUICKSTART.dataRoot, QUICKSTART.execRoot]) {
    rmSync(path, { recursive: true, force: true });
    console.log(`Removed ${path}.`);
  }
  await run(['ip', 'link', 'delete', QUICKSTART.bridge]);
  await run(['nft', 'delete', 'table', 'inet', QUICKSTART.nftTable]);
}

async function removeContainers(everything: boolean): Promise<void> {
  if (!everything) {
    const { status } = await request('DELETE', `/containers/${DEMO_NAME}?force=1&v=1`);
    if (status === 204) console.log(`Removed the container ${DEMO_NAME}.`);
    const left = JSON.parse((await request('GET', '/containers/json')).text) as readonly unknown[];
    if (left.length > 0)
      console.log(
        `${left.length} other containers run on without the daemon; npm start finds them again (npm stop -- --all removes them).`,
      );
    return;
  }
  const all = JSON.parse((await request('GET', '/containers/json?all=1')).text) as readonly { readonly Id: string }[];
  await Promise.all(all.map(({ Id }) => request('DELETE', `/containers/${Id}?force=1&v=1`)));
  console.log(`Removed ${all.length} containers.`);
  // Their links would outlive the state that knows them.
  await request('POST', '/networks/prune');
}

try {
  await stop(process.argv.includes('--all'));
} catch (error) {
  console.error(`npm stop: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
