import { join } from 'node:path';
import type { RunningEngine } from '@wharf/engine/engine';
import { messageOf, WharfError } from '@wharf/kit';
import { type ApiServer, openApiServer } from './api-server.ts';
import type { DaemonConfig } from './config/daemon-config.ts';
import type { LazyBuilder } from './lazy-builder.ts';
import { SHUTDOWN_DEADLINE_MS } from './limits.ts';
import { createLogger, type DaemonLogger } from './logger.ts';
import { keepMemorySmall } from './memory.ts';
import type { MetricsServer } from './metrics.ts';
import { type OwnRegistryServer, openOwnRegistry, planOwnRegistry } from './own-registry.ts';
import { removePidfile, writePidfile } from './pidfile.ts';
import { reloadConfig } from './reload.ts';
import { claimExecRoot, makeRoot } from './roots.ts';
import { machineGoesDown, notifyServiceManager } from './service-manager.ts';
import { stopContainers } from './stop-containers.ts';
import { wharfVersion } from './version.ts';
import { wireUp } from './wire-up.ts';

export interface DaemonOptions {
  readonly config: DaemonConfig;
  /** Reads the configuration again, for SIGHUP. Throws when it is wrong. */
  readonly reload: () => DaemonConfig;
}

interface RunningDaemon {
  readonly config: DaemonConfig;
  readonly log: DaemonLogger;
  readonly engine: RunningEngine;
  readonly server: ApiServer;
  readonly builder: LazyBuilder;
  readonly registry: OwnRegistryServer | undefined;
  readonly metrics: MetricsServer | undefined;
}

/**
 * The daemon's life, from its pid file to a signal. Resolves once it listens and what was there before is found again; the process then
 * lives by its servers. Throws, with everything undone, when it cannot start.
 *
 * The API answers while containers are still being restored, so that a machine with many of them is not mute after a restart.
 */
export async function runDaemon({ config, reload }: DaemonOptions): Promise<void> {
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  watchForBugs(log);
  await using undo = new AsyncDisposableStack();
  makeRoot(config.dataRoot, 0o710);
  makeRoot(config.execRoot, 0o711);
  undo.defer(() => removePidfiles(config));
  for (const path of pidfiles(config)) writePidfile(path);
  claimExecRoot(config.execRoot, config.dataRoot);
  log.info({ version: wharfVersion(), dataRoot: config.dataRoot, execRoot: config.execRoot }, 'starting');
  const plan = await planOwnRegistry(config);
  const { engine, builder } = await wireUp({ config, log, ownRegistry: plan?.client });
  undo.defer(() => engine.stop());
  warnOfMissingPrograms(engine, log);
  undo.defer(() => builder.close());
  const server = await openApiServer({ config, engine, builder: builder.open, log });
  undo.defer(() => server.close());
  const registry =
    plan === undefined ? undefined : await openOwnRegistry({ config, plan, content: engine.content, log });
  undo.defer(() => registry?.close());
  const metrics =
    config.metricsAddress === undefined ? undefined : await startMetrics(config.metricsAddress, engine, log);
  undo.defer(() => metrics?.close());
  const daemon: RunningDaemon = { config, log, engine, builder, server, registry, metrics };
  handleSignals(daemon, reload);
  await engine.start();
  undo.move();
  keepMemorySmall();
  log.info({ hosts: config.hosts, containers: engine.containers.list().length }, 'ready');
  await notifyServiceManager('READY=1', log);
}

/**
 * Where our pid stands: where it is wanted, and in the exec root, which a second daemon would take for the remains of an earlier one, and
 * would end every container in it.
 */
function pidfiles(config: DaemonConfig): ReadonlySet<string> {
  return new Set([config.pidfile, join(config.execRoot, 'wharfd.pid')]);
}

function removePidfiles(config: DaemonConfig): void {
  for (const path of pidfiles(config)) removePidfile(path);
}

/** Images, volumes and logs can be served without them, and they may come later; but it should not be a surprise. */
function warnOfMissingPrograms({ runtimes }: RunningEngine, log: DaemonLogger): void {
  for (const look of [() => runtimes.monitorPath, () => runtimes.get(undefined)]) {
    try {
      look();
    } catch (error) {
      log.warn({ hint: error instanceof WharfError ? error.hint : undefined }, messageOf(error));
    }
  }
}

async function startMetrics(address: string, engine: RunningEngine, log: DaemonLogger): Promise<MetricsServer> {
  const { serveMetrics } = await import('./metrics.ts');
  return serveMetrics({ address, engine, log });
}

function handleSignals(daemon: RunningDaemon, reload: () => DaemonConfig): void {
  let stopping = false;
  const stop = (signal: string) => {
    // The second signal means: now.
    if (stopping) process.exit(1);
    stopping = true;
    daemon.log.info({ signal }, 'stopping');
    void shutDown(daemon);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    try {
      reloadConfig({ ...daemon, next: reload() });
      daemon.registry?.reload();
      daemon.server.renewCertificates();
    } catch (error) {
      daemon.log.error({ error }, 'the configuration is not reloaded');
    }
  });
}

/** Ends the API, then the engine. Containers run on, unless `--live-restore=false` or the machine goes down too. */
async function shutDown(daemon: RunningDaemon): Promise<void> {
  const { config, log, engine, builder, server, registry, metrics } = daemon;
  const stopsContainers = !config.liveRestore || (await machineGoesDown());
  const graceMs = stopsContainers ? config.shutdownTimeoutSeconds * 1000 : 0;
  setTimeout(() => {
    log.error({}, 'could not stop in time');
    removePidfiles(config);
    process.exit(1);
  }, SHUTDOWN_DEADLINE_MS + graceMs).unref();
  try {
    await notifyServiceManager('STOPPING=1', log);
    if (stopsContainers) await stopContainers(engine, config.shutdownTimeoutSeconds);
    await server.close();
    await registry?.close();
    await metrics?.close();
    await builder.close();
    await engine.stop();
    removePidfiles(config);
    log.info({}, 'stopped');
    process.exit(0);
  } catch (error) {
    log.error({ error }, 'could not stop cleanly');
    removePidfiles(config);
    process.exit(1);
  }
}

/** A broken invariant ends the process: what is on disk and in the kernel is repaired by the next start. */
function watchForBugs(log: DaemonLogger): void {
  const die = (kind: string) => (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error({ kind, stack }, `the daemon ends because of a bug: ${messageOf(error)}`);
    process.exit(70);
  };
  process.on('uncaughtException', die('uncaught exception'));
  process.on('unhandledRejection', die('unhandled rejection'));
}
