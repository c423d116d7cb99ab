import { after, before } from 'node:test';
import { until } from '../../scripts/lib/delay.ts';
import { type DaemonOptions, TestDaemon } from './daemon.ts';
import { loadBusybox } from './images.ts';

/**
 * One daemon for all tests of a file, with the busybox image loaded. Call it at the top of the file and use what it returns inside of
 * tests. After the last test everything is removed and the machine is looked over.
 */
export function daemonForFile(options: DaemonOptions & { readonly image?: boolean } = {}): () => TestDaemon {
  let daemon: TestDaemon | undefined;
  before(async () => {
    daemon = await TestDaemon.start(options);
    if (options.image !== false) await loadBusybox(daemon.host);
  });
  after(async () => {
    await daemon?.dispose();
  });
  return () => {
    if (daemon === undefined) throw new Error('the daemon has not been started');
    return daemon;
  };
}

let serial = 0;

/** A container name of this process's own. */
export function uniqueName(prefix = 'c'): string {
  serial += 1;
  return `${prefix}-${process.pid}-${serial}`;
}

/** Waits until something is so, asking again and again; fails naming it after half a minute. */
export async function eventually(what: string, probe: () => Promise<boolean>): Promise<void> {
  await until(what, async () => ((await probe()) ? true : undefined), { timeoutMs: 30_000, everyMs: 50 });
}
