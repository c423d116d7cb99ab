import type { Builder } from '@wharf/builder/build';
import { engineRoutes } from '@wharf/engine/docker-api/index';
import type { RunningEngine } from '@wharf/engine/engine';
import type { Logger } from '@wharf/kit';
import { createHttpServer } from '@wharf/wire/http/server';
import type { DaemonConfig } from './config/daemon-config.ts';
import { lazyBuildRoutes } from './lazy-builder.ts';
import { API_CLOSE_GRACE_MS } from './limits.ts';
import { listingRoutes } from './listing/routes.ts';
import { gateRoutes } from './restore-gate.ts';
import { wharfVersion } from './version.ts';

/** The API on all of the daemon's addresses. */
export interface ApiServer {
  /** Stops listening, lets answers under way end for a moment, then breaks off what is left. Idempotent. */
  close(): Promise<void>;
  /** Reads certificate and key again. Throws when they cannot be used; the old ones are shown then. */
  renewCertificates(): void;
}

/** Listens on every host of the configuration, or on none: throws with all undone when one cannot be had. */
export async function openApiServer(options: {
  readonly config: DaemonConfig;
  readonly engine: RunningEngine;
  /** Opens it, once. */
  readonly builder: () => Promise<Builder>;
  readonly log: Logger;
}): Promise<ApiServer> {
  const { config, engine, builder, log } = options;
  const own = () => config.hosts.find((host) => host.startsWith('unix://'));
  const routes = [
    ...lazyBuildRoutes({ builder, log, version: wharfVersion() }),
    ...listingRoutes(own),
    ...engineRoutes(engine),
  ];
  const server = createHttpServer({
    routes: gateRoutes(routes, engine),
    log,
    serverVersion: wharfVersion(),
  });
  const { tls, group } = config;
  const files = tls === undefined ? undefined : { cert: tls.cert, key: tls.key, ca: tls.caCert, verify: tls.verify };
  try {
    for (const host of config.hosts) {
      const listening = await server.listen(host, { group, tls: files });
      log.info({ host: listening.host }, 'listening');
      if (host.startsWith('tcp://') && tls?.verify !== true) {
        log.warn({ host }, 'this address lets anyone who reaches it become root: use --tlsverify or a unix socket');
      }
    }
  } catch (error) {
    await server.close();
    throw error;
  }
  return {
    close: () => server.close({ graceMs: API_CLOSE_GRACE_MS }),
    renewCertificates: () => server.renewCertificates(),
  };
}
