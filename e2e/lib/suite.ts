import { after, before } from 'node:test';
import { until } from '../../scripts/lib/delay.ts';
import { type DaemonOptions, TestDaemon } from './daemon.ts';
import { loadBusybox } from './images.ts';

/** What tests use of a daemon; a real dockerd offers the same, without being killed. */
export type DaemonUnderTest = Pick<
  TestDaemon,
  'docker' | 'ok' | 'host' | 'socketPath' | 'bridge' | 'start' | 'kill' | 'crash' | 'dispose'
>;

interface FileOptions extends DaemonOptions {
  /** Loads the busybox image; true when absent. */
  readonly image?: boolean;
  /** What all tests of the file need. */
  readonly prepare?: (daemon: DaemonUnderTest) => Promise<unknown>;
}

/** With WHARF_E2E_PEER the tests run against dockerd, to see that they ask for what Docker does. */
async function startDaemon(options: DaemonOptions): Promise<DaemonUnderTest> {
  if (process.env['WHARF_E2E_PEER'] === undefined) return TestDaemon.start(options);
  const { PeerDaemon } = await import('./peers.ts');
  return PeerDaemon.start();
}

/**
 * One daemon for all tests of a file, with the busybox image loaded. Call it at the top of the file and use what it returns inside of
 * tests. After the last test everything is removed and the machine is looked over.
 */
export function daemonForFile(options: FileOptions = {}): () => DaemonUnderTest {
  let daemon: DaemonUnderTest | undefined;
  before(async () => {
    daemon = await startDaemon(options);
    if (options.image !== false) await loadBusybox(daemon.host);
    await options.prepare?.(daemon);
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
