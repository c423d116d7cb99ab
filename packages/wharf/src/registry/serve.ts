import { type Logger, messageOf } from '@wharf/kit';
import {
  AccessLog,
  type Donor,
  diskTrouble,
  localAccess,
  MonitorServer,
  openRegistry,
  type Registry,
  RegistryMetrics,
} from '@wharf/registry';
import { AdminServer } from '@wharf/registry/admin/server';
import { createManagement, type Management } from '@wharf/registry/management';
import { wharfVersion } from '../version.ts';
import { managementSettings } from './management-settings.ts';
import type { RegistrySettings } from './settings.ts';
import { socketAddress } from './socket-address.ts';

const COLLECT_EVERY_SECONDS = 3600;

export interface RunningRegistry {
  readonly registry: Registry;
  /** Where it listens, ports filled in. */
  readonly addresses: readonly string[];
  /** Opens log files anew, and reads the certificate again. What cannot be used is said in the log, and what was there stays. */
  reload(): void;
  close(): Promise<void>;
}

/** What a registry inside the daemon gets from it. */
export interface Embedding {
  readonly donor: Donor;
  /** By which the daemon's own requests are told from others. */
  readonly secret: string;
}

/** Opens a registry and serves it until it is closed. Throws, with everything undone, when it cannot. */
export async function serveRegistry(
  settings: RegistrySettings,
  log: Logger,
  embedded?: Embedding,
): Promise<RunningRegistry> {
  await using undo = new AsyncDisposableStack();
  const accessLog = settings.accessLog === undefined ? undefined : new AccessLog(settings.accessLog);
  undo.defer(() => accessLog?.close());
  const metrics = new RegistryMetrics();
  let management: Management | undefined;
  const registry: Registry = await openRegistry({
    ...{ root: settings.root, version: wharfVersion(), log },
    ...(settings.graceSeconds === undefined ? {} : { graceMs: settings.graceSeconds * 1000 }),
    ...(settings.uploadTtlSeconds === undefined ? {} : { uploadTtlMs: settings.uploadTtlSeconds * 1000 }),
    ...(embedded === undefined ? {} : { donor: embedded.donor }),
    async plugins(parts) {
      management = await createManagement(parts, managementSettings(settings), log, () => registry);
      const { plugins } = management;
      return embedded === undefined ? plugins : { ...plugins, access: localAccess(plugins.access, embedded.secret) };
    },
    sparseIndexes: settings.sparseIndexes ?? false,
    observe(call, route) {
      metrics.observe(call, route);
      accessLog?.write(call);
      management?.audit?.observe(call, route);
    },
  });
  undo.defer(() => management?.audit?.close());
  undo.defer(() => registry.close({ graceMs: 5_000 }));
  if (management !== undefined) {
    const admin = new AdminServer({ administration: management.administration, log });
    // Held as long as it listens: its path may lead through the descriptor.
    const place = socketAddress(settings.root);
    undo.defer(() => place[Symbol.dispose]());
    undo.defer(() => admin.close());
    await admin.listen(`unix://${place.path}`);
  }
  const addresses: string[] = [];
  for (const address of settings.listen) addresses.push(await listen(registry, address, settings));
  if (settings.monitor !== undefined) {
    const monitor = new MonitorServer({
      ...{ log, version: wharfVersion() },
      metrics: () => metrics.text(registry.context),
      trouble: () => diskTrouble(settings.root),
    });
    undo.defer(() => monitor.close());
    const { host } = await monitor.listen(`tcp://${settings.monitor}`);
    log.info({ address: host }, 'monitoring');
  }
  collectRegularly({ registry, metrics, log, everyMs: (settings.collectEverySeconds ?? COLLECT_EVERY_SECONDS) * 1000 });
  const running = undo.move();
  const reload = (): void => {
    accessLog?.reopen();
    management?.audit?.reopen();
    try {
      registry.server.renewCertificates();
      log.info({}, 'log files and certificate are opened anew');
    } catch (error) {
      log.error(
        { error: messageOf(error) },
        'the certificate could not be renewed: the one from before is still shown',
      );
    }
  };
  return { registry, addresses, reload, close: () => running.disposeAsync() };
}

async function listen({ server }: Registry, address: string, { tls }: RegistrySettings): Promise<string> {
  if (address.startsWith('unix://')) return (await server.listen(address)).host;
  const files = tls && {
    cert: tls.cert,
    key: tls.key,
    ca: tls.clientCa,
    verify: tls.requireClientCert ?? (tls.clientCa === undefined ? false : ('optional' as const)),
  };
  return (await server.listen(`tcp://${address}`, { tls: files })).host;
}

function collectRegularly(options: {
  readonly registry: Registry;
  readonly metrics: RegistryMetrics;
  readonly log: Logger;
  readonly everyMs: number;
}): void {
  const { registry, metrics, log, everyMs } = options;
  if (everyMs === 0) return;
  setInterval(() => {
    registry.collect().then(
      (report) => {
        metrics.collected(report);
        log.info({ ...report }, 'garbage is collected');
      },
      (error: unknown) => log.error({ error: messageOf(error) }, 'garbage is not collected'),
    );
  }, everyMs).unref();
}
